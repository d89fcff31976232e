import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { OtlpSink } from "../../exporter/export/create-otlp-sink.js";
import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { assertBalance, lossesOf, until } from "../lib/account-for.js";
import { collectJourneys } from "../lib/collect-journeys.js";
import { buildExampleRecording } from "../lib/example-recording.js";
import { droppedSeenByTracepoints, tcpAcrossNode } from "../lib/example-recordings.js";
import { makeCertificates } from "../lib/make-certificates.js";
import { numberJourneys, traceIdOf } from "../lib/number-journeys.js";
import { openOtlpSink } from "../lib/open-otlp-sink.js";
import { startSkbspan } from "../lib/run-skbspan.js";
import { type Load, startLoad } from "../lib/start-load.js";
import { startOtlpServer } from "../lib/start-otlp-server.js";
import { type Collector, type CollectorOptions, renderCollectorConfig, startCollector } from "./lib/start-collector.js";

/** The exporter and the real Collector when one of them is in trouble: every journey is accounted for. */

const delivered = collectJourneys(tcpAcrossNode())[0] as JourneySpans;
const dropped = collectJourneys(droppedSeenByTracepoints())[0] as JourneySpans;
const made = [...numberJourneys(delivered, 300), ...numberJourneys(dropped, 100)];

async function start(context: TestContext, options: Partial<CollectorOptions> = {}): Promise<Collector> {
  const collector = await startCollector({ config: renderCollectorConfig, ...options });
  context.after(() => collector.stop());
  return collector;
}

/** All that the sink says it sent to this Collector since it had sent `before`, this Collector says it accepted. */
async function assertAccepted(collector: Collector, sink: OtlpSink, before = 0): Promise<void> {
  assert.equal(await collector.count("otelcol_receiver_accepted_spans"), sink.stats().sentSpans - before);
}

async function closeAll(sink: OtlpSink, load: Load): Promise<void> {
  await load.stop();
  await sink.close();
  assert.equal(assertBalance(sink, load.made).waitingJourneys, 0);
}

for (const protocol of ["grpc", "http"] as const) {
  const urlOf = (collector: Collector): string => (protocol === "grpc" ? collector.grpcUrl : collector.httpUrl);

  test(`${protocol}: all of it arrives, with gzip too`, async (context) => {
    for (const COMPRESSION of ["none", "gzip"]) {
      const collector = await start(context);
      const { sink } = openOtlpSink(context, urlOf(collector), { protocol, variables: { COMPRESSION } });
      for (const journey of made) sink.accept(journey);
      await sink.close();
      assertBalance(sink, made);
      assert.deepEqual(lossesOf(sink), {});
      await assertAccepted(collector, sink);
    }
  });

  test(`${protocol}: a Collector that is killed under load and started again, twice`, async (context) => {
    let collector = await start(context);
    const { ports } = collector;
    const { sink, messages } = openOtlpSink(context, urlOf(collector), { protocol });
    const load = startLoad(context, sink);
    let sentBefore = 0;
    for (let round = 0; round < 2; round++) {
      const { sentJourneys } = sink.stats();
      await until("journeys that arrive", () => sink.stats().sentJourneys > sentJourneys + 200);
      await collector.kill();
      const { retries } = sink.stats();
      // By then, what was on its way has been answered by nobody.
      await until("attempts during the outage", () => sink.stats().retries > retries + 10);
      sentBefore = sink.stats().sentSpans;
      collector = await start(context, { ports });
    }
    const { sentJourneys } = sink.stats();
    await until("journeys after the last outage", () => sink.stats().sentJourneys > sentJourneys + 200);
    await closeAll(sink, load);
    assert.deepEqual(lossesOf(sink), {});
    await assertAccepted(collector, sink, sentBefore);
    assert.match(messages.join("\n"), /cannot send to .*trying again: .*\n.*accepts spans again/);
  });

  test(`${protocol}: a Collector that is not there at the start`, async (context) => {
    const early = await start(context);
    await early.stop();
    const { sink } = openOtlpSink(context, urlOf(early), { protocol });
    const load = startLoad(context, sink);
    await until("attempts", () => sink.stats().retries > 5);
    const late = await start(context, { ports: early.ports });
    await until("journeys that arrive", () => sink.stats().sentJourneys > 100);
    await closeAll(sink, load);
    assert.deepEqual(lossesOf(sink), {});
    await assertAccepted(late, sink);
  });

  test(`${protocol}: a Collector whose memory limiter refuses, then one that takes all`, async (context) => {
    const short = await start(context, {
      config: (ports) =>
        renderCollectorConfig(ports, {
          processors: "{memory_limiter: {check_interval: 100ms, limit_mib: 2, spike_limit_mib: 1}}",
          pipeline: "{receivers: [otlp], processors: [memory_limiter], exporters: [nop]}",
        }),
    });
    const { sink, messages } = openOtlpSink(context, urlOf(short), { protocol });
    // Until the limiter looks for the first time, it takes some.
    const load = startLoad(context, sink);
    await until("refusals", () => sink.stats().retries > 5);
    assert.match(messages[0] ?? "", /trying again: .*data refused due to high memory usage/);
    await short.stop();
    const { sentSpans, sentJourneys } = sink.stats();
    const collector = await start(context, { ports: short.ports });
    await until("journeys that arrive", () => sink.stats().sentJourneys > sentJourneys);
    await closeAll(sink, load);
    assert.deepEqual(lossesOf(sink), {});
    await assertAccepted(collector, sink, sentSpans);
  });
}

