import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { get as getSecurely } from "node:https";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { defaultJoining } from "../../test/lib/default-joining.js";
import { makeCertificates } from "../../test/lib/make-certificates.js";
import type { HelloFrame } from "../decode/frame.js";
import { createNodeState } from "../enrich/create-node-state.js";
import { createJoiner } from "../join/create-joiner.js";
import { UserError } from "../lib/user-error.js";
import { wireStat } from "../wire/layout.js";
import type { AgentSnapshot } from "./agent-snapshot.js";
import { createControlServer } from "./create-control-server.js";
import type { DropSeries } from "./create-drop-counter.js";
import { createExportHealth } from "./create-export-health.js";
import { metrics } from "./metrics.js";

const hello: HelloFrame = {
  type: "hello",
  startMonotonicNs: 1n,
  startRealtimeNs: 1n,
  attachDurationNs: 250_000_000,
  nodeNetnsInode: 1,
  backend: "kprobe.multi",
  cpuCount: 2,
  discoveredFunctions: 2406,
  attachedFunctions: 120,
  skippedFunctions: 3,
  skbBytes: 224,
  kernelRelease: '6.12.0-"odd"',
  hostName: "node",
  hostId: "",
  filter: "",
};

const dropSeries: DropSeries = {
  labels: {
    reason: "NETFILTER_DROP",
    location: "nft_do_chain",
    place: "linux-network",
    namespace: "shop",
    workload: "checkout",
    source: "10.1.2.3",
    destination: "10.1.2.4:80",
  },
  count: 7,
  exemplar: { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", unixMs: 1_700_000_000_250 },
};

function snapshot(parts: Partial<AgentSnapshot> = {}): AgentSnapshot {
  const state = createNodeState();
  state.apply(hello);
  const values = Array.from({ length: wireStat.count }, (_, index) => index + 1000);
  state.apply({ type: "stats", monotonicNs: 1n, values });
  return {
    version: "1.2.3",
    state,
    sinks: [
      {
        name: "otlp",
        stats: {
          acceptedJourneys: 5,
          acceptedSpans: 50,
          sentJourneys: 3,
          sentSpans: 40,
          lostJourneys: { buffer_full: 1 },
          lostSpans: { buffer_full: 10 },
          waitingJourneys: 1,
          retries: 2,
        } as never,
      },
    ],
    dropsByReason: new Map([["NETFILTER_DROP", 7]]),
    dropSeries: [dropSeries],
    joining: {
      ...createJoiner(defaultJoining).stats(),
      joined: { http1: 11, http2: 12, "tcp-option": 0, thread: 0, tls: 0, helper: 0 },
      past: { journeys: 1, spans: 2, trace: 0, time: 3 },
      leftOut: 6,
      crowdedOut: 4,
      shed: 5,
    },
    volume: {
      left: { functions: 3, layers: 2, summary: 1 },
      shed: { sampled: 4, burst: 0 },
      beyond: { journeys: 1, spans: 1 },
      plan: { detail: "layers", share: 0.5 },
      isSaving: true,
    },
    exportFailingMs: 0,
    namespaces: {
      method: "iterator",
      isLive: true,
      namespaces: 9,
      podNamespaces: 6,
      disputedNamespaces: 1,
      lostReports: 4,
      waiting: 2,
      waited: 17,
      settled: 10,
      overdue: 3,
      crowdedOut: 2,
    },
    ...parts,
  };
}

function serve(parts?: Partial<AgentSnapshot>) {
  return createControlServer({ takeSnapshot: () => snapshot(parts), unreadyAfterMs: 30_000 });
}

test("the process is healthy as soon as it answers, ready once the tracer is attached", async () => {
  const early = serve({ state: createNodeState() }).server;
  assert.equal((await early.inject("/healthz")).statusCode, 200);
  const answer = await early.inject("/readyz");
  assert.equal(answer.statusCode, 503);
  assert.deepEqual(answer.json(), { status: "not ready", reason: "the tracer is not attached yet" });
  assert.deepEqual((await serve().server.inject("/readyz")).json(), { status: "ready" });
  assert.equal((await serve().server.inject("/wat")).statusCode, 404);
});

test("not ready any more when exporting has failed for too long", async () => {
  assert.equal((await serve({ exportFailingMs: 30_000 }).server.inject("/readyz")).statusCode, 200);
  const answer = await serve({ exportFailingMs: 31_000 }).server.inject("/readyz");
  assert.equal(answer.statusCode, 503);
  assert.match(answer.json().reason, /exporting has failed for 31 s/);
});

test("metrics are Prometheus text: each sample once, under its type, labels escaped", async () => {
  const answer = await serve().server.inject("/metrics");
  assert.equal(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  assert.ok(answer.body.endsWith("\n"));
  const samples = new Map<string, string>();
  const types = new Map<string, string>();
  for (const line of answer.body.trimEnd().split("\n")) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type) types.set(type[1] ?? "", type[2] ?? "");
    if (line.startsWith("#")) continue;
    const match = /^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)+\})? (-?[0-9.e+-]+)$/.exec(line);
    assert.ok(match, `not a sample: ${line}`);
    const [, name = "", labels = "", value = ""] = match;
    assert.ok(types.has(name), `${name} has no type`);
    assert.ok(!samples.has(name + labels), `${name}${labels} is there twice`);
    samples.set(name + labels, value);
  }
  assert.equal(samples.get('skbspan_tracer_info{backend="kprobe.multi",kernel="6.12.0-\\"odd\\""}'), "1");
  assert.equal(samples.get("skbspan_journeys_started_total"), String(1000 + wireStat.started));
  assert.equal(samples.get('skbspan_journeys_lost_total{cause="ring_full"}'), String(1000 + wireStat.lostRingFull));
  assert.equal(samples.get('skbspan_drops_total{reason="NETFILTER_DROP"}'), "7");
  assert.equal(samples.get('skbspan_sink_spans_lost_total{sink="otlp",cause="buffer_full"}'), "10");
  assert.equal(samples.get('skbspan_sink_journeys_total{sink="otlp"}'), "5");
  assert.equal(samples.get('skbspan_sink_journeys_sent_total{sink="otlp"}'), "3");
  assert.equal(samples.get('skbspan_sink_journeys_lost_total{sink="otlp",cause="buffer_full"}'), "1");
  assert.equal(samples.get('skbspan_sink_journeys_waiting{sink="otlp"}'), "1");
  assert.equal(samples.get('skbspan_sink_retries_total{sink="otlp"}'), "2");
  assert.equal(samples.get('skbspan_journeys_joined_total{source="http2"}'), "12");
  assert.equal(samples.get('skbspan_journeys_past_bound_total{bound="time"}'), "3");
  assert.equal(samples.get("skbspan_journeys_of_requests_left_out_total"), "6");
  assert.equal(samples.get('skbspan_journeys_join_waited_total{outcome="crowded_out"}'), "4");
  assert.equal(samples.get("skbspan_journeys_not_sampled_total"), "5");
  assert.equal(samples.get("skbspan_attach_duration_seconds"), "0.25");
  assert.equal(samples.has('skbspan_sink_buffered_bytes{sink="otlp"}'), false);
});

