import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type SpanRecord, STATUS_ERROR } from "../../exporter/store/span-record.js";
import { whyNotLive } from "../lib/require-live.js";
import { type RunningSkbspan, startSkbspan } from "../lib/run-skbspan.js";
import { applicationNetwork, ports } from "./build-application-network.js";
import { type PacketJourney, PacketTree, renderJourneys } from "./packet-tree.js";
import { type Applications, startApplications } from "./start-applications.js";

/*
 * Real applications with the stock OpenTelemetry SDK, on both sides of a router that translates addresses, and the agent beside
 * them, all exporting to one store: the packets have to be under the application's own spans, and lie within their times.
 */

const TIMEOUT_MS = 900_000;
/** Packets that are on their way when the clients have ended. */
const SETTLE_MS = 3_000;
const { serviceAddress, serverAddress, proxyAddress, clientAddress, client, server } = applicationNetwork;
const CURL = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };
const CALLS = { one: 1, together: 3, apart: 2 };
const ALL_CALLS = CALLS.one + CALLS.together + CALLS.apart;

const KIND_SERVER = 2;
const KIND_CLIENT = 3;

/**
 * The SDK begins a span at a whole millisecond, the one before, and counts from where its second clock is read for the first time: all its
 * times are early, by 3 ms here at times and by more in a guest.
 */
const SDK_EARLY_NS = 250_000_000n;

