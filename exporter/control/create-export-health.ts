import type { SinkStats } from "../export/sink.js";

/** Tells from what sinks count since when exporting fails. Clocks are passed in, in milliseconds. */
export interface ExportHealth {
  /** To be called every second or so. */
  observe(sinks: readonly SinkStats[], nowMs: number): void;
  /** 0: spans get through, or there are none. */
  failingMs(nowMs: number): number;
}

export function createExportHealth(): ExportHealth {
  let sentBefore = 0;
  let lostBefore = 0;
  let failingSinceMs: number | undefined;
  return {
    observe(sinks, nowMs) {
      const accepted = sum(sinks, (stats) => stats.acceptedSpans);
      const sent = sum(sinks, (stats) => stats.sentSpans);
      const lost = sum(sinks, lostSpans);
      // Waiting spans alone are no failure as long as some get through.
      const isStuck = sent === sentBefore && (lost > lostBefore || accepted > sent + lost);
      // An idle minute after losses says nothing new: only spans that get through do.
      if (sent > sentBefore) failingSinceMs = undefined;
      else if (isStuck) failingSinceMs ??= nowMs;
      sentBefore = sent;
      lostBefore = lost;
    },
    failingMs: (nowMs) => (failingSinceMs === undefined ? 0 : nowMs - failingSinceMs),
  };
}

function lostSpans({ lostSpans: byCause }: SinkStats): number {
  return Object.values(byCause).reduce((total, spans) => total + spans, 0);
}

function sum(sinks: readonly SinkStats[], read: (stats: SinkStats) => number): number {
  return sinks.reduce((total, stats) => total + read(stats), 0);
}
