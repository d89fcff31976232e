import type { IExportTraceServiceResponse } from "@opentelemetry/otlp-transformer";
import type { SendOutcome } from "./otlp-request.js";

/** Only a count or a message makes a partial success: the Collector sends an empty one when all went well. */
export function acceptedOutcome(response: IExportTraceServiceResponse | undefined): SendOutcome {
  const partial = response?.partialSuccess;
  const message = partial?.errorMessage;
  const rejectedSpans = Math.max(0, Number(partial?.rejectedSpans ?? 0));
  return { kind: "accepted", rejectedSpans, ...(message ? { message } : {}) };
}
