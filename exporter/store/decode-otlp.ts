import { createHash } from "node:crypto";
import { exportTraceServiceRequest } from "./otlp-messages.js";
import type {
  Attributes,
  AttributeValue,
  DecodedRequest,
  EventRecord,
  LinkRecord,
  ResourceRecord,
  ScopeRecord,
  SpanRecord,
} from "./span-record.js";

/** A request that is not OTLP; `message` says where and what was expected. */
export class OtlpDecodeError extends Error {
  override readonly name = "OtlpDecodeError";
}

/*
 * Protobuf and JSON give the same tree of plain objects with the same field names, except for ids (bytes or
 * hex), 64-bit integers (Long or string) and enums; so one reader serves both, told apart by `idsAre`.
 */
type Tree = Readonly<Record<string, unknown>>;
type Encoding = "bytes" | "hex";

/** Throws OtlpDecodeError when the bytes are not an ExportTraceServiceRequest. */
export function decodeOtlpProtobuf(bytes: Uint8Array): DecodedRequest {
  let message: unknown;
  try {
    message = exportTraceServiceRequest.decode(bytes);
  } catch (error) {
    throw new OtlpDecodeError(`the body is not a protobuf ExportTraceServiceRequest: ${messageOf(error)}`);
  }
  return readRequest(message, "bytes");
}

/** Throws OtlpDecodeError when the text is not the JSON form of an ExportTraceServiceRequest. */
export function decodeOtlpJson(text: string): DecodedRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new OtlpDecodeError(`the body is not JSON: ${messageOf(error)}`);
  }
  return readRequest(value, "hex");
}

function readRequest(value: unknown, idsAre: Encoding): DecodedRequest {
  const request = asTree(value, "the request");
  const reader = new RequestReader(idsAre);
  for (const resourceSpans of asList(request["resourceSpans"], "resourceSpans")) reader.readResource(resourceSpans);
  return { spans: reader.spans, rejectedSpans: reader.rejectedSpans, rejectedReason: reader.rejectedReason };
}

class RequestReader {
  readonly spans: SpanRecord[] = [];
  rejectedSpans = 0;
  rejectedReason = "";

  constructor(private readonly idsAre: Encoding) {}

  readResource(value: unknown): void {
    const resourceSpans = asTree(value, "resourceSpans");
    const resource = readResource(resourceSpans["resource"]);
    for (const item of asList(resourceSpans["scopeSpans"], "scopeSpans")) {
      const scopeSpans = asTree(item, "scopeSpans");
      const scope = readScope(scopeSpans["scope"]);
      for (const span of asList(scopeSpans["spans"], "spans")) this.readSpan(asTree(span, "span"), resource, scope);
    }
  }

  private readSpan(span: Tree, resource: ResourceRecord, scope: ScopeRecord): void {
    const traceId = readId(span["traceId"], this.idsAre);
    const spanId = readId(span["spanId"], this.idsAre);
    if (!isId(traceId, 16)) return this.reject(`a trace id has 16 bytes, not all zero; got "${traceId}"`);
    if (!isId(spanId, 8)) return this.reject(`a span id has 8 bytes, not all zero; got "${spanId}"`);
    const parentSpanId = readId(span["parentSpanId"], this.idsAre);
    const status = span["status"] == null ? {} : asTree(span["status"], "status");
    const startUnixNs = readInteger(span["startTimeUnixNano"], "startTimeUnixNano");
    const endUnixNs = readInteger(span["endTimeUnixNano"], "endTimeUnixNano");
    this.spans.push({
      traceId,
      spanId,
      parentSpanId: isId(parentSpanId, 8) ? parentSpanId : "",
      name: readString(span["name"], "name"),
      kind: Number(readInteger(span["kind"], "kind")),
      startUnixNs,
      endUnixNs: notBefore(endUnixNs, startUnixNs),
      attributes: readAttributes(span["attributes"]),
      events: asList(span["events"], "events").map(readEvent),
      links: asList(span["links"], "links").map((link) => readLink(link, this.idsAre)),
      statusCode: Number(readInteger(status["code"], "status.code")),
      statusMessage: readString(status["message"], "status.message"),
      resource,
      scope,
    });
  }

  private reject(reason: string): void {
    this.rejectedSpans++;
    this.rejectedReason ||= reason;
  }
}

function readResource(value: unknown): ResourceRecord {
  const attributes = value == null ? {} : readAttributes(asTree(value, "resource")["attributes"]);
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  const identity = createHash("sha1").update(JSON.stringify(sorted)).digest("hex").slice(0, 12);
  return { identity, attributes };
}

