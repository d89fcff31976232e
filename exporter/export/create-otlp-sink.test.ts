import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { collectJourneys } from "../../test/lib/collect-journeys.js";
import { droppedSeenByTracepoints, tcpAcrossNode } from "../../test/lib/example-recordings.js";
import { decodeRequest, encodePartialSuccess, spansOf } from "../../test/lib/otlp-schema.js";
import type { JourneySpans } from "../map/packet-span.js";
import { createOtlpSink, MAX_REQUEST_BYTES, type OtlpSink, type OtlpSinkOptions } from "./create-otlp-sink.js";
import { integerField, lengthDelimited } from "./protobuf-writer.js";

interface Answer {
  readonly code?: number;
  readonly retryAfterMs?: number;
  readonly response?: Uint8Array;
  readonly never?: boolean;
}

interface Receiver {
  readonly url: string;
  readonly requests: { readonly bytes: Buffer; readonly atMs: number; readonly metadata: Metadata }[];
  stop(): void;
}

/** A real gRPC server on loopback that answers as scripted, then accepts. */
async function startReceiver(context: TestContext, script: readonly Answer[], port = 0): Promise<Receiver> {
  const answers = [...script];
  const requests: Receiver["requests"] = [];
  const server = new Server({ "grpc.max_receive_message_length": MAX_REQUEST_BYTES });
  const raw = (bytes: Buffer): Buffer => bytes;
  const definition = {
    export: {
      path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
      requestStream: false,
      responseStream: false,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    },
  } as const;
  server.addService(definition, {
    export(call: { request: Buffer; metadata: Metadata }, reply: (error: object | null, value?: Buffer) => void) {
      requests.push({ bytes: call.request, atMs: performance.now(), metadata: call.metadata });
      const answer = answers.shift() ?? {};
      if (answer.never) return;
      if (answer.code === undefined) return reply(null, Buffer.from(answer.response ?? []));
      const metadata = new Metadata();
      if (answer.retryAfterMs !== undefined) metadata.set("grpc-status-details-bin", retryInfo(answer));
      reply({ code: answer.code, details: "scripted", metadata });
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bindPort) => {
      if (error) reject(error);
      else resolve(bindPort);
    });
  });
  const stop = (): void => server.forceShutdown();
  context.after(stop);
  return { url: `http://127.0.0.1:${bound}`, requests, stop };
}

function retryInfo({ code, retryAfterMs }: Answer): Buffer {
  const nanos = integerField(2, (retryAfterMs ?? 0) * 1e6);
  const any = Buffer.concat([
    lengthDelimited(1, "type.googleapis.com/google.rpc.RetryInfo"),
    lengthDelimited(2, lengthDelimited(1, nanos)),
  ]);
  return Buffer.concat([integerField(1, code ?? 0), lengthDelimited(3, any)]);
}

const delivered = collectJourneys(tcpAcrossNode())[0] as JourneySpans;
const dropped = collectJourneys(droppedSeenByTracepoints())[0] as JourneySpans;

function createSink(url: string, options: OtlpSinkOptions = {}): OtlpSink {
  return createOtlpSink({ url, batchDelayMs: 5, firstBackoffMs: 20, maxBackoffMs: 100, ...options });
}

function lossesOf(sink: OtlpSink): Record<string, number> {
  return Object.fromEntries(Object.entries(sink.stats().lostSpans).filter(([, count]) => count > 0));
}

test("a journey's root and hops arrive in one request", async (context) => {
  const receiver = await startReceiver(context, []);
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
    const receiver = await startReceiver(context, [{ code: status[name] }, { code: status[name] }]);
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
    const receiver = await startReceiver(context, [{ code: status[name] }]);
    const messages: string[] = [];
    const sink = createSink(receiver.url, { onProblem: (text) => messages.push(text) });
    sink.accept(delivered);
    await sink.close();
    assert.equal(receiver.requests.length, 1);
    assert.deepEqual(lossesOf(sink), { refused: delivered.spans.length });
    assert.match(messages[0] ?? "", new RegExp(`refused 18 spans: ${name}`));
  });

test("a receiver that says when to come back is obeyed", async (context) => {
  const receiver = await startReceiver(context, [{ code: status.RESOURCE_EXHAUSTED, retryAfterMs: 300 }]);
  const sink = createSink(receiver.url);
  sink.accept(delivered);
  await sink.close();
  const [first, second] = receiver.requests;
  assert.ok(first && second);
  assert.ok(second.atMs - first.atMs >= 295, `came back after ${second.atMs - first.atMs} ms`);
  assert.equal(sink.stats().sentSpans, delivered.spans.length);
});

test("what a receiver rejects of a request is counted and not sent again", async (context) => {
  const receiver = await startReceiver(context, [{ response: encodePartialSuccess(5, "too old") }]);
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
  const early = await startReceiver(context, []);
  early.stop();
  const port = Number(new URL(early.url).port);
  const sink = createSink(early.url);
  sink.accept(delivered);
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(sink.stats().sentSpans, 0);
  const late = await startReceiver(context, [], port);
  await sink.close();
  assert.equal(late.requests.length, 1);
  assert.equal(sink.stats().sentSpans, delivered.spans.length);
});

test("when memory is short, journeys without faults go first, the oldest before", async (context) => {
  const early = await startReceiver(context, []);
  early.stop();
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

test("closing ends in time though the receiver never answers, and nothing is lost silently", async (context) => {
  const receiver = await startReceiver(context, [{ never: true }]);
  const sink = createSink(receiver.url, { flushTimeoutMs: 200 });
  sink.accept(delivered);
  const startMs = performance.now();
  await sink.close();
  assert.ok(performance.now() - startMs < 2000);
  assert.deepEqual(lossesOf(sink), { closed: delivered.spans.length });
});

test("no request is larger than receivers take, and a journey that is larger alone is counted", async (context) => {
  const receiver = await startReceiver(context, []);
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
  const receiver = await startReceiver(context, [{ code: status.UNAVAILABLE }]);
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
  const receiver = await startReceiver(context, []);
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
  assert.deepEqual(request?.metadata.get("x-tenant"), ["blue"]);
  assert.equal(spansOf(decodeRequest(request?.bytes ?? Buffer.alloc(0))).length, delivered.spans.length);
});
