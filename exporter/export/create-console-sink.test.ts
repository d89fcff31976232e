import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { test } from "node:test";
import { collectJourneys } from "../../test/lib/collect-journeys.js";
import { droppedSeenByTracepoints, tcpAcrossNode } from "../../test/lib/example-recordings.js";
import type { JourneySpans } from "../map/packet-span.js";
import { createConsoleSink, wantsColour } from "./create-console-sink.js";
import { createJsonSink } from "./create-json-sink.js";
import { formatDuration } from "./format-duration.js";

const dropped = collectJourneys(droppedSeenByTracepoints())[0] as JourneySpans;
const delivered = collectJourneys(tcpAcrossNode())[0] as JourneySpans;

test("colours are for terminals, and not where NO_COLOR says no", () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true });
  assert.equal(wantsColour(terminal, {}), true);
  assert.equal(wantsColour(terminal, { NO_COLOR: "1" }), false);
  assert.equal(wantsColour(terminal, { NO_COLOR: "" }), true);
  assert.equal(wantsColour(terminal, { TERM: "dumb" }), false);
  assert.equal(wantsColour(new PassThrough(), {}), false);
});

/** Escape sequences as "<31>": what follows is painted so. */
function readPaint(text: string): string {
  return text.replaceAll("\u001b[", "<").replace(/<([0-9;]+)m/g, "<$1>");
}

test("in colour, the same namespace has the same colour and only drops are red", async () => {
  const output = new PassThrough({ encoding: "utf8" });
  const sink = createConsoleSink({ output, colour: true });
  sink.accept(delivered);
  const calm = readPaint(String(output.read()));
  assert.ok(!calm.includes("<1;31>"));
  const colours = [...calm.matchAll(/<(\d+)>(pod-a|node|pod-b) *<0>/g)].map((match) => `${match[2]} ${match[1]}`);
  assert.equal(new Set(colours).size, 3);
  sink.accept(dropped);
  const alarmed = readPaint(String(output.read()));
  assert.ok(alarmed.includes("<1;31>nft_do_chain  <-- dropped here<0>"));
  assert.ok(alarmed.includes("<1;31>dropped: NETFILTER_DROP at nft_do_chain+0x1d3<0>"));
  await sink.close();
});

test("JSON is a request a line", () => {
  const output = new PassThrough({ encoding: "utf8" });
  const sink = createJsonSink({ output });
  sink.accept(delivered);
  sink.accept(dropped);
  const lines = String(output.read()).split("\n");
  assert.equal(lines.length, 3);
  assert.equal(lines[2], "");
  for (const line of lines.slice(0, 2)) assert.ok(Array.isArray(JSON.parse(line).resourceSpans));
  assert.equal(sink.stats().sentSpans, sink.stats().acceptedSpans);
});

test("a slow reader makes the sink ask to wait; one that goes away is counted", async () => {
  const pending: (() => void)[] = [];
  const output = new Writable({ highWaterMark: 10, write: (_chunk, _encoding, done) => void pending.push(done) });
  const sink = createConsoleSink({ output });
  assert.equal(sink.drained(), undefined);
  sink.accept(delivered);
  const wait = sink.drained();
  assert.ok(wait);
  pending.shift()?.();
  await wait;
  assert.equal(sink.drained(), undefined);
  sink.accept(delivered);
  output.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  await sink.flush();
  sink.accept(delivered);
  assert.equal(sink.stats().lostSpans["reader_gone"], delivered.spans.length);
});

test("durations have three digits and a unit", () => {
  const expected: readonly (readonly [number, string])[] = [
    [0, "0 ns"],
    [999, "999 ns"],
    [1000, "1.00 µs"],
    [9_994, "9.99 µs"],
    [9_996, "10.0 µs"],
    [99_960, "100 µs"],
    [999_400, "999 µs"],
    [999_600, "1.00 ms"],
    [12_345_678, "12.3 ms"],
    [2_500_000_000, "2.50 s"],
    [123_000_000_000, "123 s"],
  ];
  for (const [durationNs, text] of expected) assert.equal(formatDuration(durationNs), text);
});
