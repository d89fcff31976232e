import type { Journey } from "../decode/frame.js";
import type { Identity } from "../enrich/identity.js";
import type { AttributeDefinition } from "./attributes.js";
import { cutValue } from "./cut-value.js";

/** A key and its value. Shared between spans where they have it in common, so that it is encoded once. */
export interface Attribute {
  readonly definition: AttributeDefinition;
  readonly value: string | number | boolean | readonly string[];
  /** Whether other spans are likely to have this very object. */
  readonly isShared: boolean;
  /** Kept for the encoder, which alone writes it. */
  encoded: Uint8Array | undefined;
}

/** Attributes that stand together on several spans of a journey. */
export interface AttributeGroup {
  readonly attributes: readonly Attribute[];
}

/** What all traversals of one probe on one CPU in one place have in common: spans are stamped from it. */
export interface SpanShape {
  readonly kind: "root" | "hop" | "layer" | "wait";
  readonly name: string;
  /** The resource of the span. */
  readonly identity: Identity;
  readonly attributes: readonly Attribute[];
  /** Kept for the encoder, which alone writes it. */
  encoded: unknown;
}

export interface SpanFault {
  /** What happened and what to do, for a person. */
  readonly description: string;
}

/** Offsets count from the journey's start. All but roots have `hop.offset_ns` and `hop.duration_ns` besides. */
export interface PacketSpan {
  readonly shape: SpanShape;
  readonly idHigh: number;
  readonly idLow: number;
  /** Place of the parent among the journey's spans, -1 for the root. A parent stands before its children. */
  readonly parent: number;
  readonly startOffsetNs: number;
  /** At least 1 more than the start. */
  readonly endOffsetNs: number;
  readonly durationNs: number;
  readonly group: AttributeGroup | undefined;
  readonly extra: readonly Attribute[] | undefined;
  readonly fault: SpanFault | undefined;
}

/** How much of a journey is shown: a span a function, a span a run of functions in one layer, or the root alone. */
export const details = ["functions", "layers", "summary"] as const;
export type Detail = (typeof details)[number];

/** An application's span, in another trace, to which a journey belongs as well. */
export interface SpanLink {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  /** Of W3C trace context. */
  readonly traceFlags: number;
}

/** Most journeys have none. */
export const noLinks: readonly SpanLink[] = [];

/** A journey as spans; they leave in one request. */
export interface JourneySpans {
  readonly journey: Journey;
  /** 16 bytes, not all zero. */
  readonly traceId: Uint8Array;
  /** 8 bytes: the application's span that is the root's parent. Undefined: the root begins a trace. */
  readonly parentSpanId: Uint8Array | undefined;
  /** Of the root. */
  readonly links: readonly SpanLink[];
  readonly startRealtimeNs: bigint;
  /** The root is the first. */
  readonly spans: readonly PacketSpan[];
  /** Whether the packet was dropped, and that is a fault: such a journey is the last to be given up when memory is short. */
  readonly isFault: boolean;
  readonly detail: Detail;
}

/** An attribute of one span; those of several come from a pool. */
export function createAttribute(definition: AttributeDefinition, value: Attribute["value"]): Attribute {
  return { definition, value: cutValue(value), isShared: false, encoded: undefined };
}
