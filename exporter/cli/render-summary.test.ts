import assert from "node:assert/strict";
import { test } from "node:test";
import { createNodeState, type TracerStats } from "../enrich/create-node-state.js";
import { wireStat } from "../wire/layout.js";
import { lossTexts } from "./describe-stats.js";
import { renderLosses, renderSummary } from "./render-summary.js";

function statsOf(values: Partial<Record<keyof TracerStats, number>>): TracerStats {
  return { ...createNodeState().stats, ...values };
}

test("seen, kept and lost, by cause and with what to do", () => {
  const lines = renderSummary({
    stats: statsOf({
      started: 1500,
      notMatched: 1234567,
      sampledOut: 7,
      delivered: 1400,
      expired: 1,
      discarded: 90,
      lostRingFull: 10,
    }),
    keptJourneys: 1400,
    keptSpans: 1,
    elapsedMs: 12_345,
    isRecording: false,
    sinks: [
      {
        name: "otlp",
        stats: {
          acceptedJourneys: 1400,
          acceptedSpans: 9000,
          sentJourneys: 1395,
          sentSpans: 8979,
          lostJourneys: { buffer_full: 1, refused: 0, rejected: 3, reader_gone: 1 },
          lostSpans: { buffer_full: 8, refused: 0, rejected: 8, reader_gone: 5 },
        },
      },
    ],
  });
  assert.deepEqual(lines, [
    "skbspan: 1,400 journeys, 1 span in 12.3 s",
    "  seen: 1,500 journeys begun, 1,234,567 looks at packets that did not match, 7 sampled out",
    "  kept: 1,400; ended: 1,400 delivered, 1 expired, 90 not wanted (--dropped-only, --min-duration)",
    "  exported: 1,395 of 1,400 journeys by otlp",
    "  lost: 10 journeys: the ring buffer was full (raise --ring-size, or match less)",
    "  lost: 1 journey (8 spans) not exported by otlp: the buffer was full (raise --max-buffer, or match less)",
    "  lost: 8 spans of up to 3 journeys not exported by otlp: the collector took the request without them",
  ]);
});

test("nothing lost is said too, and nothing at all is known without the tracer's counts", () => {
  const input = { keptJourneys: 0, keptSpans: 0, elapsedMs: 0, isRecording: true, sinks: [] };
  assert.deepEqual(renderSummary({ ...input, stats: undefined }), [
    "skbspan: 0 journeys, 0 spans of the recording",
    "  lost: nothing",
  ]);
  assert.deepEqual(renderLosses({ stats: statsOf({}), sinks: [] }), []);
});

test("every count of something lost has its words", () => {
  const lost = Object.keys(wireStat).filter((name) => name.startsWith("lost") || name === "unreadable");
  assert.deepEqual(lossTexts.map(([name]) => name).toSorted(), lost.toSorted());
});
