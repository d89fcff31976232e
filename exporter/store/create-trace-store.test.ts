import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createTraceStore } from "./create-trace-store.js";
import { type SpanRecord, STATUS_ERROR } from "./span-record.js";

const resource = { identity: "r", attributes: { "service.name": "client" } };
const skbspan = { name: "skbspan", version: "0.1.0" };

function span(traceNumber: number, spanNumber: number, dropped = false): SpanRecord {
  return {
    traceId: traceNumber.toString(16).padStart(32, "0"),
    spanId: spanNumber.toString(16).padStart(16, "0"),
    parentSpanId: "",
    name: "ip_rcv",
    kind: 1,
    startUnixNs: BigInt(spanNumber),
    endUnixNs: BigInt(spanNumber + 1),
    attributes: {},
    events: [],
    links: [],
    statusCode: dropped ? STATUS_ERROR : 0,
    statusMessage: "",
    resource,
    scope: skbspan,
  };
}

const ids = (store: ReturnType<typeof createTraceStore>) =>
  [...store.traces()].map((trace) => Number.parseInt(trace.traceId, 16));
const limits = { maxSpans: 4, maxBytes: 1_000_000, maxSpansPerTrace: 3 };

describe("createTraceStore", () => {
  it("evicts the trace that was extended longest ago", () => {
    const store = createTraceStore(limits);
    for (const number of [1, 2, 3, 4]) store.add([span(number, number)]);
    store.add([span(1, 10)]);
    assert.deepEqual(ids(store), [3, 4, 1]);
    assert.equal(store.stats().evictedTraces, 1);
    assert.equal(store.stats().evictedSpans, 1);
  });

  it("keeps drops while others can go, and lets drops go when they fill their half", () => {
    const store = createTraceStore(limits);
    store.add([span(1, 1, true)]);
    for (const number of [2, 3, 4, 5, 6]) store.add([span(number, number)]);
    assert.deepEqual(ids(store), [4, 5, 6, 1]);
    for (const number of [7, 8, 9]) store.add([span(number, number, true)]);
    assert.deepEqual(ids(store), [5, 6, 8, 9]);
    assert.equal(store.stats().evictedDrops, 2);
  });

  it("refuses spans of a trace that has too many, and counts spans that come twice", () => {
    const store = createTraceStore(limits);
    assert.equal(store.add([1, 2, 3, 4, 4].map((number) => span(1, number))), 2);
    store.add([span(1, 1)]);
    const { spans, refusedSpans, duplicateSpans, receivedSpans } = store.stats();
    assert.deepEqual(
      { spans, refusedSpans, duplicateSpans, receivedSpans },
      { spans: 3, refusedSpans: 2, duplicateSpans: 1, receivedSpans: 6 },
    );
  });

  it("evicts by bytes", () => {
    const store = createTraceStore({ maxSpans: 1000, maxBytes: 5_000, maxSpansPerTrace: 10 });
    for (let number = 1; number <= 50; number++) store.add([span(number, number)]);
    assert.ok(store.stats().bytes <= 5_000);
    assert.equal(ids(store).at(-1), 50);
  });

  it("holds its bounds, and every received span is held, evicted, refused or a duplicate", () => {
    const step = fc.record({
      trace: fc.integer({ min: 1, max: 8 }),
      span: fc.integer({ min: 1, max: 40 }),
      dropped: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const store = createTraceStore({ maxSpans: 12, maxBytes: 20_000, maxSpansPerTrace: 5 });
        for (const { trace, span: number, dropped } of steps) store.add([span(trace, number, dropped)]);
        const stats = store.stats();
        assert.ok(stats.spans <= 12 && stats.bytes <= 20_000);
        const held = [...store.traces()].reduce((count, trace) => count + trace.spans.length, 0);
        assert.equal(stats.spans, held);
        assert.equal(stats.receivedSpans, held + stats.evictedSpans + stats.refusedSpans + stats.duplicateSpans);
      }),
    );
  });
});