test("OpenMetrics for who takes it: families without _total, an exemplar beside a drop, an end", async () => {
  const accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2";
  const answer = await serve().server.inject({ url: "/metrics", headers: { accept } });
  assert.equal(answer.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
  assert.ok(answer.body.endsWith("\n# EOF\n"));
  assert.match(answer.body, /^# TYPE skbspan_drop_faults counter$/m);
  const line = answer.body.split("\n").find((each) => each.startsWith("skbspan_drop_faults_total{"));
  assert.equal(
    line,
    'skbspan_drop_faults_total{reason="NETFILTER_DROP",location="nft_do_chain",place="linux-network",namespace="shop",' +
      'workload="checkout",source="10.1.2.3",destination="10.1.2.4:80"} 7 ' +
      '# {trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"} 1 1700000000.250',
  );
});

test("names follow Prometheus' rules, and every count of the tracer is there", async () => {
  for (const { name, type, help } of metrics) {
    assert.match(name, /^(skbspan|process)_[a-z_]+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.match(help, /\.$/, name);
  }
  const { body } = await serve().server.inject("/metrics");
  for (const [key, index] of Object.entries(wireStat))
    if (key !== "count") assert.match(body, new RegExp(` ${1000 + index}$`, "m"), `${key} is missing`);
});

test("listens, on a free port when asked to, and says when it cannot", async () => {
  const first = serve();
  const second = serve();
  try {
    const address = await first.start({ host: "127.0.0.1", port: 0 });
    const answer = await fetch(`http://127.0.0.1:${address.port}/healthz`);
    assert.deepEqual(await answer.json(), { status: "ok" });
    await assert.rejects(second.start(address), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /Cannot listen on 127\.0\.0\.1:\d+: another program listens there already/);
      assert.match(error.hint, /--listen/);
      return true;
    });
  } finally {
    await first.close();
    await second.close();
  }
});

test("metrics are for this machine alone, health for everybody", async () => {
  const { server } = serve();
  const from = (url: string, remoteAddress: string) => server.inject({ url, remoteAddress });
  assert.equal((await from("/metrics", "127.0.0.1")).statusCode, 200);
  const refused = await from("/metrics", "10.244.0.7");
  assert.equal(refused.statusCode, 403);
  assert.match(refused.json().reason, /--listen-token-file/);
  assert.ok(!refused.body.includes("checkout"));
  for (const url of ["/healthz", "/readyz"]) assert.equal((await from(url, "10.244.0.7")).statusCode, 200);
});

test("over TLS with a token, metrics are for whoever shows it", async () => {
  const certificates = makeCertificates();
  const authority = certificates.createAuthority("authority");
  const { certificateFile, keyFile } = authority.issue("agent");
  const tokenFile = join(certificates.folder, "token");
  const token = "0123456789abcdef0123456789abcdef";
  await writeFile(tokenFile, token);
  const control = createControlServer({
    takeSnapshot: snapshot,
    unreadyAfterMs: 30_000,
    tokenFile,
    certificateFiles: { certificate: certificateFile, key: keyFile },
  });
  try {
    const { port } = await control.start({ host: "0.0.0.0", port: 0 });
    const ask = (host: string, path: string, headers = {}) =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = { host, port, path, headers, ca: authority.certificate, servername: "localhost" };
        getSecurely(options, (answer) => resolve(answer.resume().statusCode)).on("error", reject);
      });
    for (const host of ["127.0.0.1", ...ownAddresses()]) {
      assert.equal(await ask(host, "/healthz"), 200);
      assert.equal(await ask(host, "/metrics"), 401);
      assert.equal(await ask(host, "/metrics", { authorization: `Bearer ${token}` }), 200);
    }
  } finally {
    await control.close();
    certificates.remove();
  }
});

