import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { assertAccountedFor, lossesOf, until } from "../lib/account-for.js";
import { collectJourneys } from "../lib/collect-journeys.js";
import { droppedSeenByTracepoints, tcpAcrossNode } from "../lib/example-recordings.js";
import { numberJourneys } from "../lib/number-journeys.js";
import { openOtlpSink } from "../lib/open-otlp-sink.js";
import { startFaultProxy } from "../lib/start-fault-proxy.js";
import { startLoad } from "../lib/start-load.js";
import { startOtlpServer } from "../lib/start-otlp-server.js";

/** Receivers that go, come, hang and break: every journey is accounted for, at every moment. */

const delivered = collectJourneys(tcpAcrossNode())[0] as JourneySpans;
const dropped = collectJourneys(droppedSeenByTracepoints())[0] as JourneySpans;
const sleep = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

for (const protocol of ["grpc", "http"] as const) {
  test(`${protocol}: a receiver that is not there at the start gets what was kept`, async (context) => {
    const early = await startOtlpServer(context, { protocol });
    await early.stop();
    const { sink, messages } = openOtlpSink(context, early.url, { protocol });
    const load = startLoad(context, sink);
    await until("an attempt", () => sink.stats().retries >= 3);
    assert.equal(sink.stats().sentJourneys, 0);
    const late = await startOtlpServer(context, { protocol, port: early.port });
    await until("the first request", () => sink.stats().sentJourneys > 0);
    await load.stop();
    await sink.close();
    assertAccountedFor(sink, load.made, [late]);
    assert.deepEqual(lossesOf(sink), {});
    assert.match(messages[0] ?? "", /^cannot send to .*127\.0\.0\.1:\d+.*, trying again: .*ECONNREFUSED/);
    assert.equal(messages.filter((text) => text.includes("cannot send")).length, 1, "one outage is told once");
  });

  test(`${protocol}: a receiver that is killed and started again, under load, three times`, async (context) => {
    const servers = [await startOtlpServer(context, { protocol })];
    const { port, url } = servers[0] ?? assert.fail();
    const { sink } = openOtlpSink(context, url, { protocol });
    const load = startLoad(context, sink);
    for (let round = 0; round < 3; round++) {
      const before = sink.stats().sentJourneys;
      await until("journeys that arrive", () => sink.stats().sentJourneys > before + 50);
      await servers.at(-1)?.stop();
      const { retries } = sink.stats();
      await until("attempts during the outage", () => sink.stats().retries > retries + 2);
      servers.push(await startOtlpServer(context, { protocol, port }));
    }
    await until("journeys after the last outage", () => (servers.at(-1)?.accepted.size ?? 0) > 50);
    await load.stop();
    await sink.close();
    // What a killed receiver had taken without saying so, was sent again.
    assertAccountedFor(sink, load.made, servers, { isAmbiguous: true });
    assert.deepEqual(lossesOf(sink), {});
  });

  test(`${protocol}: a slow receiver: what does not fit is lost by count, drops last`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    // Enough for the drops, not for the rest.
    server.otherwise({ delayMs: 60 });
    const maxBufferedBytes = 300_000;
    const { sink } = openOtlpSink(context, server.url, { protocol, maxBufferedBytes });
    const load = startLoad(context, sink, { everyMs: 50, ordinary: 40 });
    let highestBytes = 0;
    await until("a loss", () => {
      highestBytes = Math.max(highestBytes, sink.stats().bufferedBytes);
      return (sink.stats().lostJourneys["buffer_full"] ?? 0) > 200;
    });
    await load.stop();
    await sink.close();
    assertAccountedFor(sink, load.made, [server]);
    assert.ok(highestBytes <= maxBufferedBytes, `${highestBytes} bytes`);
    assert.deepEqual(Object.keys(lossesOf(sink)), ["buffer_full"]);
    const drops = [...server.accepted.keys()].filter((trace) => trace.startsWith("00000002"));
    assert.equal(
      drops.length,
      load.made.filter(({ isFault }) => isFault).length,
      "no drop is lost while others can go",
    );
  });

  test(`${protocol}: a receiver that answers too late, then in time`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    server.script({ delayMs: 2000 }, { delayMs: 2000 });
    const { sink, messages } = openOtlpSink(context, server.url, { protocol, variables: { TIMEOUT: "500" } });
    const made = numberJourneys(delivered, 30);
    for (const journey of made) sink.accept(journey);
    await sink.close();
    // The late answers were acceptances: those journeys are there twice, which OTLP allows, and none is missing.
    assertAccountedFor(sink, made, [server], { isAmbiguous: true });
    assert.deepEqual(lossesOf(sink), {});
    assert.match(messages[0] ?? "", /DEADLINE_EXCEEDED|no answer within 0\.5 s/);
  });

  test(`${protocol}: a connection that is reset in the middle of a request`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    const proxy = await startFaultProxy(context, server.port);
    const { sink } = openOtlpSink(context, `http://127.0.0.1:${proxy.port}`, { protocol });
    const load = startLoad(context, sink);
    for (let round = 0; round < 5; round++) {
      const { sentJourneys } = sink.stats();
      proxy.resetAfter(10_000 + 7000 * round);
      await until("journeys that arrive", () => sink.stats().sentJourneys > sentJourneys + 100);
    }
    await load.stop();
    await sink.close();
    assertAccountedFor(sink, load.made, [server], { isAmbiguous: true });
    assert.deepEqual(lossesOf(sink), {});
    assert.ok(sink.stats().retries > 0);
    assert.ok(proxy.connections > 1);
  });

  test(`${protocol}: a connection whose other end is gone without a word is left for a new one`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    const proxy = await startFaultProxy(context, server.port);
    const variables = { TIMEOUT: "2000" };
    const { sink } = openOtlpSink(context, `http://127.0.0.1:${proxy.port}`, { protocol, variables });
    const load = startLoad(context, sink);
    await until("journeys that arrive", () => sink.stats().sentJourneys > 50);
    proxy.stallOpen();
    const { sentJourneys, retries } = sink.stats();
    await until("journeys over a new connection", () => sink.stats().sentJourneys > sentJourneys + 100);
    // Those that were on their way; the official exporter alone stays with a connection for more than five timeouts.
    assert.ok(sink.stats().retries <= retries + 5, `${sink.stats().retries - retries} attempts`);
    await load.stop();
    await sink.close();
    assertAccountedFor(sink, load.made, [server], { isAmbiguous: true });
    assert.deepEqual(lossesOf(sink), {});
  });

  test(`${protocol}: a connection that was ended while nothing was sent`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    const proxy = await startFaultProxy(context, server.port);
    const { sink } = openOtlpSink(context, `http://127.0.0.1:${proxy.port}`, { protocol });
    const made: JourneySpans[] = [];
    for (let round = 0; round < 5; round++) {
      const more = numberJourneys(delivered, 10, made.length);
      for (const journey of more) sink.accept(journey);
      made.push(...more);
      await sink.flush();
      proxy.refuse(true);
      proxy.refuse(false);
    }
    await sink.close();
    assertAccountedFor(sink, made, [server], { isAmbiguous: true });
    assert.deepEqual(lossesOf(sink), {});
    assert.ok(proxy.connections >= 5, `${proxy.connections} connections`);
  });

  test(`${protocol}: each attempt of ours is one to connect, however long the outage`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    const proxy = await startFaultProxy(context, server.port);
    const { sink } = openOtlpSink(context, `http://127.0.0.1:${proxy.port}`, { protocol });
    const load = startLoad(context, sink, { everyMs: 100 });
    await until("journeys that arrive", () => sink.stats().sentJourneys > 0);
    proxy.refuse(true);
    await until("failures", () => sink.stats().retries >= 8);
    const before = { retries: sink.stats().retries, connections: proxy.connections };
    // grpc-js alone would connect after 1 s, 1.6 s, and so on up to two minutes.
    await until("attempts", () => sink.stats().retries >= before.retries + 20);
    assert.ok(proxy.connections >= before.connections + 15, `${proxy.connections - before.connections} connections`);
    proxy.refuse(false);
    const { sentJourneys } = sink.stats();
    await until("journeys that arrive again", () => sink.stats().sentJourneys > sentJourneys);
    await load.stop();
    await sink.close();
    assertAccountedFor(sink, load.made, [server], { isAmbiguous: true });
    assert.deepEqual(lossesOf(sink), {});
  });

  test(`${protocol}: after a long outage, what is too old is given up, what is newer arrives`, async (context) => {
    const early = await startOtlpServer(context, { protocol });
    await early.stop();
    // Hours in short: more than `giveUpMs` is what counts.
    const options = { protocol, giveUpMs: 1500, firstBackoffMs: 100, maxBackoffMs: 400 } as const;
    const { sink } = openOtlpSink(context, early.url, options);
    const load = startLoad(context, sink, { everyMs: 100 });
    await until("journeys that are given up", () => (sink.stats().lostJourneys["gave_up"] ?? 0) > 0);
    await sleep(2000);
    const late = await startOtlpServer(context, { protocol, port: early.port });
    await until("a request", () => sink.stats().sentJourneys > 0);
    await load.stop();
    await sink.close();
    assertAccountedFor(sink, load.made, [late]);
    assert.deepEqual(Object.keys(lossesOf(sink)), ["gave_up"]);
  });

  test(`${protocol}: at the end all is flushed that can be, in a bounded time, and the rest is counted`, async (context) => {
    const server = await startOtlpServer(context, { protocol });
    server.script({}, { isSilent: true });
    const { sink } = openOtlpSink(context, server.url, { protocol, flushTimeoutMs: 700 });
    const made = [...numberJourneys(delivered, 20), ...numberJourneys(dropped, 10)];
    for (const journey of made) sink.accept(journey);
    const startMs = performance.now();
    await sink.close();
    assert.ok(performance.now() - startMs < 15_000);
    assertAccountedFor(sink, made, [server]);
    assert.deepEqual(lossesOf(sink), { closed: 20 });
  });

  test(`${protocol}: at the end, a pause of our own is cut short`, async (context) => {
    const early = await startOtlpServer(context, { protocol });
    await early.stop();
    const patience = { firstBackoffMs: 60_000, maxBackoffMs: 60_000 };
    const { sink } = openOtlpSink(context, early.url, { protocol, ...patience });
    const made = numberJourneys(delivered, 20);
    for (const journey of made) sink.accept(journey);
    await until("an attempt", () => sink.stats().retries > 0);
    const late = await startOtlpServer(context, { protocol, port: early.port });
    await sink.close();
    assertAccountedFor(sink, made, [late]);
    assert.deepEqual(lossesOf(sink), {});
  });
}