function readScope(value: unknown): ScopeRecord {
  const scope = value == null ? {} : asTree(value, "scope");
  return { name: readString(scope["name"], "scope.name"), version: readString(scope["version"], "scope.version") };
}

function readEvent(value: unknown): EventRecord {
  const event = asTree(value, "event");
  return {
    unixNs: readInteger(event["timeUnixNano"], "timeUnixNano"),
    name: readString(event["name"], "event.name"),
    attributes: readAttributes(event["attributes"]),
  };
}

function readLink(value: unknown, idsAre: Encoding): LinkRecord {
  const link = asTree(value, "link");
  return {
    traceId: readId(link["traceId"], idsAre),
    spanId: readId(link["spanId"], idsAre),
    attributes: readAttributes(link["attributes"]),
  };
}

function readAttributes(value: unknown): Attributes {
  // No prototype: a sender may name an attribute "__proto__" or "constructor".
  const attributes: Record<string, AttributeValue> = Object.create(null);
  for (const item of asList(value, "attributes")) {
    const pair = asTree(item, "attribute");
    attributes[readString(pair["key"], "attribute key")] = readAnyValue(pair["value"]);
  }
  return attributes;
}

function readAnyValue(value: unknown): AttributeValue {
  if (value == null) return null;
  const any = asTree(value, "attribute value");
  if (isSet(any, "stringValue")) return readString(any["stringValue"], "stringValue");
  if (isSet(any, "boolValue")) return any["boolValue"] === true;
  if (isSet(any, "intValue")) return toSafeNumber(readInteger(any["intValue"], "intValue"));
  if (isSet(any, "doubleValue")) return readDouble(any["doubleValue"]);
  if (isSet(any, "arrayValue")) {
    return asList(asTree(any["arrayValue"], "arrayValue")["values"], "arrayValue.values").map(readAnyValue);
  }
  if (isSet(any, "kvlistValue")) return readAttributes(asTree(any["kvlistValue"], "kvlistValue")["values"]);
  if (isSet(any, "bytesValue")) return readBase64(any["bytesValue"]);
  return null;
}

/** Own, because a decoded message has the defaults of unset fields on its prototype. */
function isSet(tree: Tree, key: string): boolean {
  return Object.hasOwn(tree, key) && tree[key] != null;
}

function readBase64(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : readString(value, "bytesValue");
}

function readDouble(value: unknown): number | string {
  const number = typeof value === "number" ? value : Number(readString(value, "doubleValue"));
  // JSON has no NaN and no infinities; the page gets the words.
  return Number.isFinite(number) ? number : String(number);
}

function readId(value: unknown, idsAre: Encoding): string {
  if (value == null) return "";
  if (idsAre === "hex") return readString(value, "id").toLowerCase();
  // protobufjs gives an empty list for bytes that are not there.
  if (Array.isArray(value) && value.length === 0) return "";
  if (!(value instanceof Uint8Array)) throw new OtlpDecodeError("an id must be bytes");
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString("hex");
}

function isId(id: string, bytes: number): boolean {
  return id.length === bytes * 2 && /^[0-9a-f]+$/.test(id) && /[1-9a-f]/.test(id);
}

/** Clocks are set while spans last; the page cannot draw a span that ends before it starts. */
function notBefore(endUnixNs: bigint, startUnixNs: bigint): bigint {
  if (endUnixNs >= startUnixNs) return endUnixNs;
  return startUnixNs;
}

interface LongLike {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

function isLong(value: unknown): value is LongLike {
  return typeof value === "object" && value !== null && "low" in value && "high" in value;
}

function readInteger(value: unknown, what: string): bigint {
  if (value == null) return 0n;
  if (isLong(value)) {
    const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
    return value.unsigned ? bits : BigInt.asIntN(64, bits);
  }
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw new OtlpDecodeError(`${what} must be an integer, got ${JSON.stringify(value)}`);
}

function toSafeNumber(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function readString(value: unknown, what: string): string {
  if (value == null) return "";
  if (typeof value !== "string") throw new OtlpDecodeError(`${what} must be a string, got ${JSON.stringify(value)}`);
  return value;
}

function asList(value: unknown, what: string): readonly unknown[] {
  if (value == null) return [];
  if (!Array.isArray(value)) throw new OtlpDecodeError(`${what} must be a list`);
  return value;
}

function asTree(value: unknown, what: string): Tree {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new OtlpDecodeError(`${what} must be an object`);
  }
  return value as Tree;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
