import { attributes } from "./attributes.js";
import { type Attribute, createAttribute, type PacketSpan } from "./packet-span.js";

/** All attributes of a span, those that it shares with others included. */
export function listAttributes(span: PacketSpan): Attribute[] {
  const list: Attribute[] = [];
  if (span.shape.kind !== "root") {
    list.push(createAttribute(attributes.hopOffset, Math.max(0, span.startOffsetNs)));
    list.push(createAttribute(attributes.hopDuration, Math.max(0, span.durationNs)));
  }
  list.push(...span.shape.attributes);
  if (span.group) list.push(...span.group.attributes);
  if (span.extra) list.push(...span.extra);
  return list;
}

/** 16 hexadecimal digits. */
export function formatSpanId(span: PacketSpan): string {
  return (span.idHigh >>> 0).toString(16).padStart(8, "0") + (span.idLow >>> 0).toString(16).padStart(8, "0");
}
