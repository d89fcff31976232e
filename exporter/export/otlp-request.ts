/** An encoded ExportTraceServiceRequest on its way. */
export interface OtlpRequest {
  readonly bytes: Uint8Array;
  readonly journeys: number;
  readonly spans: number;
  /** Of all its journeys. */
  readonly interest: Interest;
}

/** Whose packets were dropped by a fault, those in the trace of an application, and others: given up in reverse, the last first. */
export const interests = ["fault", "joined", "ordinary"] as const;
export type Interest = (typeof interests)[number];

/** What became of one attempt to send a request. */
export type SendOutcome =
  /** The receiver has it; what it rejected of it is not to be sent again. */
  | { readonly kind: "accepted"; readonly rejectedSpans: number; readonly message?: string }
  /** Worth another attempt, after `delayMs` if the receiver asked for it. */
  | { readonly kind: "retry"; readonly message: string; readonly delayMs?: number }
  /** Another attempt would be refused as well. */
  | { readonly kind: "refused"; readonly message: string };

export interface OtlpTransport {
  /** For messages, e.g. "localhost:4317". */
  readonly endpoint: string;
  /** Settings that are not as they should be, and that it goes on without. */
  readonly warnings?: readonly string[];
  /** Never rejects. */
  send(request: OtlpRequest): Promise<SendOutcome>;
  close(): Promise<void>;
}
