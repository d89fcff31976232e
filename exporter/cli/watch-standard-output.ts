import type { Writable } from "node:stream";
import { describeSystemError, systemErrorCode } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { StandardOutput } from "./command-context.js";

/** A reader that has had enough (`| head`) ends the command without a word; any other failure of writing is one. */
export function watchStandardOutput(stream: Writable): StandardOutput {
  const controller = new AbortController();
  let failure: UserError | undefined;
  stream.on("error", (error) => {
    if (systemErrorCode(error) !== "EPIPE")
      failure ??= new UserError(exitCode.failure, `Cannot write to standard output: ${describeSystemError(error)}.`, {
        cause: error,
      });
    controller.abort();
  });
  return {
    stream,
    closed: controller.signal,
    get failure() {
      return failure;
    },
  };
}
