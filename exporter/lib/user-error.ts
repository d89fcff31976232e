import type { ExitCode } from "./exit-code.js";

/** What a person is told when something fails: what failed and why (`message`), and what to do next (`hint`). */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly code: ExitCode;
  /** Empty when the message says it all. */
  readonly hint: string;

  constructor(code: ExitCode, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.hint = options.hint ?? "";
  }
}
