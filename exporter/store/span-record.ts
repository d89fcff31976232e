/** A value of a span or resource attribute. Integers beyond 2^53 are decimal strings, bytes are base64. */
export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Who sent a span: one object for all spans of one ResourceSpans. */
export interface ResourceRecord {
  /** The same for resources with the same attributes, whichever request brought them. */
  readonly identity: string;
  readonly attributes: Attributes;
}

export interface ScopeRecord {
  readonly name: string;
  readonly version: string;
}

export interface EventRecord {
  readonly unixNs: bigint;
  readonly name: string;
  readonly attributes: Attributes;
}

export interface LinkRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

/** OTLP's status codes. */
export const STATUS_ERROR = 2;

/** One of OTLP's span kinds. */
export const SPAN_KIND_CLIENT = 3;

/** One span as it was received; ids are lower-case hex, `parentSpanId` is empty for a root. */
export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** OTLP's SpanKind, 0 to 5. */
  readonly kind: number;
  readonly startUnixNs: bigint;
  readonly endUnixNs: bigint;
  readonly attributes: Attributes;
  readonly events: readonly EventRecord[];
  readonly links: readonly LinkRecord[];
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly resource: ResourceRecord;
  readonly scope: ScopeRecord;
}

/** What a request held: the spans that can be kept, and how many cannot, with the first reason. */
export interface DecodedRequest {
  readonly spans: readonly SpanRecord[];
  readonly rejectedSpans: number;
  readonly rejectedReason: string;
}