test("a Collector whose own backend is slow: its full queue refuses, and in the end the backend has every journey", async (context) => {
  const backend = await startOtlpServer(context);
  backend.otherwise({ delayMs: 300 });
  const exporters = `{otlp_grpc: {endpoint: "127.0.0.1:${backend.port}", tls: {insecure: true},
    sending_queue: {queue_size: 2, num_consumers: 1, sizer: requests}}}`;
  const collector = await start(context, {
    config: (ports) =>
      renderCollectorConfig(ports, { exporters, pipeline: "{receivers: [otlp], exporters: [otlp_grpc]}" }),
  });
  const { sink, messages } = openOtlpSink(context, collector.grpcUrl);
  const load = startLoad(context, sink);
  await until("refusals", () => sink.stats().retries > 5);
  assert.match(messages[0] ?? "", /trying again: UNAVAILABLE: .*queue is full/);
  await load.stop();
  backend.otherwise({});
  await closeAll(sink, load);
  assert.deepEqual(lossesOf(sink), {});
  // It empties its queue before it ends.
  await collector.stop();
  assert.deepEqual([...backend.accepted.keys()].sort(), load.made.map(traceIdOf).sort());
});

for (const protocol of ["grpc", "http/protobuf"] as const)
  test(`the agent, over ${protocol}, through an outage: its metrics and its summary account for every journey`, async (context) => {
    let collector = await start(context);
    const { ports } = collector;
    const endpoint = protocol === "grpc" ? collector.grpcUrl : collector.httpUrl;
    const environment = { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
    const limits = ["--max-journeys-per-second", "0", "--max-bytes-per-second", "0B"];
    const agent = startSkbspan(["run", "--from", "-", "--listen", "127.0.0.1:0", "--flush-timeout", "1m", ...limits], {
      environment,
      timeoutMs: 300_000,
    });
    await agent.untilStderr(/on http:\/\/127\.0\.0\.1:\d+/);
    const url = /on (http:\S+)/.exec(agent.written().stderr)?.[1] ?? "";
    const bytes = buildExampleRecording(300);
    const third = bytes.length / 3;
    agent.child.stdin?.write(bytes.subarray(0, third));
    await untilMetrics(url, ({ given, sent }) => given > 50 && sent === given);
    await collector.kill();
    agent.child.stdin?.write(bytes.subarray(third, 2 * third));
    await untilMetrics(url, ({ given, sent, waiting, retries }) => waiting > 0 && retries > 1 && given > sent);
    collector = await start(context, { ports });
    await untilMetrics(url, ({ given, sent }) => given > 150 && sent === given);
    agent.child.stdin?.end(bytes.subarray(2 * third));
    const { code, stderr } = await agent.result;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /exported: 300 of 300 journeys by otlp/);
    assert.doesNotMatch(stderr, /not exported/);
  });