describe("packets in the traces of real applications", { skip: whyNotLive(), timeout: TIMEOUT_MS }, () => {
  let applications: Applications;
  let agent: RunningSkbspan | undefined;
  let tree: PacketTree;

  before(async () => {
    const began = performance.now();
    const say = (what: string): void => console.log(`${what} after ${Math.round(performance.now() - began)} ms`);
    applications = await startApplications();
    say("the servers are ready");
    agent = await startAgent(applications.otlpUrl);
    say("the agent is attached");
    await runClients(applications);
    say("the clients have ended");
    await untilServersHaveSaid(applications);
    say("all spans of applications are there");
    agent.child.kill("SIGTERM");
    const { code, stderr } = await agent.result;
    assert.equal(code, 0, stderr);
    say("the agent has ended");
    assert.match(stderr, /exported: (\d+) of \1 journeys/);
    tree = new PacketTree([...applications.store.traces()].flatMap((trace) => trace.spans));
  });

  after(async () => {
    agent?.child.kill("SIGKILL");
    await applications?.close();
  });

  /** What a client's span must have below it, besides acknowledgements. */
  function assertUnder(span: SpanRecord, parts: readonly string[]): PacketJourney[] {
    const journeys = tree.under(span);
    const said = `under "${span.name}" of ${span.resource.attributes["service.name"]}:\n${renderJourneys(journeys)}`;
    for (const part of parts)
      assert.ok(
        journeys.some((journey) => journey.part === part),
        `no ${part} ${said}`,
      );
    for (const journey of journeys) assertWholeAndInTime(span, journey, said);
    return journeys;
  }

  it("HTTP: each request of a connection has its packets and its response's, and is the server's parent", () => {
    const [first, large, last, ...more] = tree.find("http-client", KIND_CLIENT);
    assert.ok(first && large && last && more.length === 0);
    const handshake = assertUnder(first, ["handshake", "data", "data response"]).filter(isHandshake);
    assert.deepEqual(handshake.map(({ tcpFlags }) => tcpFlags).sort(), ["ACK", "SYN", "SYN,ACK"]);
    const segments = assertUnder(large, ["data", "data response"]).filter(({ part }) => part === "data response");
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    assert.ok(segments.length > 1 && bytes > 30_000, renderJourneys(segments));
    assertUnder(last, ["data", "data response", "close"]);
    for (const span of [first, large, last]) {
      const requests = tree.under(span).filter(({ part }) => part === "data");
      assert.deepEqual(
        requests.map(({ to }) => to),
        [`${serviceAddress}:${ports.http.service}`],
      );
      assertCrosses(requests, client, server);
      assertServerSpan("http-server", span);
    }
    const sources = new Set([first, large, last].flatMap((span) => tree.under(span).map(({ source }) => source)));
    assert.deepEqual([...sources], ["http1"]);
  });

  it("gRPC: each of several calls at once on one connection has its own packets", () => {
    const calls = tree.find("grpc-client", KIND_CLIENT);
    assert.equal(calls.length, ALL_CALLS);
    const [one] = calls;
    assert.ok(one);
    assertUnder(one, ["handshake", "data", "data response"]);
    for (const span of calls.slice(-CALLS.apart)) {
      const journeys = assertUnder(span, ["data", "data response"]);
      assert.deepEqual([...new Set(journeys.map(({ source }) => source))], ["http2"]);
    }
    // Those that are made at once leave in one segment: it is under the first one's span, and has links to the others.
    for (const span of calls) {
      assertServerSpan("grpc-server", span);
      const found = [...assertUnder(span, []), ...tree.linkedTo(span)].filter(({ part }) => part === "data");
      assert.ok(found.length > 0, `no packet knows of the call ${span.spanId}`);
    }
    const ends = new Set(calls.flatMap((span) => tree.under(span).map(({ from }) => from)));
    assert.equal(ends.size, 2, `one connection: ${[...ends].join()}`);
  });

  it("nginx in between: the packets of both its connections are under the client's span", () => {
    const [span, ...more] = tree.find("proxied-client", KIND_CLIENT);
    assert.ok(span && more.length === 0);
    const data = assertUnder(span, ["handshake", "data", "data response"]).filter(({ part }) => /^data/.test(part));
    const ways = data.map(({ from, to, part }) => `${part} ${from.replace(/:.*/, "")} ${to.replace(/:.*/, "")}`);
    for (const way of [
      `data ${clientAddress} ${serviceAddress}`,
      `data ${proxyAddress} ${serviceAddress}`,
      `data response ${proxyAddress} `,
      `data response ${serverAddress} `,
    ])
      assert.ok(
        ways.some((found) => found.startsWith(way)),
        `${way} is not among:\n${ways.join("\n")}`,
      );
    assertServerSpan("http-server", span);
  });

  it("curl with a header written by hand: the span need not be known", () => {
    const journeys = tree.under(CURL);
    const parts = new Set(journeys.map(({ part }) => part));
    for (const part of ["handshake", "data", "data response", "close"])
      assert.ok(parts.has(part), `no ${part}:\n${renderJourneys(journeys)}`);
    assert.ok(journeys.every(({ root }) => root.traceId === CURL.traceId));
    assertServerSpan("http-server", CURL);
  });

  it("the helper, a port that a firewall drops: every SYN is under the client's span, an error with its reason", () => {
    const [span, ...more] = tree.find("dropped-client", KIND_CLIENT);
    assert.ok(span && more.length === 0);
    assert.equal(span.statusCode, STATUS_ERROR);
    const journeys = assertUnder(span, []);
    assert.ok(journeys.length >= 3, `a SYN and two retransmissions:\n${renderJourneys(journeys)}`);
    for (const { root, tcpFlags, source, part } of journeys) {
      assert.equal(tcpFlags, "SYN");
      assert.equal(source, "helper");
      assert.match(part, /^(handshake|retransmission)$/);
      assert.equal(root.statusCode, STATUS_ERROR);
      assert.equal(root.attributes["error.type"], "NETFILTER_DROP");
      assert.notEqual(root.statusMessage, "");
    }
  });

  it("the helper, HTTPS: the request's packets are under the client's span, the answer's under the server's", () => {
    const [span, ...more] = tree.find("https-client", KIND_CLIENT);
    assert.ok(span && more.length === 0);
    const journeys = assertUnder(span, ["handshake", "data"]);
    assert.deepEqual([...new Set(journeys.map(({ source }) => source))], ["helper"]);
    const answering = assertServerSpan("https-server", span);
    const answers = tree.under(answering).filter(({ from }) => from.startsWith(serverAddress));
    assert.ok(
      answers.some(({ part }) => part.startsWith("data")),
      renderJourneys(tree.under(answering)),
    );
  });

  it("every packet of these connections is somewhere", () => {
    const alone = tree.journeys.filter(({ root, part }) => root.parentSpanId === "" || part === "");
    assert.equal(renderJourneys(alone), "");
    assert.ok(tree.journeys.length > 60);
  });

  function assertServerSpan(service: string, parent: Pick<SpanRecord, "traceId" | "spanId">): SpanRecord {
    const children = tree.find(service, KIND_SERVER).filter(({ parentSpanId }) => parentSpanId === parent.spanId);
    assert.equal(children.length, 1, `spans of ${service} below ${parent.spanId}`);
    assert.equal(children[0]?.traceId, parent.traceId);
    return children[0] as SpanRecord;
  }

  function assertCrosses(journeys: readonly PacketJourney[], ...namespaces: readonly string[]): void {
    for (const { hops } of journeys) {
      const inodes = new Set(hops.map(({ attributes }) => attributes["netns.inode"]));
      for (const namespace of namespaces)
        assert.ok(
          inodes.has(applications.lab.inodes.get(namespace) ?? 0),
          `no hop in the namespace of the ${namespace}`,
        );
    }
  }
});

