import { type Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { convertLegacyOtlpGrpcOptions, createOtlpGrpcExportDelegate } from "@opentelemetry/otlp-grpc-exporter-base";
import {
  type IExportTraceServiceResponse,
  type ISerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import type { OtlpRequest, OtlpTransport, SendOutcome } from "./otlp-request.js";
import { readRetryDelayMs } from "./read-retry-info.js";

export interface OtlpTransportOptions {
  /** e.g. "http://localhost:4317". Absent: as OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT say. */
  readonly url?: string;
}

/** By the OTLP specification; RESOURCE_EXHAUSTED besides, when the server says when to come back. */
const retryableCodes: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/**
 * Sends through the official exporter's delegate, which reads all OTEL_EXPORTER_OTLP_* settings: endpoint, TLS, headers,
 * compression, timeout. It is given bytes instead of spans.
 */
export function createOtlpTransport(options: OtlpTransportOptions = {}): OtlpTransport {
  const configuration = convertLegacyOtlpGrpcOptions(options.url === undefined ? {} : { url: options.url }, "TRACES");
  let latest: IExportTraceServiceResponse | undefined;
  const serializer: ISerializer<OtlpRequest, IExportTraceServiceResponse> = {
    serializeRequest: (request) => shareable(request.bytes),
    deserializeResponse(bytes) {
      // The delegate calls this right before the callback of the same request, without a pause between.
      latest = bytes.length === 0 ? {} : ProtobufTraceSerializer.deserializeResponse(bytes);
      return latest;
    },
  };
  const delegate = createOtlpGrpcExportDelegate(
    configuration,
    serializer,
    "otlp_grpc_span_exporter",
    { name: "span", countItems: (request: OtlpRequest) => request.spans },
    undefined,
    "TraceExportService",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  );
  return {
    endpoint: configuration.url,
    send(request) {
      return new Promise((resolve) => {
        delegate.export(request, (result) => {
          const response = latest;
          latest = undefined;
          resolve(result.code === 0 ? acceptedOutcome(response) : failedOutcome(result.error));
        });
      });
    },
    close: () => delegate.shutdown(),
  };
}

/**
 * The same bytes, such that `Buffer.from`, which the official transport calls on them, shares their memory: it takes what
 * an object's `valueOf()` gives, and copies no ArrayBuffer. A copy of a mebibyte a request is a fifth of what sending costs.
 */
function shareable(bytes: Uint8Array): Uint8Array {
  const { buffer } = bytes;
  if (buffer.byteLength !== bytes.length) return bytes;
  return Object.defineProperty(new Uint8Array(buffer), "valueOf", { value: () => buffer });
}

function acceptedOutcome(response: IExportTraceServiceResponse | undefined): SendOutcome {
  const partial = response?.partialSuccess;
  const message = partial?.errorMessage;
  return { kind: "accepted", rejectedSpans: Number(partial?.rejectedSpans ?? 0), ...(message ? { message } : {}) };
}

function failedOutcome(error: Error | undefined): SendOutcome {
  if (!isServiceError(error)) return { kind: "refused", message: error?.message ?? "unknown error" };
  const message = `${status[error.code] ?? error.code}: ${error.details}`;
  const delayMs = readDelay(error.metadata);
  if (retryableCodes.has(error.code) || (error.code === status.RESOURCE_EXHAUSTED && delayMs !== undefined))
    return { kind: "retry", message, ...(delayMs === undefined ? {} : { delayMs }) };
  return { kind: "refused", message };
}

function isServiceError(error: Error | undefined): error is ServiceError {
  return error !== undefined && "code" in error && typeof error.code === "number";
}

function readDelay(metadata: Metadata | undefined): number | undefined {
  const details = metadata?.get("grpc-status-details-bin")[0];
  return details instanceof Uint8Array ? readRetryDelayMs(details) : undefined;
}
