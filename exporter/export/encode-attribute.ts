import type { Identity } from "../enrich/identity.js";
import type { Attribute, AttributeGroup } from "../map/packet-span.js";
import { integerField, lengthDelimited } from "./protobuf-writer.js";

type Value = Attribute["value"];

/** opentelemetry.proto.common.v1.KeyValue */
export function encodeKeyValue(key: string, value: Value): Uint8Array {
  return Buffer.concat([lengthDelimited(1, key), lengthDelimited(2, encodeAnyValue(value))]);
}

/** opentelemetry.proto.common.v1.AnyValue */
function encodeAnyValue(value: Value): Uint8Array {
  if (typeof value === "string") return lengthDelimited(1, value);
  if (typeof value === "boolean") return integerField(2, value ? 1 : 0);
  if (typeof value === "number") return integerField(3, value);
  return lengthDelimited(5, Buffer.concat(value.map((item) => lengthDelimited(1, encodeAnyValue(item)))));
}

const SPAN_ATTRIBUTES_TAG = 0x4a;
const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
const STRING_TAG = 0x0a;
const INT_TAG = 0x18;
const MAX_SHORT = 0x7f;

const keys = new Map<string, Uint8Array>();

/** The attribute as a field of a span, encoded once. */
export function encodeSpanAttribute(attribute: Attribute): Uint8Array {
  if (attribute.encoded) return attribute.encoded;
  const { definition, value } = attribute;
  const encoded = encodeShort(definition.key, value) ?? lengthDelimited(9, encodeKeyValue(definition.key, value));
  attribute.encoded = encoded;
  return encoded;
}

/** The usual case, where all lengths fit into one byte: ASCII texts and non-negative integers. */
function encodeShort(key: string, value: Value): Uint8Array | undefined {
  if (typeof value === "number") return value < 0 || key.length > 64 ? undefined : encodeShortInteger(key, value);
  if (typeof value !== "string" || value.length + key.length > 100) return undefined;
  const keyBytes = bytesOfKey(key);
  const bytes = new Uint8Array(keyBytes.length + 8 + value.length);
  let at = 2;
  bytes.set(keyBytes, at);
  at += keyBytes.length;
  bytes[at] = VALUE_TAG;
  bytes[at + 1] = value.length + 2;
  bytes[at + 2] = STRING_TAG;
  bytes[at + 3] = value.length;
  at += 4;
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code > MAX_SHORT) return undefined;
    bytes[at++] = code;
  }
  return finishShort(bytes, at);
}

function encodeShortInteger(key: string, value: number): Uint8Array {
  const keyBytes = bytesOfKey(key);
  const bytes = new Uint8Array(keyBytes.length + 16);
  bytes.set(keyBytes, 2);
  const valueAt = 2 + keyBytes.length;
  let at = valueAt + 3;
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest <= MAX_SHORT) {
      bytes[at++] = rest;
      break;
    }
    bytes[at++] = (rest % 128) | 0x80;
  }
  bytes[valueAt] = VALUE_TAG;
  bytes[valueAt + 1] = at - valueAt - 2;
  bytes[valueAt + 2] = INT_TAG;
  return finishShort(bytes, at);
}

function finishShort(bytes: Uint8Array, end: number): Uint8Array {
  bytes[0] = SPAN_ATTRIBUTES_TAG;
  bytes[1] = end - 2;
  return bytes.subarray(0, end);
}

function bytesOfKey(key: string): Uint8Array {
  let bytes = keys.get(key);
  if (!bytes) {
    bytes = Uint8Array.from([KEY_TAG, key.length, ...Buffer.from(key, "latin1")]);
    keys.set(key, bytes);
  }
  return bytes;
}

const SLAB_BYTES = 64 * 1024;
let slab = new Uint8Array(SLAB_BYTES);
let slabUsed = 0;

/** Bytes for a journey's life: cut from slabs, since an allocation of their own for each costs more than writing them. */
function allocate(length: number): Uint8Array {
  if (length > SLAB_BYTES / 4) return new Uint8Array(length);
  if (slabUsed + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  slabUsed += length;
  return slab.subarray(slabUsed - length, slabUsed);
}

/** The group's attributes as fields of a span, encoded once. */
export function encodeGroup(group: AttributeGroup): Uint8Array {
  if (group.encoded) return group.encoded;
  let length = 0;
  for (const attribute of group.attributes) length += encodeSpanAttribute(attribute).length;
  const encoded = allocate(length);
  let at = 0;
  for (const attribute of group.attributes) {
    const bytes = encodeSpanAttribute(attribute);
    encoded.set(bytes, at);
    at += bytes.length;
  }
  group.encoded = encoded;
  return encoded;
}

const resources = new WeakMap<Identity, Uint8Array>();

/** opentelemetry.proto.resource.v1.Resource, as a field of ResourceSpans. */
export function encodeResource(identity: Identity): Uint8Array {
  let encoded = resources.get(identity);
  if (!encoded) {
    const fields = Object.entries(identity.attributes).map(([key, value]) => lengthDelimited(1, encodeKeyValue(key, value)));
    encoded = lengthDelimited(1, Buffer.concat(fields));
    resources.set(identity, encoded);
  }
  return encoded;
}
