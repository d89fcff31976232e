import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultJoining } from "../../test/lib/default-joining.js";
import { createNodeState, type TracerStats } from "../enrich/create-node-state.js";
import { createJoiner } from "../join/create-joiner.js";
import { wireStat } from "../wire/layout.js";
import { describeJoining } from "./describe-joining.js";
import { lossTexts } from "./describe-stats.js";
import { describeVolume } from "./describe-volume.js";
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

test("what was done to stay within limits is said, and nothing when all left as asked for", () => {
  const input = { stats: undefined, keptJourneys: 9, keptSpans: 90, elapsedMs: 0, isRecording: true, sinks: [] };
  const volume = {
    left: { functions: 1, layers: 2, summary: 1234 },
    shed: { sampled: 5000, burst: 6 },
    beyond: { journeys: 1, spans: 1 },
    plan: { detail: "summary" as const, share: 0.1 },
    isSaving: true,
  };
  assert.deepEqual(renderSummary({ ...input, volume, detail: "functions" }), [
    "skbspan: 9 journeys, 90 spans of the recording",
    "  to stay within --max-*-per-second: 2 by layers, 1,234 as summaries, left out 5,006 (5,000 sampled, 6 in bursts), 1 drop beyond the limits",
    "  lost: nothing",
  ]);
  const asAsked = { ...volume, left: { functions: 0, layers: 9, summary: 0 }, shed: { sampled: 0, burst: 0 } };
  const lines = renderSummary({
    ...input,
    volume: { ...asAsked, beyond: { journeys: 0, spans: 0 } },
    detail: "layers",
  });
  assert.equal(lines.length, 2);
});

test("a change of the volume says the limits, what is done, and the end of it", () => {
  const limits = { journeysPerSecond: 50, bytesPerSecond: 1310720 };
  const none = { left: { functions: 0, layers: 0, summary: 0 }, beyond: { journeys: 0, spans: 0 } };
  const saving = {
    ...none,
    shed: { sampled: 0, burst: 0 },
    plan: { detail: "layers" as const, share: 1 },
    isSaving: true,
  };
  assert.equal(
    describeVolume(saving, limits),
    "more than 50 journeys or 1,310,720 bytes a second: journeys are shown by layers",
  );
  assert.equal(
    describeVolume({ ...saving, plan: { detail: "summary", share: 0.05 } }, { spansPerSecond: 1 }),
    "more than 1 span a second: journeys are shown as summaries, one in 20 are kept, and all that were dropped",
  );
  assert.equal(
    describeVolume(
      { ...saving, shed: { sampled: 3, burst: 1 }, plan: { detail: "functions", share: 1 }, isSaving: false },
      limits,
    ),
    "within 50 journeys or 1,310,720 bytes a second again: all is shown; so far 4 journeys left out",
  );
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

test("what was joined to requests is said by where their trace context was found, and what not by why", () => {
  const joiner = createJoiner(defaultJoining);
  const stats = joiner.stats();
  assert.deepEqual(describeJoining(stats), []);
  const lines = describeJoining({
    ...stats,
    joined: { ...stats.joined, http1: 1_200, http2: 3 },
    linked: { ...stats.linked, http1: 40 },
    past: { journeys: 0, spans: 30, trace: 0, time: 10 },
    unsampled: 1,
    leftOut: 7,
    shed: 2,
    forgotten: 5,
  });
  assert.deepEqual(lines, [
    "  joined to requests: 1,200 by http1, 3 by http2",
    "  linked to requests: 40 by http1, 30 past --join-spans, 10 past --join-for",
    "  not joined: 1 journey of requests that are not sampled, 7 journeys of requests left out by --max-*-per-second, 2 journeys left out by --sampled-only, 5 requests forgotten (raise --join-requests)",
  ]);
});
