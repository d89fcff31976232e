import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { collectJourneys } from "../../test/lib/collect-journeys.js";
import { droppedSeenByTracepoints, tcpAcrossNode } from "../../test/lib/example-recordings.js";
import { decodeRequest, spansOf } from "../../test/lib/otlp-schema.js";
import { startOtlpServer } from "../../test/lib/start-otlp-server.js";
import type { JourneySpans } from "../map/packet-span.js";
import { createOtlpSink, MAX_REQUEST_BYTES, type OtlpSink, type OtlpSinkOptions } from "./create-otlp-sink.js";

const delivered = collectJourneys(tcpAcrossNode())[0] as JourneySpans;
const dropped = collectJourneys(droppedSeenByTracepoints())[0] as JourneySpans;

function createSink(url: string, options: OtlpSinkOptions = {}): OtlpSink {
  return createOtlpSink({ url, batchDelayMs: 5, firstBackoffMs: 20, maxBackoffMs: 100, ...options });
}

function lossesOf(sink: OtlpSink): Record<string, number> {
  return Object.fromEntries(Object.entries(sink.stats().lostSpans).filter(([, count]) => count > 0));
}

test("a journey's root and hops arrive in one request", async (context) => {
  const receiver = await startOtlpServer(context);
  const sink = createSink(receiver.url);
  sink.accept(delivered);
  sink.accept(dropped);
  await sink.close();
  assert.equal(receiver.requests.length, 2, "dropped journeys travel apart from the others");
  const sizes = receiver.requests.map(({ bytes }) => spansOf(decodeRequest(bytes)).length).sort((a, b) => a - b);
  assert.deepEqual(
    sizes,
    [delivered.spans.length, dropped.spans.length].sort((a, b) => a - b),
  );
  assert.equal(sink.stats().sentSpans, delivered.spans.length + dropped.spans.length);
  assert.deepEqual(lossesOf(sink), {});
});

for (const name of ["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"] as const)
  test(`${name} is tried again until it is accepted`, async (context) => {
    const receiver = await startOtlpServer(context);
    receiver.script({ code: status[name] }, { code: status[name] });
    const messages: string[] = [];
    const sink = createSink(receiver.url, { onProblem: (text) => messages.push(text) });
    sink.accept(delivered);
    await sink.flush();
    assert.equal(receiver.requests.length, 3);
    assert.equal(sink.stats().sentSpans, delivered.spans.length);
    assert.equal(sink.stats().retries, 2);
    assert.deepEqual(lossesOf(sink), {});
    assert.match(messages[0] ?? "", new RegExp(`cannot send to 127.0.0.1:\\d+, trying again: ${name}: scripted`));
    assert.match(messages[1] ?? "", /accepts spans again/);
    await sink.close();
  });

for (const name of ["INVALID_ARGUMENT", "UNAUTHENTICATED", "UNIMPLEMENTED", "RESOURCE_EXHAUSTED", "INTERNAL"] as const)
  test(`${name} is not tried again, and counted`, async (context) => {
    const receiver = await startOtlpServer(context);
    receiver.script({ code: status[name] });
    const messages: string[] = [];
    const sink = createSink(receiver.url, { onProblem: (text) => messages.push(text) });
    sink.accept(delivered);
    await sink.close();
    assert.equal(receiver.requests.length, 1);
    assert.deepEqual(lossesOf(sink), { refused: delivered.spans.length });
    assert.match(messages[0] ?? "", new RegExp(`refused 18 spans: ${name}`));
  });

test("a receiver that says when to come back is obeyed", async (context) => {
  const receiver = await startOtlpServer(context);
  receiver.script({ code: status.RESOURCE_EXHAUSTED, retryInfoMs: 300 });
  const sink = createSink(receiver.url);
  sink.accept(delivered);
  await sink.close();
  const [first, second] = receiver.requests;
  assert.ok(first && second);
  assert.ok(second.atMs - first.atMs >= 295, `came back after ${second.atMs - first.atMs} ms`);
  assert.equal(sink.stats().sentSpans, delivered.spans.length);
});

test("what a receiver rejects of a request is counted and not sent again", async (context) => {
  const receiver = await startOtlpServer(context);
  receiver.script({ rejectedSpans: 5, message: "too old" });
  const messages: string[] = [];
  const sink = createSink(receiver.url, { onProblem: (text) => messages.push(text) });
  sink.accept(delivered);
  await sink.close();
  assert.equal(receiver.requests.length, 1);
  assert.equal(sink.stats().sentSpans, delivered.spans.length - 5);
  assert.deepEqual(lossesOf(sink), { rejected: 5 });
  assert.match(messages[0] ?? "", /rejected 5 of 18 spans: too old/);
});

test("a receiver that comes late gets what was kept", async (context) => {
  const early = await startOtlpServer(context);
  await early.stop();
  const port = Number(new URL(early.url).port);
  const sink = createSink(early.url);
  sink.accept(delivered);
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(sink.stats().sentSpans, 0);
  const late = await startOtlpServer(context, { port });
  await sink.close();
  assert.equal(late.requests.length, 1);
  assert.equal(sink.stats().sentSpans, delivered.spans.length);
});

