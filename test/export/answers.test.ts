import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { assertAccountedFor, lossesOf } from "../lib/account-for.js";
import { collectJourneys } from "../lib/collect-journeys.js";
import { droppedSeenByTracepoints, tcpAcrossNode } from "../lib/example-recordings.js";
import { numberJourneys } from "../lib/number-journeys.js";
import { openOtlpSink } from "../lib/open-otlp-sink.js";
import { type Answer, startOtlpServer } from "../lib/start-otlp-server.js";

/** How the sink takes each answer, over both protocols: every journey is accounted for, whatever comes. */

const delivered = collectJourneys(tcpAcrossNode())[0] as JourneySpans;
const dropped = collectJourneys(droppedSeenByTracepoints())[0] as JourneySpans;
/** Two requests: drops travel apart. */
const made = [...numberJourneys(delivered, 20), ...numberJourneys(dropped, 10)];

interface Case {
  readonly name: string;
  readonly protocol: "grpc" | "http";
  readonly answer: Answer;
}

function grpc(name: keyof typeof status, more: Answer = {}): Case {
  const code = status[name] as number;
  const label = more.retryInfoMs === undefined ? name : `${name} with RetryInfo`;
  return { name: label, protocol: "grpc", answer: { code, ...more } };
}

function http(httpStatus: number, more: Answer = {}): Case {
  const label = more.retryAfter === undefined ? `HTTP ${httpStatus}` : `HTTP ${httpStatus} with Retry-After`;
  return { name: label, protocol: "http", answer: { httpStatus, ...more } };
}

const passing: readonly Case[] = [
  ...(["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"] as const).map((name) =>
    grpc(name),
  ),
  grpc("RESOURCE_EXHAUSTED", { retryInfoMs: 60 }),
  grpc("UNAVAILABLE", { retryInfoMs: 60 }),
  grpc("RESOURCE_EXHAUSTED", { retryInfoMs: 0 }),
  ...[429, 502, 503, 504].map((code) => http(code)),
  http(429, { retryAfter: "0" }),
  http(503, { retryAfter: "Fri, 27 Nov 2026 00:00:00 GMT" }),
];

for (const { name, protocol, answer } of passing)
  test(`${name}: tried again until it is accepted, and accepted once`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    server.script(...new Array<Answer>(5).fill(answer));
    const { sink, messages } = openOtlpSink(context, server.url, { protocol });
    for (const journey of made) sink.accept(journey);
    await sink.close();
    const stats = assertAccountedFor(sink, made, [server]);
    assert.deepEqual(lossesOf(sink), {});
    assert.equal(server.requests.length, 7);
    assert.equal(stats.retries, 5);
    for (const times of server.accepted.values()) assert.equal(times, 1);
    assert.match(messages[0] ?? "", /^cannot send to .*, trying again: .*scripted/);
    assert.match(messages.at(-1) ?? "", /accepts spans again$/);
  });

const final: readonly Case[] = [
  ...(["INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED", "INTERNAL"] as const).map((name) =>
    grpc(name),
  ),
  grpc("RESOURCE_EXHAUSTED"),
  ...[400, 401, 403, 404, 413, 500].map((code) => http(code)),
];

for (const { name, protocol, answer } of final)
  test(`${name}: not tried again, counted, and what comes after goes on`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    server.script(answer);
    const { sink, messages } = openOtlpSink(context, server.url, { protocol });
    for (const journey of made) sink.accept(journey);
    await sink.close();
    assertAccountedFor(sink, made, [server]);
    assert.equal(server.requests.length, 2);
    // Drops are sent first.
    assert.deepEqual(lossesOf(sink), { refused: 10 });
    assert.match(messages[0] ?? "", new RegExp(`refused ${10 * dropped.spans.length} spans: ${name}.*scripted`));
    assert.equal(messages.length, 1);
    if (/UNAUTH|DENIED|40[13]/.test(name)) assert.match(messages[0] ?? "", /OTEL_EXPORTER_OTLP_HEADERS/);
    if (name === "HTTP 404") assert.match(messages[0] ?? "", /OTEL_EXPORTER_OTLP_TRACES_ENDPOINT/);
  });

