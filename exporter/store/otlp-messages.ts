import protobuf from "protobufjs/light.js";

/*
 * The part of OTLP that a trace receiver needs, written from the protocol's specification
 * (opentelemetry/proto/{common,resource,trace}/v1 and collector/trace/v1). Fields that we do not keep are
 * left out: protobuf readers skip unknown fields.
 */

type FieldTable = Readonly<Record<string, readonly [number: number, type: string, rule?: "repeated"]>>;

const MESSAGES: Readonly<Record<string, FieldTable>> = {
  ExportTraceServiceRequest: { resourceSpans: [1, "ResourceSpans", "repeated"] },
  ExportTraceServiceResponse: { partialSuccess: [1, "ExportTracePartialSuccess"] },
  ExportTracePartialSuccess: { rejectedSpans: [1, "int64"], errorMessage: [2, "string"] },
  ResourceSpans: { resource: [1, "Resource"], scopeSpans: [2, "ScopeSpans", "repeated"] },
  Resource: { attributes: [1, "KeyValue", "repeated"] },
  ScopeSpans: { scope: [1, "InstrumentationScope"], spans: [2, "Span", "repeated"] },
  InstrumentationScope: { name: [1, "string"], version: [2, "string"] },
  Span: {
    traceId: [1, "bytes"],
    spanId: [2, "bytes"],
    parentSpanId: [4, "bytes"],
    name: [5, "string"],
    kind: [6, "int32"],
    startTimeUnixNano: [7, "fixed64"],
    endTimeUnixNano: [8, "fixed64"],
    attributes: [9, "KeyValue", "repeated"],
    events: [11, "Event", "repeated"],
    links: [13, "Link", "repeated"],
    status: [15, "Status"],
  },
  Event: { timeUnixNano: [1, "fixed64"], name: [2, "string"], attributes: [3, "KeyValue", "repeated"] },
  Link: { traceId: [1, "bytes"], spanId: [2, "bytes"], attributes: [4, "KeyValue", "repeated"] },
  Status: { message: [2, "string"], code: [3, "int32"] },
  KeyValue: { key: [1, "string"], value: [2, "AnyValue"] },
  ArrayValue: { values: [1, "AnyValue", "repeated"] },
  KeyValueList: { values: [1, "KeyValue", "repeated"] },
  /** google.rpc.Status: the body of an error over OTLP/HTTP */
  RpcStatus: { code: [1, "int32"], message: [2, "string"] },
};

const ANY_VALUE: FieldTable = {
  stringValue: [1, "string"],
  boolValue: [2, "bool"],
  intValue: [3, "int64"],
  doubleValue: [4, "double"],
  arrayValue: [5, "ArrayValue"],
  kvlistValue: [6, "KeyValueList"],
  bytesValue: [7, "bytes"],
};

function createType(name: string, fields: FieldTable): protobuf.Type {
  const type = new protobuf.Type(name);
  for (const [field, [number, fieldType, rule]] of Object.entries(fields)) {
    type.add(new protobuf.Field(field, number, fieldType, rule));
  }
  return type;
}

function createRoot(): protobuf.Root {
  const root = new protobuf.Root();
  for (const [name, fields] of Object.entries(MESSAGES)) root.add(createType(name, fields));
  const anyValue = createType("AnyValue", ANY_VALUE);
  // A oneof, so that a set zero or empty string is told from a value that is not there.
  anyValue.add(new protobuf.OneOf("value", Object.keys(ANY_VALUE)));
  root.add(anyValue);
  root.resolveAll();
  return root;
}

const root = createRoot();

export const exportTraceServiceRequest = root.lookupType("ExportTraceServiceRequest");
export const exportTraceServiceResponse = root.lookupType("ExportTraceServiceResponse");
export const rpcStatus = root.lookupType("RpcStatus");
