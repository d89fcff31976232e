import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer, type OutgoingHttpHeaders, sensitiveHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseStream } from "./parse-stream.js";
import { startRecordingProxy } from "./recording-proxy.js";
import { type TraceHeader, traceHeader } from "./trace-contexts.js";

/**
 * The encoder is nghttp2's, in Node.js: its choices about the dynamic table, for random headers, are what the parser has
 * to follow without keeping the table.
 */
const seed = 20_260_801;

interface SentRequest {
  /** Undefined: none. */
  readonly traces: readonly TraceHeader[];
  /** Sends the traceparent of so many requests before again, instead. */
  readonly repeats: number | undefined;
  readonly others: readonly [name: string, value: string][];
  readonly isSensitive: boolean;
  readonly body: number;
  readonly trailers: readonly [name: string, value: string][];
}

const text = (maxLength: number) =>
  fc
    .array(fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789-._~!#$%&'*+^`|=/,;:(){}\"<>@[]ABCXYZ"), {
      maxLength,
    })
    .map((all) => all.join(""));

const value = fc.oneof(
  { arbitrary: text(20), weight: 8 },
  { arbitrary: fc.constantFrom("gzip", "*/*", "application/grpc", "x"), weight: 8 },
  { arbitrary: text(400), weight: 2 },
  // Around the size of the table, where an entry is put in or not.
  { arbitrary: fc.integer({ min: 1500, max: 4500 }).map((length) => "{".repeat(length)), weight: 1 },
  { arbitrary: fc.integer({ min: 1500, max: 4500 }).map((length) => "aZ".repeat(length / 2)), weight: 1 },
  { arbitrary: fc.integer({ min: 1500, max: 4500 }).map((length) => "0".repeat(length)), weight: 1 },
);

const name = fc.oneof(
  fc.constantFrom(
    "accept",
    "user-agent",
    "cookie",
    "authorization",
    "tracestate",
    "x-request-id",
    "traceparenz",
    "baggage",
  ),
  fc.integer({ min: 0, max: 60 }).map((number) => `x-${"n".repeat(number)}-${number}`),
);

const request: fc.Arbitrary<SentRequest> = fc.record({
  traces: fc.oneof(
    { arbitrary: fc.array(traceHeader, { minLength: 1, maxLength: 1 }), weight: 8 },
    { arbitrary: fc.array(traceHeader, { maxLength: 2 }), weight: 1 },
  ),
  repeats: fc.constantFrom(undefined, undefined, undefined, 1, 2, 3),
  others: fc.uniqueArray(fc.tuple(name, value), { maxLength: 12, selector: ([name]) => name }),
  isSensitive: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
  body: fc.constantFrom(0, 0, 1, 100, 20_000),
  trailers: fc.oneof(
    fc.constant([]),
    fc.uniqueArray(fc.tuple(name, text(20)), { maxLength: 3, selector: ([name]) => name }),
  ),
});

function headersOf(sent: SentRequest, traces: readonly TraceHeader[], index: number): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ":method": sent.body > 0 ? "POST" : "GET", ":path": `/${index % 7}` };
  const half = sent.others.length >> 1;
  for (const [name, value] of sent.others.slice(0, half)) headers[name] = value;
  if (traces.length > 0) headers["traceparent"] = traces.map(({ value }) => value);
  for (const [name, value] of sent.others.slice(half)) headers[name] = value;
  return sent.isSensitive ? { ...headers, [sensitiveHeaders]: ["traceparent"] } : headers;
}

async function send(session: ClientHttp2Session, sent: SentRequest, traces: readonly TraceHeader[], index: number) {
  const hasTrailers = sent.trailers.length > 0;
  const stream = session.request(headersOf(sent, traces, index), {
    endStream: sent.body === 0 && !hasTrailers,
    waitForTrailers: hasTrailers,
  } as object);
  if (hasTrailers) stream.on("wantTrailers", () => stream.sendTrailers(Object.fromEntries(sent.trailers)));
  stream.resume();
  if (sent.body > 0 || hasTrailers) stream.end(Buffer.alloc(sent.body, "traceparent"));
  await once(stream, "close");
}

/** Sends the requests over one connection, a few at a time; gives what went over it, and the contexts in order of the streams. */
async function record(requests: readonly SentRequest[], headerTableSize: number, clientTableSize: number) {
  const server = createServer({ settings: { headerTableSize }, maxHeaderListPairs: 4096, maxSessionMemory: 100 });
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    stream.resume();
    stream.on("end", () => {
      stream.respond({ ":status": 200, traceparent: "00-11111111111111111111111111111111-1111111111111111-01" });
      stream.end("traceparent");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await startRecordingProxy((server.address() as AddressInfo).port);
  const session = connect(`http://127.0.0.1:${proxy.port}`, { maxDeflateDynamicTableSize: clientTableSize } as object);
  await once(session, "remoteSettings");
  const traces: (readonly TraceHeader[])[] = [];
  for (let index = 0; index < requests.length; index += 4) {
    const sending = requests.slice(index, index + 4).map((sent, offset) => {
      const again = sent.repeats === undefined ? undefined : traces.at(-sent.repeats);
      const own = again ?? sent.traces;
      traces.push(own);
      return send(session, sent, own, index + offset);
    });
    await Promise.all(sending);
  }
  session.destroy();
  const connections = await proxy.close();
  server.close();
  const [connection] = connections;
  assert.ok(connection !== undefined && connections.length === 1);
  return { connection, traces };
}

const tableSizes: readonly [server: number, client: number][] = [
  [4096, 4096],
  [0, 4096],
  [200, 4096],
  [1000, 4096],
  [4096, 300],
  [65_536, 65_536],
];

describe("HTTP parser on streams of nghttp2's encoder", () => {
  for (const [serverSize, clientSize] of tableSizes)
    it(`finds every request's trace context with tables of ${serverSize} and ${clientSize} bytes`, async () => {
      const requests = fc.sample(request, { seed: seed + serverSize + clientSize, numRuns: 600 });
      const { connection, traces } = await record(requests, serverSize, clientSize);
      const events = parseStream(connection.requests, true);
      const expected = traces.map((all, index) => ({
        stream: index * 2 + 1,
        trace: all.length === 1 ? all[0]?.trace : undefined,
      }));
      assert.deepEqual(
        events
          .filter(({ kind }) => kind !== "end")
          .map(({ kind, stream, trace }) => (kind === "lost" ? kind : { stream, trace })),
        expected,
      );
      assert.ok(expected.filter(({ trace }) => trace !== undefined).length > 300);
      const ended = events.filter(({ kind }) => kind === "end").map(({ stream }) => stream);
      assert.deepEqual(
        ended.sort((a = 0, b = 0) => a - b),
        expected.map(({ stream }) => stream),
      );
      const answers = parseStream(connection.responses, true);
      assert.equal(answers.filter(({ kind }) => kind === "head").length, requests.length);
      assert.equal(answers.filter(({ kind }) => kind === "end").length, requests.length);
      assert.equal(answers.filter(({ trace, kind }) => trace !== undefined || kind === "lost").length, 0);
    });
});
