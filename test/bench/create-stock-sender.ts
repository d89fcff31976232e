import {
  type Attributes,
  type HrTime,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  RandomIdGenerator,
  type ReadableSpan,
} from "@opentelemetry/sdk-trace-node";
import { listAttributes } from "../../exporter/map/list-attributes.js";
import type { JourneySpans, PacketSpan } from "../../exporter/map/packet-span.js";

/** A span in the terms of the OpenTelemetry API. */
export interface ApiSpan {
  readonly name: string;
  /** Place of the parent among the journey's spans, -1 for the root. */
  readonly parent: number;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly attributes: Attributes;
  readonly fault: string | undefined;
}

export interface ApiJourney {
  readonly traceId: string;
  readonly spans: readonly ApiSpan[];
}

/** The same spans through the tracer, the batch processor and the exporter as they come, with queues that lose nothing. */
export interface StockSender {
  send(journey: ApiJourney): void;
  flush(): Promise<void>;
  close(): Promise<void>;
  /** Spans that the receiver accepted. */
  readonly sentSpans: number;
}

const MAX_QUEUED_SPANS = 1_000_000;
const BATCH_SPANS = 2000;
/** The flush sends all that is queued at once; with the default of 30 it would lose the rest. */
const CONCURRENT_EXPORTS = 1000;
/** The default of 10 s is not enough for all of it on a busy machine. */
const EXPORT_TIMEOUT_MS = 60_000;

export function createStockSender(url: string, resource: Readonly<Record<string, string | number>>): StockSender {
  const exporter = new OTLPTraceExporter({
    url,
    concurrencyLimit: CONCURRENT_EXPORTS,
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const ids = new JourneyIds();
  let sentSpans = 0;
  const counting = {
    export(spans: ReadableSpan[], done: Parameters<typeof exporter.export>[1]) {
      exporter.export(spans, (result) => {
        if (result.code === 0) sentSpans += spans.length;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
  const processor = new BatchSpanProcessor(counting, {
    maxQueueSize: MAX_QUEUED_SPANS,
    maxExportBatchSize: BATCH_SPANS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes(resource),
    idGenerator: ids,
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer("skbspan");
  return {
    send(journey) {
      ids.traceId = journey.traceId;
      record(tracer, journey);
    },
    async flush() {
      // What it throws is a list of errors, which nobody would print.
      await provider.forceFlush().catch((errors: unknown) => {
        throw new AggregateError([errors].flat(), `the stock pipeline lost spans: ${String(errors)}`);
      });
    },
    close: () => provider.shutdown(),
    get sentSpans() {
      return sentSpans;
    },
  };
}

class JourneyIds extends RandomIdGenerator {
  traceId = "";
  override generateTraceId = (): string => this.traceId;
}

function record(tracer: Tracer, journey: ApiJourney): void {
  const contexts = [];
  for (const { name, parent, startTime, endTime, attributes, fault } of journey.spans) {
    const context = contexts[parent] ?? ROOT_CONTEXT;
    const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime, attributes }, context);
    if (fault !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: fault });
    span.end(endTime);
    contexts.push(trace.setSpanContext(ROOT_CONTEXT, span.spanContext()));
  }
}

export function toApiJourney(journey: JourneySpans): ApiJourney {
  const traceId = Buffer.from(journey.traceId).toString("hex");
  return { traceId, spans: journey.spans.map((span) => toApiSpan(span, journey.startRealtimeNs)) };
}

function toApiSpan(span: PacketSpan, startRealtimeNs: bigint): ApiSpan {
  const attributes: Attributes = {};
  for (const { definition, value } of listAttributes(span))
    attributes[definition.key] = typeof value === "object" ? [...value] : value;
  return {
    name: span.shape.name,
    parent: span.parent,
    startTime: toHrTime(startRealtimeNs + BigInt(span.startOffsetNs)),
    endTime: toHrTime(startRealtimeNs + BigInt(span.endOffsetNs)),
    attributes,
    fault: span.fault?.description,
  };
}

const NS_PER_S = 1_000_000_000n;

function toHrTime(unixNs: bigint): HrTime {
  return [Number(unixNs / NS_PER_S), Number(unixNs % NS_PER_S)];
}
