import type { Sink } from "../../exporter/export/sink.js";

const done = Promise.resolve();

/** A sink that takes journeys and does nothing: what a test wants of it, it puts in its place. */
export const quietSink: Sink = {
  accept() {},
  drained: () => undefined,
  flush: () => done,
  close: () => done,
  stats: () => ({
    acceptedJourneys: 0,
    acceptedSpans: 0,
    sentJourneys: 0,
    sentSpans: 0,
    lostJourneys: {},
    lostSpans: {},
  }),
};
