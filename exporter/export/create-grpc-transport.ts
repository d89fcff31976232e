import { credentials, type Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { convertLegacyOtlpGrpcOptions, createOtlpGrpcExportDelegate } from "@opentelemetry/otlp-grpc-exporter-base";
import {
  type IExportTraceServiceResponse,
  type ISerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import { acceptedOutcome } from "./accepted-outcome.js";
import type { OtlpRequest, OtlpTransport, SendOutcome } from "./otlp-request.js";
import type { OtlpSettings } from "./read-otlp-settings.js";
import { readRetryDelayMs } from "./read-retry-info.js";
import { scope } from "./scope.js";

/** By the OTLP specification; RESOURCE_EXHAUSTED besides, when the server says when to come back. */
const retryableCodes: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

interface Attempt {
  readonly outcome: SendOutcome;
  /** No answer came: what is wrong may be the connection. */
  readonly isUnanswered: boolean;
}

interface Connection {
  attempt(request: OtlpRequest): Promise<Attempt>;
  close(): Promise<void>;
}

/**
 * Sends through the official exporter's delegate, which reads all OTEL_EXPORTER_OTLP_* settings: endpoint, TLS, headers,
 * compression, timeout. It is given bytes instead of spans.
 *
 * An attempt that got no answer makes the next one take a new connection. The delegate lets nobody set keepalive, so a
 * connection whose other end is gone without a word would be used until TCP gives up; and grpc-js by itself waits up to two
 * minutes between attempts to connect, and asks for the name's address again only then.
 */
export function createGrpcTransport(settings: OtlpSettings): OtlpTransport {
  let connections = 1;
  let current = connect(settings, connections);
  return {
    endpoint: configure(settings, connections).url,
    async send(request) {
      const used = current;
      const { outcome, isUnanswered } = await used.attempt(request);
      if (isUnanswered && used === current) {
        current = connect(settings, ++connections);
        // Waits for what else is under way there.
        void used.close().catch(() => undefined);
      }
      return outcome;
    },
    close: () => current.close(),
  };
}

function configure({ url, usesTls }: OtlpSettings, connection: number) {
  const isPlainSocket = url?.startsWith("unix:") && !usesTls;
  return convertLegacyOtlpGrpcOptions(
    {
      ...(url === undefined ? {} : { url }),
      ...(isPlainSocket ? { credentials: credentials.createInsecure() } : {}),
      // grpc-js keeps connections in a pool of the process, where clients with the same settings find the old one.
      userAgent: `${scope.name}/${scope.version}${connection === 1 ? "" : ` (connection ${connection})`}`,
    },
    "TRACES",
  );
}

function connect(settings: OtlpSettings, connection: number): Connection {
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
    configure(settings, connection),
    serializer,
    "otlp_grpc_span_exporter",
    { name: "span", countItems: (request: OtlpRequest) => request.spans },
    undefined,
    "TraceExportService",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  );
  return {
    attempt(request) {
      return new Promise((resolve) => {
        delegate.export(request, (result) => {
          const response = latest;
          latest = undefined;
          if (result.code === 0) resolve({ outcome: acceptedOutcome(response), isUnanswered: false });
          else resolve(failedAttempt(result.error));
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

function failedAttempt(error: Error | undefined): Attempt {
  if (!isServiceError(error))
    return { outcome: { kind: "refused", message: error?.message ?? "unknown error" }, isUnanswered: false };
  const message = `${status[error.code] ?? error.code}: ${error.details}`;
  const isUnanswered = isMadeHere(error);
  const delayMs = readDelay(error.metadata);
  const isRetryable =
    retryableCodes.has(error.code) ||
    (error.code === status.RESOURCE_EXHAUSTED && delayMs !== undefined) ||
    // A connection that broke may read as INTERNAL; a server that means it answers in words of its own.
    (error.code === status.INTERNAL && isUnanswered);
  if (!isRetryable) return { outcome: { kind: "refused", message }, isUnanswered };
  return { outcome: { kind: "retry", message, ...(delayMs === undefined ? {} : { delayMs }) }, isUnanswered };
}

/** Whether the status is grpc-js's own: a server's comes with headers. */
function isMadeHere({ metadata }: ServiceError): boolean {
  return metadata === undefined || Object.keys(metadata.getMap()).length === 0;
}

function isServiceError(error: Error | undefined): error is ServiceError {
  return error !== undefined && "code" in error && typeof error.code === "number";
}

function readDelay(metadata: Metadata | undefined): number | undefined {
  const details = metadata?.get("grpc-status-details-bin")[0];
  return details instanceof Uint8Array ? readRetryDelayMs(details) : undefined;
}
