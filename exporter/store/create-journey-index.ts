import type { StoredTrace, TraceStore } from "./create-trace-store.js";
import { type JourneyRecord, summariseTrace } from "./summarise-trace.js";

export interface JourneyIndex {
  /** Every row of the list; recomputed only for traces that changed. */
  records(): readonly JourneyRecord[];
}

/** Summaries of the store's traces, cached: the page asks every second, and few traces change in one. */
export function createJourneyIndex(store: TraceStore): JourneyIndex {
  const cached = new WeakMap<StoredTrace, { readonly revision: number; readonly records: readonly JourneyRecord[] }>();
  let records: readonly JourneyRecord[] = [];
  let recordsRevision = -1;

  function recordsOf(trace: StoredTrace): readonly JourneyRecord[] {
    const known = cached.get(trace);
    if (known?.revision === trace.revision) return known.records;
    const fresh = summariseTrace(trace);
    cached.set(trace, { revision: trace.revision, records: fresh });
    return fresh;
  }

  return {
    records() {
      if (recordsRevision !== store.revision()) {
        recordsRevision = store.revision();
        records = [...store.traces()].flatMap(recordsOf);
      }
      return records;
    },
  };
}
