import { StreamError } from "../decode/stream-error.js";
import { describeSystemError, systemErrorCode } from "../lib/describe-system-error.js";
import { type ExitCode, exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";

/** Errors of other parts whose message is written for a person; by name, so that those parts are not loaded for it. */
const WRITTEN_FOR_PEOPLE = ["ListenError", "LabError"];

/** Any error as the lines that a person reads, and the exit code. A stack trace only when `isDebugging`. */
export function describeFailure(
  error: unknown,
  isDebugging = false,
): { readonly code: ExitCode; readonly text: string } {
  const { code, message, hint } = toUserError(error);
  const lines = [`skbspan: error: ${message}`, ...(hint === "" ? [] : [hint])];
  if (isDebugging && error instanceof Error) lines.push(error.stack ?? "");
  return { code, text: `${lines.join("\n")}\n` };
}

function toUserError(error: unknown): UserError {
  if (error instanceof UserError) return error;
  if (error instanceof StreamError) return new UserError(exitCode.stream, error.message);
  if (error instanceof Error && WRITTEN_FOR_PEOPLE.includes(error.name))
    return new UserError(exitCode.failure, error.message);
  // Codes of the system; Node's own (ERR_...) are about our use of it.
  if (/^E[A-Z0-9]+$/.test(systemErrorCode(error) ?? ""))
    return new UserError(exitCode.failure, describeSystemError(error));
  const text = error instanceof Error ? error.message : String(error);
  return new UserError(exitCode.failure, `skbspan failed in a way that it should not: ${text}`, {
    hint: "This is a fault of skbspan. SKBSPAN_DEBUG=1 shows where it happened; please report that.",
  });
}
