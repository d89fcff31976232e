/** A server that could not start listening; `message` says what, where, why and what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

export interface ListenAttempt {
  /** What was to listen, e.g. `the OTLP/gRPC receiver`. */
  readonly what: string;
  readonly host: string;
  readonly port: number;
  /** What to do about it, e.g. `choose another with --otlp-grpc-port`. */
  readonly mend: string;
}

/** grpc-js wraps the system's error in a text, so the code is looked for in the message. */
export function toListenError(cause: unknown, { what, host, port, mend }: ListenAttempt): ListenError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason =
    Object.entries(LISTEN_REASONS).find(([code]) => text.includes(code))?.[1] ?? `the system answered "${text}"`;
  return new ListenError(`${what} cannot listen on ${host}:${port}: ${reason}. Stop what uses it, or ${mend}.`, {
    cause,
  });
}

const LISTEN_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there already",
  EACCES: "ports below 1024 need the right CAP_NET_BIND_SERVICE",
  EADDRNOTAVAIL: "this machine has no such address",
};
