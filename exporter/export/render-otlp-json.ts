import type { Identity } from "../enrich/identity.js";
import { formatSpanId, listAttributes } from "../map/list-attributes.js";
import type { Attribute, JourneySpans, PacketSpan, SpanLink } from "../map/packet-span.js";
import { JOINED_SPAN_FLAGS, LINK_FLAGS, SPAN_FLAGS, SPAN_KIND_INTERNAL, STATUS_CODE_ERROR } from "./otlp-constants.js";
import { scope } from "./scope.js";

type AnyValue =
  | { stringValue: string }
  | { intValue: string }
  | { boolValue: boolean }
  | { arrayValue: { values: AnyValue[] } };

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

/** An ExportTraceServiceRequest as OTLP's JSON encoding has it: ids in hexadecimal, 64-bit integers as strings. */
export function renderOtlpJson(journeySpans: JourneySpans): object {
  const byIdentity = new Map<Identity, object[]>();
  for (const span of journeySpans.spans) {
    const list = byIdentity.get(span.shape.identity);
    const rendered = renderSpan(span, journeySpans);
    if (list) list.push(rendered);
    else byIdentity.set(span.shape.identity, [rendered]);
  }
  const resourceSpans = [...byIdentity].map(([identity, spans]) => ({
    resource: { attributes: Object.entries(identity.attributes).map(([key, value]) => renderKeyValue(key, value)) },
    scopeSpans: [{ scope, spans }],
  }));
  return { resourceSpans };
}

function renderSpan(span: PacketSpan, journeySpans: JourneySpans): object {
  const parent = journeySpans.spans[span.parent];
  const { startRealtimeNs, parentSpanId, links } = journeySpans;
  const parentId = parent ? formatSpanId(parent) : parentSpanId && toHex(parentSpanId);
  return {
    traceId: toHex(journeySpans.traceId),
    spanId: formatSpanId(span),
    ...(parentId ? { parentSpanId: parentId } : {}),
    flags: !parent && parentSpanId ? JOINED_SPAN_FLAGS : SPAN_FLAGS,
    name: span.shape.name,
    kind: SPAN_KIND_INTERNAL,
    startTimeUnixNano: String(startRealtimeNs + BigInt(span.startOffsetNs)),
    endTimeUnixNano: String(startRealtimeNs + BigInt(span.endOffsetNs)),
    attributes: listAttributes(span).map((attribute) => renderKeyValue(attribute.definition.key, attribute.value)),
    ...(!parent && links.length > 0 ? { links: links.map(renderLink) } : {}),
    ...(span.fault ? { status: { code: STATUS_CODE_ERROR, message: span.fault.description } } : {}),
  };
}

function renderLink({ traceId, spanId, traceFlags }: SpanLink): object {
  return { traceId: toHex(traceId), spanId: toHex(spanId), flags: LINK_FLAGS | traceFlags };
}

function toHex(id: Uint8Array): string {
  return Buffer.from(id).toString("hex");
}

function renderKeyValue(key: string, value: Attribute["value"]): KeyValue {
  return { key, value: renderValue(value) };
}

function renderValue(value: Attribute["value"]): AnyValue {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "number") return { intValue: String(value) };
  if (typeof value === "boolean") return { boolValue: value };
  return { arrayValue: { values: value.map(renderValue) } };
}
