import { estimateSpanBytes } from "./estimate-span-bytes.js";
import { type SpanRecord, STATUS_ERROR } from "./span-record.js";
import { SKBSPAN_SCOPE } from "./summarise-trace.js";

export interface StoreLimits {
  /** Spans over all traces. */
  readonly maxSpans: number;
  /** Estimated bytes over all traces. */
  readonly maxBytes: number;
  /** Spans of one trace; more are refused, as one runaway trace must not push all others out. */
  readonly maxSpansPerTrace: number;
}

export const DEFAULT_STORE_LIMITS: StoreLimits = {
  maxSpans: 100_000,
  maxBytes: 96 * 1024 * 1024,
  maxSpansPerTrace: 20_000,
};

/** One stored trace; `revision` changes with every span that comes, so that what was derived from it can be cached. */
export interface StoredTrace {
  readonly traceId: string;
  readonly spans: readonly SpanRecord[];
  readonly bytes: number;
  readonly hasDrop: boolean;
  readonly revision: number;
}

/** All since the start; `spans`, `bytes` and `traces` are what is held now. */
export interface StoreStats {
  readonly spans: number;
  readonly bytes: number;
  readonly traces: number;
  readonly receivedSpans: number;
  readonly refusedSpans: number;
  readonly duplicateSpans: number;
  readonly evictedTraces: number;
  readonly evictedSpans: number;
  /** Of the evicted traces, those that held a dropped journey. */
  readonly evictedDrops: number;
}

export interface TraceStore {
  /** Keeps the spans and makes room by evicting; returns how many were refused (see maxSpansPerTrace). */
  add(spans: readonly SpanRecord[]): number;
  get(traceId: string): StoredTrace | undefined;
  /** Least recently extended first. */
  traces(): Iterable<StoredTrace>;
  stats(): StoreStats;
  /** Grows with every change, for pollers. */
  revision(): number;
  clear(): void;
}

interface MutableTrace {
  readonly traceId: string;
  readonly spans: SpanRecord[];
  readonly spanIds: Set<string>;
  bytes: number;
  hasDrop: boolean;
  revision: number;
}

/**
 * Keeps traces in memory, bounded by spans and bytes. The trace that was extended longest ago goes first. Traces
 * with a dropped journey are what people look for, so they go only after all others, or when they fill
 * DROP_SHARE of the store by themselves.
 */
export function createTraceStore(limits: StoreLimits = DEFAULT_STORE_LIMITS): TraceStore {
  // Maps keep the order of insertion: a trace that gets spans is taken out and put in again at the end.
  const ordinary = new Generation();
  const dropped = new Generation();
  const counts = { received: 0, refused: 0, duplicate: 0, evictedTraces: 0, evictedSpans: 0, evictedDrops: 0 };
  let revision = 0;

  function addSpan(span: SpanRecord): boolean {
    counts.received++;
    const trace = dropped.take(span.traceId) ?? ordinary.take(span.traceId) ?? createTrace(span.traceId);
    const accepted = extendTrace(trace, span);
    (trace.hasDrop ? dropped : ordinary).put(trace);
    return accepted;
  }

  function extendTrace(trace: MutableTrace, span: SpanRecord): boolean {
    if (trace.spanIds.has(span.spanId)) {
      // A sender that retries after a lost answer sends spans twice.
      counts.duplicate++;
      return true;
    }
    if (trace.spans.length >= limits.maxSpansPerTrace) {
      counts.refused++;
      return false;
    }
    trace.spans.push(span);
    trace.spanIds.add(span.spanId);
    trace.bytes += estimateSpanBytes(span);
    trace.hasDrop ||= span.scope.name === SKBSPAN_SCOPE && span.statusCode === STATUS_ERROR;
    trace.revision = ++revision;
    return true;
  }

  function evict(): void {
    while (ordinary.spans + dropped.spans > limits.maxSpans || ordinary.bytes + dropped.bytes > limits.maxBytes) {
      const dropsFillTheirShare =
        dropped.spans > limits.maxSpans * DROP_SHARE || dropped.bytes > limits.maxBytes * DROP_SHARE;
      const generation = dropsFillTheirShare || ordinary.traces.size === 0 ? dropped : ordinary;
      const oldest = generation.traces.values().next().value;
      if (oldest === undefined) return;
      generation.take(oldest.traceId);
      counts.evictedTraces++;
      counts.evictedSpans += oldest.spans.length;
      if (oldest.hasDrop) counts.evictedDrops++;
    }
  }

  return {
    add(spans) {
      let refused = 0;
      for (const span of spans) if (!addSpan(span)) refused++;
      evict();
      return refused;
    },
    get: (traceId) => dropped.traces.get(traceId) ?? ordinary.traces.get(traceId),
    *traces() {
      yield* ordinary.traces.values();
      yield* dropped.traces.values();
    },
    stats: () => ({
      spans: ordinary.spans + dropped.spans,
      bytes: ordinary.bytes + dropped.bytes,
      traces: ordinary.traces.size + dropped.traces.size,
      receivedSpans: counts.received,
      refusedSpans: counts.refused,
      duplicateSpans: counts.duplicate,
      evictedTraces: counts.evictedTraces,
      evictedSpans: counts.evictedSpans,
      evictedDrops: counts.evictedDrops,
    }),
    revision: () => revision,
    clear() {
      ordinary.clear();
      dropped.clear();
      revision++;
    },
  };
}

/** The part of the store that traces with drops may hold while others are evicted for them. */
const DROP_SHARE = 0.5;

class Generation {
  readonly traces = new Map<string, MutableTrace>();
  spans = 0;
  bytes = 0;

  take(traceId: string): MutableTrace | undefined {
    const trace = this.traces.get(traceId);
    if (trace === undefined) return undefined;
    this.traces.delete(traceId);
    this.spans -= trace.spans.length;
    this.bytes -= trace.bytes;
    return trace;
  }

  put(trace: MutableTrace): void {
    this.traces.set(trace.traceId, trace);
    this.spans += trace.spans.length;
    this.bytes += trace.bytes;
  }

  clear(): void {
    this.traces.clear();
    this.spans = 0;
    this.bytes = 0;
  }
}

function createTrace(traceId: string): MutableTrace {
  return { traceId, spans: [], spanIds: new Set(), bytes: 0, hasDrop: false, revision: 0 };
}