test("when memory is short, journeys without faults go first, the oldest before", async (context) => {
  const early = await startOtlpServer(context);
  await early.stop();
  const sink = createSink(early.url, { maxBufferedBytes: 60_000, batchBytes: 1, flushTimeoutMs: 100 });
  sink.accept(dropped);
  for (let index = 0; index < 20; index++) sink.accept(delivered);
  const { bufferedBytes } = sink.stats();
  assert.ok(bufferedBytes <= 60_000, `${bufferedBytes} bytes are kept`);
  const evicted = lossesOf(sink)["buffer_full"] ?? 0;
  assert.ok(evicted > 0 && evicted % delivered.spans.length === 0, `${evicted} spans`);
  for (let index = 0; index < 40; index++) sink.accept(dropped);
  assert.ok((lossesOf(sink)["buffer_full"] ?? 0) > evicted);
  await sink.close();
  const { acceptedSpans, sentSpans, lostSpans } = sink.stats();
  assert.equal(acceptedSpans, sentSpans + Object.values(lostSpans).reduce((sum, count) => sum + count, 0));
});

test("when memory is short, journeys in an application's trace are kept longer than others, and drops longest", async (context) => {
  const early = await startOtlpServer(context);
  await early.stop();
  const sink = createSink(early.url, { maxBufferedBytes: 60_000, batchBytes: 1, maxBackoffMs: 20 });
  const joined = { ...delivered, traceId: new Uint8Array(16).fill(7), parentSpanId: new Uint8Array(8).fill(7) };
  // Something that is on its way is not given up: it is not to be one of these.
  sink.accept(delivered);
  sink.accept(joined);
  sink.accept(dropped);
  for (let index = 0; index < 20; index++) sink.accept(delivered);
  assert.ok((lossesOf(sink)["buffer_full"] ?? 0) > 0);
  const late = await startOtlpServer(context, { port: Number(new URL(early.url).port) });
  await sink.close();
  for (const { traceId } of [joined, dropped]) assert.ok(late.accepted.has(Buffer.from(traceId).toString("hex")));
});

test("closing ends in time though the receiver never answers, and nothing is lost silently", async (context) => {
  const receiver = await startOtlpServer(context);
  receiver.script({ isSilent: true });
  const sink = createSink(receiver.url, { flushTimeoutMs: 200 });
  sink.accept(delivered);
  const startMs = performance.now();
  await sink.close();
  assert.ok(performance.now() - startMs < 8000, "an attempt alone may take ten seconds");
  assert.deepEqual(lossesOf(sink), { closed: delivered.spans.length });
});

test("no request is larger than receivers take, and a journey that is larger alone is counted", async (context) => {
  const receiver = await startOtlpServer(context);
  const sink = createSink(receiver.url, { batchBytes: 64 * 1024 * 1024, batchDelayMs: 10_000 });
  const journeys = 1500;
  for (let index = 0; index < journeys; index++) sink.accept(delivered);
  const [root, ...hops] = delivered.spans;
  assert.ok(root);
  const huge = { ...delivered, spans: [root, ...new Array(20_000).fill(hops[0])] };
  sink.accept(huge);
  await sink.close();
  assert.ok(receiver.requests.length >= 2);
  for (const { bytes } of receiver.requests) assert.ok(bytes.length <= MAX_REQUEST_BYTES);
  assert.deepEqual(lossesOf(sink), { too_large: 20_001 });
  assert.equal(sink.stats().sentSpans, journeys * delivered.spans.length);
});

test("a patient sink asks to wait instead of losing", async (context) => {
  const receiver = await startOtlpServer(context);
  receiver.script({ code: status.UNAVAILABLE });
  const sink = createSink(receiver.url, { isPatient: true, maxBufferedBytes: 60_000, batchBytes: 1 });
  for (let index = 0; index < 60; index++) {
    sink.accept(delivered);
    const wait = sink.drained();
    if (wait) await wait;
  }
  await sink.close();
  assert.deepEqual(lossesOf(sink), {});
  assert.equal(sink.stats().sentSpans, 60 * delivered.spans.length);
});

test("the standard OTEL_EXPORTER_OTLP_ variables are honoured", async (context) => {
  const receiver = await startOtlpServer(context);
  process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.url;
  process.env["OTEL_EXPORTER_OTLP_HEADERS"] = "x-tenant=blue";
  process.env["OTEL_EXPORTER_OTLP_COMPRESSION"] = "gzip";
  try {
    const sink = createOtlpSink({ batchDelayMs: 5 });
    sink.accept(delivered);
    await sink.close();
  } finally {
    delete process.env["OTEL_EXPORTER_OTLP_ENDPOINT"];
    delete process.env["OTEL_EXPORTER_OTLP_HEADERS"];
    delete process.env["OTEL_EXPORTER_OTLP_COMPRESSION"];
  }
  const [request] = receiver.requests;
  assert.deepEqual(request?.headers["x-tenant"], "blue");
  assert.equal(spansOf(decodeRequest(request?.bytes ?? Buffer.alloc(0))).length, delivered.spans.length);
});
