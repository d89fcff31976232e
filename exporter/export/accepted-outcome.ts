import type { IExportTraceServiceResponse } from "@opentelemetry/otlp-transformer";
import type { SendOutcome } from "./otlp-request.js";

/** Only a count or a message makes a partial success: the Collector sends an empty one when all went well. */
export function acceptedOutcome(response: IExportTraceServiceResponse | undefined): SendOutcome {
  const partial = response?.partialSuccess;
  const message = partial?.errorMessage;
  const count = Number(partial?.rejectedSpans ?? 0);
  // The official decoder gives a negative number of 64 bits as a very large one.
  const rejectedSpans = count < 0 || count >= 2 ** 63 ? 0 : count;
  return { kind: "accepted", rejectedSpans, ...(message ? { message } : {}) };
}
