import { readRetryAfterMs } from "../export/read-retry-after.js";

const MAX_SHOWN_CHARACTERS = 300;

/** The API server said no, or said nothing. The message is a sentence without its full stop. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    /** HTTP's; undefined: there was no answer. */
    readonly status?: number,
    /** The API server asked to wait for so long. */
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** What was asked for is too old: a list has to be read anew. */
  get isGone(): boolean {
    return this.status === 410;
  }

  /** It will be said again until somebody changes rights. */
  get isRefusal(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

/** The error of an answer: a Status of Kubernetes, or whatever a proxy in between has to say. */
export function readApiError(what: string, status: number, retryAfter: string | undefined, body: string): ApiError {
  const said = readStatusMessage(body) ?? body.trim();
  const text = printable(said).slice(0, MAX_SHOWN_CHARACTERS);
  return new ApiError(
    `${what} was answered with ${status}${text === "" ? "" : `: ${text}`}`,
    status,
    readRetryAfterMs(retryAfter),
  );
}

/** An event of a watch that says that it cannot go on. */
export function readErrorEvent(what: string, object: unknown): ApiError {
  const { code, message } = (object ?? {}) as { code?: unknown; message?: unknown };
  const status = typeof code === "number" ? code : undefined;
  return new ApiError(
    `${what} ended: ${printable(String(message ?? "no reason")).slice(0, MAX_SHOWN_CHARACTERS)}`,
    status,
  );
}

function readStatusMessage(body: string): string | undefined {
  try {
    const { kind, message } = JSON.parse(body) as { kind?: unknown; message?: unknown };
    return kind === "Status" && typeof message === "string" ? message : undefined;
  } catch {
    return undefined;
  }
}

/** Goes to a terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{C}+/gu, " ");
}
