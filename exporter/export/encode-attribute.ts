import type { Identity } from "../enrich/identity.js";
import type { Attribute } from "../map/packet-span.js";
import { BackwardWriter } from "./backward-writer.js";
import type { Segment } from "./segment.js";

type Value = Attribute["value"];

/** Tags of the fields: number * 8 + wire type. */
const SPAN_ATTRIBUTES_TAG = 0x4a;
const RESOURCE_TAG = 0x0a;
const RESOURCE_ATTRIBUTES_TAG = 0x0a;
const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
const STRING_TAG = 0x0a;
const BOOL_TAG = 0x10;
const INT_TAG = 0x18;
const ARRAY_TAG = 0x2a;
const ARRAY_VALUES_TAG = 0x0a;

const writer = new BackwardWriter();

/** The attribute as a field of a span, encoded once. */
export function encodeSpanAttribute(attribute: Attribute): Uint8Array {
  if (attribute.encoded) return attribute.encoded;
  writeSpanAttribute(attribute);
  attribute.encoded = writer.take();
  return attribute.encoded;
}

/** Adds the attribute to a span. What no other span has is not worth bytes of its own: they cost more than writing it. */
export function appendAttribute(segment: Segment, attribute: Attribute): void {
  if (attribute.isShared) return segment.append(encodeSpanAttribute(attribute));
  writeSpanAttribute(attribute);
  segment.append(writer.written);
  writer.clear();
}

function writeSpanAttribute({ definition, value }: Attribute): void {
  writeKeyValue(definition.key, value);
  writer.head(SPAN_ATTRIBUTES_TAG, 0);
}

/** The content of an opentelemetry.proto.common.v1.KeyValue */
function writeKeyValue(key: string, value: Value): void {
  const end = writer.mark;
  writeAnyValue(value);
  writer.head(VALUE_TAG, end);
  writeText(KEY_TAG, key);
}

/** The content of an opentelemetry.proto.common.v1.AnyValue */
function writeAnyValue(value: Value): void {
  if (typeof value === "string") return writeText(STRING_TAG, value);
  if (typeof value === "object") return writeArray(value);
  writer.varint(Number(value));
  writer.byte(typeof value === "boolean" ? BOOL_TAG : INT_TAG);
}

function writeArray(values: readonly string[]): void {
  const end = writer.mark;
  for (let index = values.length - 1; index >= 0; index--) {
    const itemEnd = writer.mark;
    writeText(STRING_TAG, values[index] as string);
    writer.head(ARRAY_VALUES_TAG, itemEnd);
  }
  writer.head(ARRAY_TAG, end);
}

function writeText(tag: number, text: string): void {
  const end = writer.mark;
  writer.text(text);
  writer.head(tag, end);
}

const resources = new WeakMap<Identity, Uint8Array>();

/** opentelemetry.proto.resource.v1.Resource, as a field of ResourceSpans. */
export function encodeResource(identity: Identity): Uint8Array {
  let encoded = resources.get(identity);
  if (!encoded) {
    for (const [key, value] of Object.entries(identity.attributes).reverse()) {
      const end = writer.mark;
      writeKeyValue(key, value);
      writer.head(RESOURCE_ATTRIBUTES_TAG, end);
    }
    writer.head(RESOURCE_TAG, 0);
    encoded = writer.take();
    resources.set(identity, encoded);
  }
  return encoded;
}
