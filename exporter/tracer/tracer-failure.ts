import { exitCode, toExitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";

const hints: Readonly<Record<number, string>> = {
  [exitCode.rights]: "`skbspan doctor` says which rights are there and which are missing.",
  [exitCode.kernel]: "`skbspan doctor` says what this kernel can do.",
};

/** How the tracer ended: its exit code (null: by `signal`) and what it wrote to standard error. */
export interface TracerExit {
  readonly code: number | null;
  readonly signal?: NodeJS.Signals | null;
  readonly stderr: string;
}

/** What a tracer that failed says, for the user. The codes are the same on both sides. */
export function tracerFailure({ code, signal, stderr }: TracerExit): UserError {
  const message = stderr
    .split("\n")
    .filter((line) => !line.startsWith(WARNING))
    .map((line) => line.replace(/^skbspan-tracer: (error: )?/, ""))
    .join("\n")
    .trim();
  if (code === null)
    return new UserError(
      exitCode.failure,
      `The tracer was ended by ${signal ?? "a signal"}.${message ? ` ${message}` : ""}`,
    );
  return new UserError(toExitCode(code), message || `The tracer ended with code ${code} and said nothing.`, {
    hint: hints[code] ?? "",
  });
}

const WARNING = "skbspan-tracer: warning: ";

/** The text of a line on the tracer's standard error, if it is a warning. */
export function readWarning(line: string): string | undefined {
  return line.startsWith(WARNING) ? line.slice(WARNING.length) : undefined;
}
