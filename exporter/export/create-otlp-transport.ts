import { collectWarnings } from "./collect-warnings.js";
import { createGrpcTransport } from "./create-grpc-transport.js";
import { createHttpTransport } from "./create-http-transport.js";
import { explainSendFailure } from "./explain-send-failure.js";
import type { OtlpRequest, OtlpTransport, SendOutcome } from "./otlp-request.js";
import { readOtlpSettings } from "./read-otlp-settings.js";

export interface OtlpTransportOptions {
  /** For gRPC, e.g. "http://localhost:4317". Absent: as OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT say. */
  readonly url?: string;
}

/** gRPC or HTTP, as OTEL_EXPORTER_OTLP_PROTOCOL says. Throws UserError when a setting cannot be. */
export function createOtlpTransport(options: OtlpTransportOptions = {}): OtlpTransport {
  const settings = readOtlpSettings(options.url);
  const create = settings.protocol === "grpc" ? createGrpcTransport : createHttpTransport;
  const { result: transport, warnings } = collectWarnings(() => create(settings));
  let hasAnswered = false;
  return {
    endpoint: transport.endpoint,
    warnings: [...new Set(warnings)],
    async send(request: OtlpRequest): Promise<SendOutcome> {
      const outcome = await transport.send(request);
      if (outcome.kind !== "retry") hasAnswered = true;
      if (outcome.kind === "accepted") return outcome;
      return { ...outcome, message: explainSendFailure(outcome.message, settings, hasAnswered) };
    },
    close: () => transport.close(),
  };
}