test("a pause that the receiver asked for holds at the end too: what it keeps back is counted", async (context) => {
  const server = await startOtlpServer(context);
  server.otherwise({ code: status.RESOURCE_EXHAUSTED, retryInfoMs: 3_000_000_000 });
  const { sink } = openOtlpSink(context, server.url, { flushTimeoutMs: 500 });
  const made = numberJourneys(delivered, 20);
  for (const journey of made) sink.accept(journey);
  await until("a request", () => server.requests.length > 0);
  await sink.close();
  assertAccountedFor(sink, made, [server]);
  assert.equal(server.requests.length, 1, "a month is more than a timer of node's can hold");
  assert.deepEqual(lossesOf(sink), { closed: 20 });
});

test("drops alone: when memory is short the oldest go first", async (context) => {
  const server = await startOtlpServer(context);
  server.otherwise({ code: status.UNAVAILABLE });
  const { sink } = openOtlpSink(context, server.url, { maxBufferedBytes: 100_000, batchBytes: 1 });
  const made = numberJourneys(dropped, 200);
  for (const journey of made) sink.accept(journey);
  assert.ok(sink.stats().bufferedBytes <= 100_000);
  server.otherwise({});
  await sink.close();
  assertAccountedFor(sink, made, [server]);
  const lost = lossesOf(sink)["buffer_full"] ?? 0;
  assert.ok(lost > 0);
  const newest = numberJourneys(dropped, 1, 199)[0] ?? assert.fail();
  assert.ok(server.accepted.has(Buffer.from(newest.traceId).toString("hex")));
});
