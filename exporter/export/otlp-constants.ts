/** opentelemetry.proto.trace.v1.Span.SpanKind */
export const SPAN_KIND_INTERNAL = 1;
/** opentelemetry.proto.trace.v1.Status.StatusCode */
export const STATUS_CODE_ERROR = 2;
/** W3C "sampled", and "the parent's origin is known": it is local. */
export const SPAN_FLAGS = 0x101;
/** As SPAN_FLAGS, but the parent is another process's. */
export const JOINED_SPAN_FLAGS = 0x301;
/** Of a link, besides the flags of its trace context: that span is another process's. */
export const LINK_FLAGS = 0x300;
