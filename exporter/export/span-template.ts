import { type AttributeDefinition, attributes } from "../map/attributes.js";
import type { SpanShape } from "../map/packet-span.js";
import { encodeSpanAttribute } from "./encode-attribute.js";
import { JOINED_SPAN_FLAGS, SPAN_FLAGS, SPAN_KIND_INTERNAL } from "./otlp-constants.js";
import { integerField, lengthDelimited, PADDED_INT_BYTES, PADDED_LENGTH_BYTES } from "./protobuf-writer.js";

/**
 * The bytes of a span of a shape, with room for what differs: to encode a span is to copy them and patch the room.
 *
 *   2: Span (of ScopeSpans)  { 1: trace id  2: span id  [4: parent]  16: flags  5: name  6: kind  7: start  8: end
 *                              [9: hop.offset_ns  9: hop.duration_ns]  9: constant attributes ... }
 */
export interface SpanTemplate {
  readonly bytes: Uint8Array;
  /** Places of what is to be patched. 0: this shape has none. */
  readonly lengthAt: number;
  readonly traceIdAt: number;
  readonly spanIdAt: number;
  readonly parentIdAt: number;
  readonly startAt: number;
  readonly endAt: number;
  readonly offsetAt: number;
  readonly durationAt: number;
  /** Of a root: the same with a parent in another process, made when it is needed first. */
  joined: SpanTemplate | undefined;
}

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const FIXED64_BYTES = 8;
const FLAGS_TAG = [0x85, 0x01];

/** The template of a shape, made once. */
export function templateOf(shape: SpanShape): SpanTemplate {
  if (shape.encoded === undefined) shape.encoded = makeTemplate(shape, shape.kind !== "root", SPAN_FLAGS);
  return shape.encoded as SpanTemplate;
}

/** Of a root whose parent is an application's span. */
export function joinedTemplateOf(shape: SpanShape): SpanTemplate {
  const template = templateOf(shape);
  template.joined ??= makeTemplate(shape, true, JOINED_SPAN_FLAGS);
  return template.joined;
}

function makeTemplate(shape: SpanShape, hasParent: boolean, flags: number): SpanTemplate {
  const parts: Uint8Array[] = [];
  let length = 0;
  /** Adds bytes and gives the place where they end. */
  const add = (bytes: Uint8Array): number => {
    parts.push(bytes);
    length += bytes.length;
    return length;
  };
  const lengthAt = add(Uint8Array.of(0x12));
  add(new Uint8Array(PADDED_LENGTH_BYTES));
  const traceIdAt = add(lengthDelimited(1, new Uint8Array(TRACE_ID_BYTES))) - TRACE_ID_BYTES;
  const spanIdAt = add(lengthDelimited(2, new Uint8Array(SPAN_ID_BYTES))) - SPAN_ID_BYTES;
  const isRoot = shape.kind === "root";
  const parentIdAt = !hasParent ? 0 : add(lengthDelimited(4, new Uint8Array(SPAN_ID_BYTES))) - SPAN_ID_BYTES;
  add(Uint8Array.of(...FLAGS_TAG, flags & 0xff, flags >> 8, 0, 0));
  add(lengthDelimited(5, shape.name));
  add(integerField(6, SPAN_KIND_INTERNAL));
  const startAt = add(Uint8Array.of(0x39, ...new Uint8Array(FIXED64_BYTES))) - FIXED64_BYTES;
  const endAt = add(Uint8Array.of(0x41, ...new Uint8Array(FIXED64_BYTES))) - FIXED64_BYTES;
  const offsetAt = isRoot ? 0 : add(paddedAttribute(attributes.hopOffset)) - PADDED_INT_BYTES;
  const durationAt = isRoot ? 0 : add(paddedAttribute(attributes.hopDuration)) - PADDED_INT_BYTES;
  for (const attribute of shape.attributes) add(encodeSpanAttribute(attribute));
  const bytes = new Uint8Array(Buffer.concat(parts));
  return { bytes, lengthAt, traceIdAt, spanIdAt, parentIdAt, startAt, endAt, offsetAt, durationAt, joined: undefined };
}

/** An integer attribute whose last 8 bytes are its value, padded. */
function paddedAttribute(definition: AttributeDefinition): Uint8Array {
  const value = Uint8Array.of(0x18, ...new Uint8Array(PADDED_INT_BYTES));
  return lengthDelimited(9, Buffer.concat([lengthDelimited(1, definition.key), lengthDelimited(2, value)]));
}