test("a certificate that cannot work ends the agent at the start, and says why", () => {
  const certificates = makeCertificates();
  try {
    const authority = certificates.createAuthority("authority");
    const [one, two] = [authority.issue("one"), authority.issue("two")];
    const serveWith = (certificate: string, key: string) =>
      createControlServer({ takeSnapshot: snapshot, unreadyAfterMs: 1, certificateFiles: { certificate, key } });
    assert.throws(
      () => serveWith(one.certificateFile, two.keyFile),
      /two\.key: it is not the key of the certificate in .*one\.crt/,
    );
    assert.throws(() => serveWith(one.keyFile, one.keyFile), /one\.key: it has no certificate in PEM/);
    assert.throws(() => serveWith(one.certificateFile, one.certificateFile), /one\.crt: it has no private key/);
    assert.throws(() => serveWith("/nowhere.crt", one.keyFile), /\/nowhere\.crt: there is no such file/);
  } finally {
    certificates.remove();
  }
});

/** This machine's addresses that are not loopback; there may be none. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ family, internal }) => family === "IPv4" && !internal).map(({ address }) => address);
}

test("exporting fails from the first second in which nothing gets through, until something does", () => {
  const health = createExportHealth();
  const observe = (nowMs: number, acceptedSpans: number, sentSpans: number, lost: number) =>
    health.observe(
      [
        {
          ...{ acceptedJourneys: 0, sentJourneys: 0, lostJourneys: {} },
          ...{ acceptedSpans, sentSpans, lostSpans: { gone: lost } },
        },
      ],
      nowMs,
    );
  observe(1000, 0, 0, 0);
  assert.equal(health.failingMs(1000), 0);
  observe(2000, 10, 0, 0);
  observe(3000, 20, 0, 0);
  assert.equal(health.failingMs(3000), 1000);
  observe(4000, 20, 0, 20);
  observe(60_000, 20, 0, 20);
  assert.equal(health.failingMs(60_000), 58_000, "quiet after a loss is no success");
  observe(61_000, 30, 10, 20);
  assert.equal(health.failingMs(61_000), 0);
  observe(62_000, 40, 20, 20);
  assert.equal(health.failingMs(62_000), 0);
});
