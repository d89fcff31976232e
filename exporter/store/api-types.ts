/*
 * What the page server answers and the page reads. Types only: both sides import this file.
 * Times on the wall clock are decimal strings of nanoseconds (they pass 2^53); offsets and durations are numbers of
 * nanoseconds.
 */
import type { Attributes } from "./span-record.js";

export type { Attributes, AttributeValue } from "./span-record.js";

export interface EndpointView {
  readonly address: string;
  /** Absent for protocols without ports. */
  readonly port?: number;
}

export interface DropView {
  /** Without SKB_DROP_REASON_, e.g. `NETFILTER_DROP`. */
  readonly reason: string;
  /** The kernel function that dropped. */
  readonly function: string;
  /** Function and offset, e.g. `nf_hook_slow+0xd3`; empty when unknown. */
  readonly location: string;
  readonly advice: string;
  /** The namespace where it was dropped. */
  readonly namespace: string;
  readonly interface: string;
}

/** One row of the list: a packet's journey, or a trace of an application, with or without packets in it. */
export interface JourneySummary {
  readonly kind: "journey" | "application";
  readonly traceId: string;
  /** The journey's root span. */
  readonly spanId: string;
  readonly name: string;
  readonly startUnixNs: string;
  readonly durationNs: number;
  /** ARCHITECTURE.md's ends; empty for an application's trace. */
  readonly end: string;
  readonly failed: boolean;
  readonly transport: string;
  readonly tcpFlags: string;
  readonly lengthBytes: number;
  readonly source?: EndpointView;
  readonly destination?: EndpointView;
  /** In the order in which they were crossed. */
  readonly namespaces: readonly string[];
  readonly hops: number;
  readonly lostHops: number;
  readonly complete: boolean;
  readonly drop?: DropView;
  /** Journeys with the same functions in the same order have the same path; empty for an application's trace. */
  readonly pathId: string;
  /** Whether the journey is part of an application's trace. */
  readonly joined: boolean;
  /** The application's span that it is under, when that is in the store: its name and whose it is. */
  readonly request?: string;
  /** Of an application's trace: journeys in it, and how many of them are faults. */
  readonly packets: number;
  readonly failedPackets: number;
  /** Of an application's trace: what was asked for, and how it failed, as far as its first span says so. */
  readonly url?: string;
  readonly problem?: string;
}

/** Dropped journeys with the same cause. */
export interface DropGroup {
  readonly reason: string;
  readonly function: string;
  readonly namespace: string;
  readonly advice: string;
  readonly transport: string;
  /** Address and port the packets were for, the commonest. */
  readonly destination: string;
  readonly count: number;
  readonly latest: JourneySummary;
}

export interface JourneysAnswer {
  readonly revision: number;
  /** In the store, before filtering. */
  readonly total: number;
  /** After filtering, of which `journeys` holds at most `limit`. */
  readonly matched: number;
  /** Of these, traces of applications: the rest are journeys. */
  readonly matchedApplications: number;
  readonly journeys: readonly JourneySummary[];
  /** Over all that matched. */
  readonly drops: readonly DropGroup[];
  /** For the filter's menus: over all in the store. */
  readonly ends: Readonly<Record<string, number>>;
  readonly namespaces: readonly string[];
}

export interface PathView {
  readonly pathId: string;
  readonly functions: readonly string[];
  readonly namespaces: readonly string[];
  readonly transports: readonly string[];
  readonly count: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly ends: Readonly<Record<string, number>>;
  readonly dropReasons: Readonly<Record<string, number>>;
  readonly latest: JourneySummary;
}

export interface PathsAnswer {
  readonly revision: number;
  readonly matched: number;
  readonly paths: readonly PathView[];
}

export interface ResourceView {
  readonly label: string;
  /** More about it in a few words, e.g. the node's name; may be empty. */
  readonly detail: string;
  readonly attributes: Attributes;
}

export type SpanRole = "journey" | "hop" | "wait" | "application";

export interface SpanView {
  readonly id: string;
  /** Empty for a root; may name a span that is not in the store. */
  readonly parentId: string;
  readonly name: string;
  readonly role: SpanRole;
  /** OTLP's SpanKind. */
  readonly kind: number;
  /** From the trace's start. */
  readonly startNs: number;
  readonly durationNs: number;
  /** Index into `resources`. */
  readonly resource: number;
  readonly scope: string;
  readonly attributes: Attributes;
  readonly failed: boolean;
  readonly statusMessage: string;
  readonly events: readonly { readonly name: string; readonly atNs: number; readonly attributes: Attributes }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export interface TraceAnswer {
  readonly traceId: string;
  readonly startUnixNs: string;
  readonly durationNs: number;
  readonly resources: readonly ResourceView[];
  /** By start; a parent before its children. */
  readonly spans: readonly SpanView[];
  readonly journeys: readonly JourneySummary[];
}

export interface SummaryAnswer {
  readonly revision: number;
  readonly journeys: number;
  readonly applications: number;
  /** Journeys that ended by being dropped, of which `faults` are more than protocols do by design. */
  readonly dropped: number;
  readonly faults: number;
  readonly ends: Readonly<Record<string, number>>;
  readonly store: {
    readonly spans: number;
    readonly bytes: number;
    readonly maxSpans: number;
    readonly maxBytes: number;
    readonly receivedSpans: number;
    readonly refusedSpans: number;
    readonly evictedTraces: number;
    readonly evictedDrops: number;
  };
  /** Where to send spans, as host:port; empty when that receiver is not there. */
  readonly receivers: { readonly grpc: string; readonly http: string };
}

export interface ErrorAnswer {
  readonly error: string;
}
