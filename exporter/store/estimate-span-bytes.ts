import type { Attributes, AttributeValue, SpanRecord } from "./span-record.js";

/** Ids, times and the objects themselves: what the heap of Node.js 20 grew by, less the attributes. */
const SPAN_BASE_BYTES = 1_000;
const VALUE_BASE_BYTES = 24;

/** About how much memory a stored span takes: good enough to bound the store, not to account for it. */
export function estimateSpanBytes(span: SpanRecord): number {
  let bytes = SPAN_BASE_BYTES + span.name.length + span.statusMessage.length + estimateValueBytes(span.attributes);
  for (const event of span.events) bytes += VALUE_BASE_BYTES + event.name.length + estimateValueBytes(event.attributes);
  for (const link of span.links) bytes += VALUE_BASE_BYTES + 48 + estimateValueBytes(link.attributes);
  return bytes;
}

function estimateValueBytes(value: AttributeValue): number {
  if (typeof value === "string") return VALUE_BASE_BYTES + value.length;
  if (typeof value !== "object" || value === null) return VALUE_BASE_BYTES;
  if (Array.isArray(value))
    return value.reduce((sum: number, item) => sum + estimateValueBytes(item), VALUE_BASE_BYTES);
  const attributes = value as Attributes;
  let bytes = VALUE_BASE_BYTES;
  // Not Object.entries: this runs for every span that comes, and would make a list for every attribute.
  for (const key in attributes) bytes += key.length + estimateValueBytes(attributes[key] ?? null);
  return bytes;
}
