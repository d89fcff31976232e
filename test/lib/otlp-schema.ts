import protobuf from "protobufjs";

/** OTLP's trace messages, written from the specification: an oracle that shares nothing with the encoder. */
const proto = `
syntax = "proto3";
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ExportTraceServiceResponse { ExportTracePartialSuccess partial_success = 1; }
message ExportTracePartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message InstrumentationScope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
message Span {
  bytes trace_id = 1;
  bytes span_id = 2;
  string trace_state = 3;
  bytes parent_span_id = 4;
  string name = 5;
  int32 kind = 6;
  fixed64 start_time_unix_nano = 7;
  fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10;
  repeated Event events = 11;
  uint32 dropped_events_count = 12;
  repeated Link links = 13;
  uint32 dropped_links_count = 14;
  Status status = 15;
  fixed32 flags = 16;
}
message Event { fixed64 time_unix_nano = 1; string name = 2; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; fixed32 flags = 6; }
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value {
    string string_value = 1;
    bool bool_value = 2;
    int64 int_value = 3;
    double double_value = 4;
    ArrayValue array_value = 5;
    bytes bytes_value = 7;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
`;

/** The rest of a span is skipped: a request can have ten thousand of them. */
const traceIdsProto = `
syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { repeated ScopeSpans scope_spans = 2; }
message ScopeSpans { repeated Span spans = 2; }
message Span { bytes trace_id = 1; }
`;
const traceIdsType = protobuf.parse(traceIdsProto).root.lookupType("Request");

const root = protobuf.parse(proto).root;
const requestType = root.lookupType("ExportTraceServiceRequest");
const responseType = root.lookupType("ExportTraceServiceResponse");

export type PlainObject = { readonly [key: string]: Plain };
export type Plain = string | number | boolean | PlainObject | readonly Plain[];

/** The request as plain objects: bytes in hexadecimal, 64-bit integers as strings, zero and empty fields left out. */
export function decodeRequest(bytes: Uint8Array): PlainObject {
  const message = requestType.decode(bytes);
  return prune(requestType.toObject(message, { longs: String }), "") as PlainObject;
}

export function encodePartialSuccess(rejectedSpans: number, errorMessage: string): Uint8Array {
  return responseType.encode(responseType.create({ partialSuccess: { rejectedSpans, errorMessage } })).finish();
}

/** The spans of a decoded request, in order. */
export function spansOf(request: PlainObject): PlainObject[] {
  const resources = (request["resourceSpans"] ?? []) as readonly PlainObject[];
  const scopes = resources.flatMap((resource) => (resource["scopeSpans"] ?? []) as readonly PlainObject[]);
  return scopes.flatMap((scope) => (scope["spans"] ?? []) as readonly PlainObject[]);
}

/** Of the traces in a request, each once, in hexadecimal. */
export function traceIdsOf(bytes: Uint8Array): Set<string> {
  const ids = new Set<string>();
  const { resourceSpans } = traceIdsType.decode(bytes) as unknown as TraceIds;
  for (const { scopeSpans } of resourceSpans)
    for (const { spans } of scopeSpans) for (const { traceId } of spans) ids.add(Buffer.from(traceId).toString("hex"));
  return ids;
}

interface TraceIds {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly { readonly traceId: Uint8Array }[] }[];
  }[];
}

/** Values of attributes are kept even when they are zero: they were given. */
function prune(value: unknown, key: string): Plain | undefined {
  if (value instanceof Uint8Array) return value.length === 0 ? undefined : Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => prune(item, key) ?? {});
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).flatMap(([name, inner]): [string, Plain][] => {
      const pruned = prune(inner, name);
      return pruned === undefined ? [] : [[name, pruned]];
    });
    return entries.length === 0 && key === "status" ? undefined : Object.fromEntries(entries);
  }
  const isValue = key.endsWith("Value");
  if (!isValue && (value === 0 || value === "" || value === "0" || value === false)) return undefined;
  return value as Plain;
}
