import { type Attributes, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";
import type { Identity } from "../../exporter/enrich/identity.js";
import { scope } from "../../exporter/export/scope.js";
import { formatSpanId, listAttributes } from "../../exporter/map/list-attributes.js";
import type { JourneySpans, PacketSpan } from "../../exporter/map/packet-span.js";

const resources = new WeakMap<Identity, Resource>();
const instrumentationScope = { ...scope };

/** The journey as the spans of the official SDK, for its serializer to encode. */
export function toReadableSpans(journeySpans: JourneySpans): ReadableSpan[] {
  return journeySpans.spans.map((span) => toReadableSpan(span, journeySpans));
}

function toReadableSpan(span: PacketSpan, journeySpans: JourneySpans): ReadableSpan {
  const parent = journeySpans.spans[span.parent];
  const traceId = Buffer.from(journeySpans.traceId).toString("hex");
  const attributes: Attributes = {};
  for (const { definition, value } of listAttributes(span))
    attributes[definition.key] = typeof value === "object" ? [...value] : value;
  const contextOf = (of: PacketSpan) => ({ traceId, spanId: formatSpanId(of), traceFlags: TraceFlags.SAMPLED });
  const remote = (spanId: Uint8Array, of: Uint8Array, traceFlags: number) => ({
    traceId: Buffer.from(of).toString("hex"),
    spanId: Buffer.from(spanId).toString("hex"),
    traceFlags,
    isRemote: true,
  });
  const { parentSpanId, links } = journeySpans;
  const joined = parentSpanId && remote(parentSpanId, journeySpans.traceId, TraceFlags.SAMPLED);
  const parentContext = parent ? contextOf(parent) : joined;
  return {
    name: span.shape.name,
    kind: SpanKind.INTERNAL,
    spanContext: () => contextOf(span),
    ...(parentContext ? { parentSpanContext: parentContext } : {}),
    startTime: toHrTime(journeySpans.startRealtimeNs + BigInt(span.startOffsetNs)),
    endTime: toHrTime(journeySpans.startRealtimeNs + BigInt(span.endOffsetNs)),
    status: span.fault
      ? { code: SpanStatusCode.ERROR, message: span.fault.description }
      : { code: SpanStatusCode.UNSET },
    attributes,
    links: parent ? [] : links.map((link) => ({ context: remote(link.spanId, link.traceId, link.traceFlags) })),
    events: [],
    duration: [0, span.durationNs],
    ended: true,
    resource: resourceOf(span.shape.identity),
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function resourceOf(identity: Identity): Resource {
  let resource = resources.get(identity);
  if (!resource) {
    resource = resourceFromAttributes({ ...identity.attributes });
    resources.set(identity, resource);
  }
  return resource;
}

function toHrTime(timeNs: bigint): [number, number] {
  return [Number(timeNs / 1_000_000_000n), Number(timeNs % 1_000_000_000n)];
}