for (const protocol of ["grpc", "http"] as const) {
  test(`partial success over ${protocol}: counted, never sent again`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    server.script({ rejectedSpans: 3, message: "too old" }, { rejectedSpans: 0, message: "a word of advice" });
    const { sink, messages } = openOtlpSink(context, server.url, { protocol });
    for (const journey of made) sink.accept(journey);
    await sink.close();
    const stats = assertAccountedFor(sink, made, [server]);
    assert.equal(server.requests.length, 2);
    assert.deepEqual(lossesOf(sink), { rejected: 3 });
    assert.equal(stats.lostSpans["rejected"], 3);
    assert.match(messages[0] ?? "", /rejected 3 of \d+ spans: too old/);
  });

  test(`a receiver over ${protocol} that rejects more than there is, or less than nothing`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    server.script({ rejectedSpans: 1_000_000 }, { rejectedSpans: -5 });
    const { sink } = openOtlpSink(context, server.url, { protocol });
    for (const journey of made) sink.accept(journey);
    await sink.close();
    assertAccountedFor(sink, made, [server]);
    assert.deepEqual(lossesOf(sink), { rejected: 10 });
  });

  test(`a pause that the receiver over ${protocol} asks for is kept`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    server.script(
      protocol === "grpc"
        ? { code: status.RESOURCE_EXHAUSTED, retryInfoMs: 1000 }
        : { httpStatus: 429, retryAfter: "1" },
    );
    const { sink } = openOtlpSink(context, server.url, { protocol });
    for (const journey of numberJourneys(delivered, 5)) sink.accept(journey);
    await sink.close();
    const [first, second] = server.requests;
    assert.ok(first && second);
    assert.ok(second.atMs - first.atMs >= 990, `it came back after ${second.atMs - first.atMs} ms`);
  });

  test(`headers and gzip over ${protocol}`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    const variables = { HEADERS: "x-tenant=blue,authorization=Bearer%20secret", COMPRESSION: "gzip" };
    const { sink } = openOtlpSink(context, server.url, { protocol, variables });
    for (const journey of made) sink.accept(journey);
    await sink.close();
    assertAccountedFor(sink, made, [server]);
    assert.deepEqual(lossesOf(sink), {});
    for (const { headers } of server.requests) {
      assert.equal(headers["x-tenant"], "blue");
      assert.equal(headers["authorization"], "Bearer secret");
      assert.match(headers["user-agent"] ?? "", /skbspan\/\d/);
      if (protocol === "http") assert.equal(headers["content-encoding"], "gzip");
    }
  });

  test(`a receiver over ${protocol} with a message limit of 4 MiB takes a great many large journeys`, async (context) => {
    const server = await startOtlpServer(context, { protocol, maxRequestBytes: 4 * 1024 * 1024 });
    const { sink } = openOtlpSink(context, server.url, { protocol, isPatient: true });
    const large = { ...delivered, spans: delivered.spans.concat(...new Array(150).fill(delivered.spans.slice(1))) };
    const journeys = numberJourneys(large, 60);
    for (const journey of journeys) {
      sink.accept(journey);
      await sink.drained();
    }
    await sink.close();
    assertAccountedFor(sink, journeys, [server]);
    assert.deepEqual(lossesOf(sink), {});
    const sizes = server.requests.map(({ bytes }) => bytes.length);
    assert.ok(sizes.length > 5 && Math.max(...sizes) <= 4 * 1024 * 1024, sizes.join(" "));
  });

  test(`a receiver over ${protocol} whose limit is lower: counted, and the message says why`, async (context) => {
    const server = await startOtlpServer(context, { protocol, maxRequestBytes: 2000 });
    const { sink, messages } = openOtlpSink(context, server.url, { protocol });
    for (const journey of made) sink.accept(journey);
    await sink.close();
    assertAccountedFor(sink, made, [server]);
    assert.deepEqual(lossesOf(sink), { refused: 30 });
    assert.match(messages[0] ?? "", /the receiver's limit is lower/);
  });
}

for (const protocol of ["grpc", "http"] as const)
  test(`a receiver over ${protocol} at an address of IPv6`, async (context) => {
    const server = await startOtlpServer(context, { protocol, host: "::1" });
    const { sink } = openOtlpSink(context, server.url, { protocol });
    for (const journey of made) sink.accept(journey);
    await sink.close();
    assertAccountedFor(sink, made, [server]);
    assert.deepEqual(lossesOf(sink), {});
  });

test("a setting that cannot be read is told, and the default taken", async (context) => {
  for (const protocol of ["grpc", "http"] as const) {
    const server = await startOtlpServer(context, { protocol });
    const variables = { COMPRESSION: "zstd", TIMEOUT: "-1" };
    const { sink, messages } = openOtlpSink(context, server.url, { protocol, variables });
    for (const journey of made) sink.accept(journey);
    await sink.close();
    assertAccountedFor(sink, made, [server]);
    assert.match(messages.join("\n"), /OTEL_EXPORTER_OTLP_COMPRESSION is invalid, expected 'none' or 'gzip'/);
    assert.match(messages.join("\n"), /OTEL_EXPORTER_OTLP_TIMEOUT is invalid/);
  }
});
