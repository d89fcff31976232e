import type { TraceStore } from "./create-trace-store.js";
import type { DecodedRequest } from "./span-record.js";

/** What OTLP calls partial success; nothing was refused when `rejectedSpans` is 0. */
export interface ReceiveOutcome {
  readonly rejectedSpans: number;
  readonly errorMessage: string;
}

/** Puts a decoded request into the store and says what of it was not kept, and why. */
export function receiveRequest(store: TraceStore, request: DecodedRequest): ReceiveOutcome {
  const refusedSpans = store.add(request.spans);
  const reasons: string[] = [];
  if (request.rejectedSpans > 0) reasons.push(request.rejectedReason);
  if (refusedSpans > 0) reasons.push(`${refusedSpans} spans passed the most that one trace may have here`);
  return { rejectedSpans: request.rejectedSpans + refusedSpans, errorMessage: reasons.join("; ") };
}
