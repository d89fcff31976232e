import { attributes } from "./attributes.js";
import type { Attribute, PacketSpan } from "./packet-span.js";

/** What `skb.changed` says on the span. */
export function changesOf(span: PacketSpan): readonly string[] {
  const value = span.extra?.find(({ definition }) => definition === attributes.skbChanged)?.value;
  return typeof value === "object" ? value : [];
}

/** What tells that the packet was dropped there, and why. */
export function dropMarksOf(span: PacketSpan): readonly Attribute[] {
  return span.extra?.filter(({ definition }) => definition.on.includes("drop")) ?? [];
}