interface ExportFigures {
  readonly given: number;
  readonly sent: number;
  readonly waiting: number;
  readonly retries: number;
}

/** Scrapes until `isReached`, for a minute at most; given = sent + lost + waiting in every scrape. */
async function untilMetrics(url: string, isReached: (figures: ExportFigures) => boolean): Promise<void> {
  let text = "";
  for (let round = 0; round < 600; round++) {
    text = await (await fetch(`${url}/metrics`)).text();
    const sum = (name: string): number =>
      [...text.matchAll(new RegExp(`^skbspan_sink_${name}\\{.*\\} (\\d+)$`, "gm"))].reduce(
        (total, [, value]) => total + Number(value),
        0,
      );
    const given = sum("journeys_total");
    const sent = sum("journeys_sent_total");
    const waiting = sum("journeys_waiting");
    assert.equal(given, sent + sum("journeys_lost_total") + waiting, text);
    if (isReached({ given, sent, waiting, retries: sum("retries_total") })) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`not reached:\n${text}`);
}

test("requests stay below the Collector's message limit, however large the journeys", async (context) => {
  const collector = await start(context, {
    config: (ports) => renderCollectorConfig(ports, { grpc: "max_recv_msg_size_mib: 4" }),
  });
  const { sink } = openOtlpSink(context, collector.grpcUrl, { isPatient: true });
  const large = { ...delivered, spans: delivered.spans.concat(...new Array(300).fill(delivered.spans.slice(1))) };
  const journeys = numberJourneys(large, 60);
  for (const journey of journeys) {
    sink.accept(journey);
    await sink.drained();
  }
  await sink.close();
  assertBalance(sink, journeys);
  assert.deepEqual(lossesOf(sink), {});
  await assertAccepted(collector, sink);
});

test("a Collector with a lower message limit: counted, and the message says why", async (context) => {
  const collector = await start(context, {
    config: (ports) => renderCollectorConfig(ports, { grpc: "max_recv_msg_size_mib: 1" }),
  });
  const { sink, messages } = openOtlpSink(context, collector.grpcUrl, { batchDelayMs: 10_000 });
  for (const journey of made) sink.accept(journey);
  await sink.close();
  assertBalance(sink, made);
  const refused = lossesOf(sink)["refused"] ?? 0;
  assert.ok(refused > 0 && refused < made.length, `${refused} refused`);
  assert.match(messages.join("\n"), /refused \d+ spans: RESOURCE_EXHAUSTED: .*the receiver's limit is lower/);
  await assertAccepted(collector, sink);
});

test("mutual TLS with the Collector; a certificate that it does not know is named", async (context) => {
  const certificates = makeCertificates();
  context.after(() => certificates.remove());
  const authority = certificates.createAuthority("authority");
  const { certificateFile, keyFile } = authority.issue("collector");
  const tls = `tls: {cert_file: ${certificateFile}, key_file: ${keyFile}, client_ca_file: ${authority.certificateFile}}`;
  const collector = await start(context, { config: (ports) => renderCollectorConfig(ports, { grpc: tls }) });
  const url = collector.grpcUrl.replace("http:", "https:");
  const open = (client: { certificateFile: string; keyFile: string }, flushTimeoutMs: number) =>
    openOtlpSink(context, url, {
      flushTimeoutMs,
      variables: {
        CERTIFICATE: authority.certificateFile,
        CLIENT_CERTIFICATE: client.certificateFile,
        CLIENT_KEY: client.keyFile,
      },
    });
  const stranger = open(certificates.createAuthority("stranger").issue("foreign"), 100);
  for (const journey of made) stranger.sink.accept(journey);
  await until("a message", () => stranger.messages.length > 0);
  await stranger.sink.close();
  assertBalance(stranger.sink, made);
  assert.deepEqual(lossesOf(stranger.sink), { closed: made.length });
  assert.match(stranger.messages[0] ?? "", /foreign\.crt, which OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE names/);
  const { sink } = open(authority.issue("agent"), 30_000);
  for (const journey of made) sink.accept(journey);
  await sink.close();
  assert.deepEqual(lossesOf(sink), {});
  await assertAccepted(collector, sink);
});