function isHandshake({ part }: PacketJourney): boolean {
  return part.startsWith("handshake");
}

/** In the application's trace with all its hops; between the ends of its span, but what comes after the last byte. */
function assertWholeAndInTime(span: SpanRecord, { root, hops, part, source }: PacketJourney, said: string): void {
  assert.equal(root.traceId, span.traceId);
  assert.ok(hops.length > 0, `without hops: ${said}`);
  for (const hop of hops) assert.equal(hop.traceId, span.traceId);
  assert.ok(root.startUnixNs >= span.startUnixNs, `begins ${span.startUnixNs - root.startUnixNs} ns before ${said}`);
  if (/^(acknowledgement|close|retransmission)/.test(part)) return;
  // Frames of the HTTP/2 connection itself (PING, GOAWAY) stay with the call before them, as docs/joining.md says.
  if (source === "http2" && root.startUnixNs > span.endUnixNs) return;
  assert.ok(root.endUnixNs <= span.endUnixNs + SDK_EARLY_NS, `ends after ${span.endUnixNs}, ${said}`);
}

async function startAgent(otlpUrl: string): Promise<RunningSkbspan> {
  const limits = ["journeys=0", "spans=0", "bytes=0B"].flatMap(
    (limit) => `--max-${limit.replace("=", "-per-second=")}`,
  );
  // All functions of all packets, where half of the spans would be too many under one for less.
  const bounds = ["--join-spans=20000", "--join-wait=20s"];
  const argv = ["run", "--listen", "127.0.0.1:0", "--flush-timeout", "300s", "--filter", applicationNetwork.filter];
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl };
  const agent = startSkbspan([...argv, ...limits, ...bounds], { environment, timeoutMs: TIMEOUT_MS });
  await agent.untilStderr(/attached to \d+ probes by/);
  return agent;
}

/** All at once: their packets have to be told apart. */
async function runClients({ runClient, lab }: Applications): Promise<void> {
  const http = `http://${serviceAddress}`;
  const calls = [String(CALLS.together), String(CALLS.apart)];
  const header = `traceparent: 00-${CURL.traceId}-${CURL.spanId}-01`;
  await Promise.all([
    runClient("http-client", ["60000", `${http}/one`, `${http}/large`, `${http}/three`], { service: "http-client" }),
    runClient("http-client", ["60000", `${http}:${ports.proxy.service}/proxied`], { service: "proxied-client" }),
    runClient("grpc-client", [`${serviceAddress}:${ports.grpc.service}`, ...calls], { service: "grpc-client" }),
    runClient("http-client", ["60000", `https://${serviceAddress}/x`], { service: "https-client", hasHelper: true }),
    runClient("http-client", ["6000", `${http}:${ports.dropped.service}/`], {
      service: "dropped-client",
      hasHelper: true,
    }),
    lab.require(client, ["curl", "-sS", "--max-time", "60", "-H", header, `${http}/curl`]),
  ]);
}

/** They send their spans a moment after they have answered; and the last packets have to end. */
async function untilServersHaveSaid({ store }: Applications): Promise<void> {
  for (let round = 0; round < 600; round++) {
    const tree = new PacketTree([...store.traces()].flatMap(({ spans }) => spans));
    const count = (service: string): number => tree.find(service, KIND_SERVER).length;
    if (count("http-server") >= 5 && count("https-server") >= 1 && count("grpc-server") >= ALL_CALLS) break;
    await sleep(200);
  }
  await sleep(SETTLE_MS);
}
