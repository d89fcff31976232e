import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { addDemoRules, buildDemoNetwork, demoNetwork } from "../../exporter/demo/build-demo-network.js";
import { createLab } from "../../exporter/demo/lab/create-lab.js";
import { startDemoClient, startDemoServer } from "../../exporter/demo/start-demo-traffic.js";
import { listAttributes } from "../../exporter/map/list-attributes.js";
import type { JourneySpans, PacketSpan } from "../../exporter/map/packet-span.js";
import { collectJourneys } from "../lib/collect-journeys.js";
import { whyNotLive } from "../lib/require-live.js";
import { runSkbspan, startSkbspan } from "../lib/run-skbspan.js";
import { poll } from "./lib/poll.js";
import { readJson } from "./lib/read-json.js";
import { type Jaeger, startJaeger } from "./lib/start-jaeger.js";

/** As /api/traces gives it: the answer that Jaeger's page shows. Times are in microseconds. */
interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly { readonly key: string; readonly value: string | number | boolean }[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
  readonly warnings: readonly string[] | null;
}

/** Kernels with returns and without, and stacks in place of functions. */
const recordings = [
  "6.12-kprobe.session-http",
  "6.12-tracepoint-http",
  "6.1-kprobe",
  "6.18-tracepoint",
  "7.3-kprobe-session",
].map((name) => `test/fixtures/recordings/${name}.skbspan`);

let jaeger: Jaeger;
/** What was sent. */
let journeys: readonly JourneySpans[];

before(async () => {
  jaeger = await startJaeger();
  journeys = recordings.flatMap((path) => collectJourneys(readFileSync(path)));
  for (const recording of recordings) await send(["replay", recording]);
  await poll("all traces in Jaeger", async () => {
    const ids = new Set((await readTraces()).map(({ traceID }) => traceID));
    return journeys.every((journey) => ids.has(hex(journey.traceId))) ? true : undefined;
  });
});
after(() => jaeger?.stop());

async function send(argv: readonly string[], url = jaeger.grpcUrl): Promise<void> {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: url };
  const { code, stderr } = await runSkbspan([...argv, "--export", "otlp"], { environment, timeoutMs: 300_000 });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /lost: nothing/);
}

/** As the demo's applications export. */
async function sendJson(otlpJson: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${jaeger.httpUrl}/v1/traces`, { method: "POST", headers, body: otlpJson });
  assert.equal(response.status, 200, await response.text());
}

/** An application's span comes after the packets that it sent: a request that is not answered seconds later. */
function hasRequest({ spans }: JaegerTrace): boolean {
  return spans.some(({ operationName }) => operationName === "GET");
}

/** Of all services, or one; a trace is there once. */
async function readTraces(service?: string, tags?: Record<string, string>): Promise<JaegerTrace[]> {
  const services = service ? [service] : await readServices();
  const found = new Map<string, JaegerTrace>();
  for (const name of services) {
    const query = new URLSearchParams({ service: name, limit: "10000", start: "0", end: String(Date.now() * 1_000) });
    if (tags) query.set("tags", JSON.stringify(tags));
    const { data } = await readJson<{ data: JaegerTrace[] }>(`${jaeger.queryUrl}/api/traces?${query}`);
    for (const trace of data) found.set(trace.traceID, trace);
  }
  return [...found.values()];
}

/** Without its own: it traces itself. */
async function readServices(): Promise<string[]> {
  const { data } = await readJson<{ data: string[] | null }>(`${jaeger.queryUrl}/api/services`);
  return (data ?? []).filter((name) => name !== "jaeger");
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function serviceOf(span: PacketSpan): string {
  return String(span.shape.identity.attributes["service.name"]);
}

test("services and operations are those of the journeys", async () => {
  const spans = journeys.flatMap((journey) => journey.spans);
  assert.deepEqual((await readServices()).sort(), [...new Set(spans.map(serviceOf))].sort());
  for (const service of await readServices()) {
    const { data } = await readJson<{ data: string[] }>(`${jaeger.queryUrl}/api/services/${service}/operations`);
    const names = spans.filter((span) => serviceOf(span) === service).map(({ shape }) => shape.name);
    assert.deepEqual(data.sort(), [...new Set(names)].sort(), service);
  }
});

test("Jaeger warns of nothing: no missing parent, no negative duration, no clock skew, no duplicate id", async () => {
  const traces = await readTraces();
  assert.ok(traces.length >= 50);
  const warnings = traces.flatMap(({ traceID, spans, warnings: ofTrace }) => [
    ...(ofTrace ?? []),
    ...spans.flatMap((span) => (span.warnings ?? []).map((text) => `${traceID} ${span.operationName}: ${text}`)),
  ]);
  assert.deepEqual(warnings, []);
});

test("every span is there once, with its parent, service, time and duration, nested as in the kernel", async () => {
  const traces = new Map((await readTraces()).map((trace) => [trace.traceID, trace]));
  for (const journey of journeys) {
    const trace = traces.get(hex(journey.traceId));
    assert.ok(trace);
    const roots = trace.spans.filter(({ references }) => references.length === 0);
    const expected = journeysOf(journey.traceId);
    assert.equal(
      trace.spans.length,
      expected.reduce((sum, each) => sum + each.spans.length, 0),
    );
    assert.equal(roots.length, expected.length);
    assertShape(trace, journey, matchRoot(roots, journey));
  }
});

/** Packets that are on the wire twice (a retransmission with the same id) share a trace. */
function journeysOf(traceId: Uint8Array): readonly JourneySpans[] {
  return journeys.filter((journey) => hex(journey.traceId) === hex(traceId));
}

/** Span ids are drawn anew in every run: the start tells roots apart. */
function matchRoot(roots: readonly JaegerSpan[], { startRealtimeNs }: JourneySpans): JaegerSpan {
  const root = roots.find(({ startTime }) => BigInt(startTime) === startRealtimeNs / 1_000n);
  assert.ok(root, `no root starts at ${startRealtimeNs}`);
  return root;
}

/** The tree below a root, as text: what was sent and what Jaeger has. */
function assertShape(trace: JaegerTrace, journey: JourneySpans, root: JaegerSpan): void {
  const childrenOf = new Map<string, JaegerSpan[]>();
  for (const span of trace.spans) {
    const parent = span.references[0]?.spanID ?? "";
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), span]);
  }
  const seen: string[] = [];
  const visit = (span: JaegerSpan, depth: number): void => {
    assert.ok(span.references.every(({ refType, traceID }) => refType === "CHILD_OF" && traceID === trace.traceID));
    const service = trace.processes[span.processID]?.serviceName;
    seen.push(`${depth} ${span.operationName} ${service} ${span.startTime} ${span.duration}`);
    for (const child of childrenOf.get(span.spanID) ?? []) visit(child, depth + 1);
  };
  visit(root, 0);
  assert.deepEqual(seen.sort(), journey.spans.map((span) => describe(span, journey)).sort());
}

function describe(span: PacketSpan, { spans, startRealtimeNs }: JourneySpans): string {
  let depth = 0;
  for (let at = span; at.parent >= 0; at = spans[at.parent] as PacketSpan) depth++;
  const startUs = (startRealtimeNs + BigInt(span.startOffsetNs)) / 1_000n;
  const durationUs = Math.floor((span.endOffsetNs - span.startOffsetNs) / 1_000);
  return `${depth} ${span.shape.name} ${serviceOf(span)} ${startUs} ${durationUs}`;
}

test("tags are the attributes; what lasts under a microsecond can be read in hop.duration_ns", async () => {
  const journey = journeys.find(({ isFault }) => isFault) as JourneySpans;
  const [trace] = (await readTraces()).filter(({ traceID }) => traceID === hex(journey.traceId));
  assert.ok(trace);
  const tagsOf = (span: JaegerSpan) => Object.fromEntries(span.tags.map(({ key, value }) => [key, value]));
  const root = tagsOf(
    matchRoot(
      trace.spans.filter(({ references }) => references.length === 0),
      journey,
    ),
  );
  for (const { definition, value } of listAttributes(journey.spans[0] as PacketSpan))
    assert.deepEqual(root[definition.key], Array.isArray(value) ? JSON.stringify(value) : value, definition.key);
  assert.deepEqual([root["error"], root["otel.status_code"]], [true, "ERROR"]);
  assert.equal(root["otel.status_description"], journey.spans[0]?.fault?.description);
  const short = (await readTraces()).flatMap(({ spans }) => spans).filter(({ duration }) => duration === 0);
  assert.ok(short.length > 100);
  assert.ok(
    short.every((span) => typeof (tagsOf(span)["hop.duration_ns"] ?? tagsOf(span)["journey.duration_ns"]) === "number"),
  );
});

test("a search by error.type in a service lists its drops, and no other traces", async () => {
  const faults = journeys.flatMap((journey) => {
    const errorType = listAttributes(journey.spans[0] as PacketSpan).find(
      ({ definition }) => definition.key === "error.type",
    );
    return errorType === undefined ? [] : [{ journey, reason: String(errorType.value) }];
  });
  const reasons = new Set(faults.map(({ reason }) => reason));
  assert.ok(reasons.size >= 2, [...reasons].join());
  let searches = 0;
  for (const service of await readServices())
    for (const reason of reasons) {
      const expected = faults.filter(
        (fault) =>
          fault.reason === reason &&
          fault.journey.spans.some((span) => span.fault !== undefined && serviceOf(span) === service),
      );
      const found = await readTraces(service, { "error.type": reason });
      assert.deepEqual(
        found.map(({ traceID }) => traceID).sort(),
        [...new Set(expected.map(({ journey }) => hex(journey.traceId)))].sort(),
        `${service} ${reason}`,
      );
      searches += expected.length;
    }
  assert.ok(searches >= faults.length);
});

test("/api/v3 has exact nanoseconds, parents and status", async () => {
  const journey = journeys.find(({ isFault }) => isFault) as JourneySpans;
  type Answer = { result: { resourceSpans: { scopeSpans: { scope: { name: string }; spans: V3Span[] }[] }[] } };
  const { result } = await readJson<Answer>(`${jaeger.queryUrl}/api/v3/traces/${hex(journey.traceId)}`);
  const scopes = result.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans);
  assert.ok(scopes.every(({ scope }) => scope.name === "skbspan"));
  const spans = scopes.flatMap((scope) => scope.spans);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  assert.equal(ids.size, spans.length);
  assert.ok(spans.every(({ parentSpanId }) => !parentSpanId || ids.has(parentSpanId)));
  const times = spans.map(
    (span) => `${span.name} ${span.startTimeUnixNano} ${span.endTimeUnixNano} ${span.status?.code ?? 0}`,
  );
  const expected = journeysOf(journey.traceId).flatMap((each) =>
    each.spans.map((span) => {
      const at = (offsetNs: number): bigint => each.startRealtimeNs + BigInt(offsetNs);
      return `${span.shape.name} ${at(span.startOffsetNs)} ${at(span.endOffsetNs)} ${span.fault ? 2 : 0}`;
    }),
  );
  assert.deepEqual(times.sort(), expected.sort());
});

interface V3Span {
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code?: number };
}

for (const detail of ["layers", "summary"])
  test(`no warnings at the detail ${detail} either`, async () => {
    const other = await startJaeger();
    const first = jaeger;
    try {
      jaeger = other;
      for (const recording of recordings) await send(["replay", recording, "--detail", detail]);
      const traces = await poll("the traces", async () => {
        const found = await readTraces();
        return found.length >= new Set(journeys.map(({ traceId }) => hex(traceId))).size ? found : undefined;
      });
      assert.deepEqual(
        traces.flatMap(({ spans }) => spans.flatMap(({ warnings }) => warnings ?? [])),
        [],
      );
    } finally {
      jaeger = first;
      await other.stop();
    }
  });

const whyNot = whyNotLive();
test("the demo's traffic, live: its pods and node are services, its drops are found in the node's", {
  skip: whyNot,
}, async () => {
  const lab = await createLab();
  try {
    await buildDemoNetwork(lab);
    await addDemoRules(lab);
    const [client, node, web] = [demoNetwork.client, demoNetwork.node, demoNetwork.web].map((name) =>
      lab.systemName(name),
    );
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.grpcUrl };
    const argv = ["trace", demoNetwork.filter, "--export", "otlp", "--for", "300s"];
    const tracing = startSkbspan(argv, { environment, timeoutMs: 400_000 });
    const exports: Promise<void>[] = [];
    const takeSpans = (otlpJson: string): void => void exports.push(sendJson(otlpJson));
    await startDemoServer(lab, takeSpans);
    await startDemoClient(lab, takeSpans);
    const drops = await poll("drops in the node", async () => {
      const found = (await readServices()).includes(node ?? "")
        ? (await readTraces(node, { "error.type": "NETFILTER_DROP" })).filter(hasRequest)
        : [];
      return found.length > 0 ? found : undefined;
    });
    const requests = await poll("requests from the client through the node to the web server", async () => {
      if (!(await readServices()).includes(client ?? "")) return undefined;
      const found = (await readTraces(client)).filter((trace) => {
        const names = Object.values(trace.processes).map(({ serviceName }) => serviceName);
        return hasRequest(trace) && [client, node, web].every((name) => names.includes(name ?? ""));
      });
      return found.length >= 5 ? found : undefined;
    });
    tracing.child.kill("SIGINT");
    const { stderr } = await tracing.result;
    // Probe hits that the kernel skipped may be any program's on this machine.
    assert.match(stderr, /lost: (nothing|\d+ probe hits? that the kernel skipped)$/m);
    await Promise.all(exports);
    const spans = [...drops, ...requests].flatMap((trace) => trace.spans);
    // The last packets leave, and the server has done, when the request's span has ended: Jaeger takes that for clock skew.
    const isUnderRequest = ({ key }: JaegerSpan["tags"][number]): boolean => /^(journey\.join|url\.path)$/.test(key);
    const others = spans.filter(({ tags }) => !tags.some(isUnderRequest));
    assert.deepEqual(
      others.flatMap(({ warnings }) => warnings ?? []),
      [],
    );
    for (const drop of drops) {
      const root = drop.spans.find(({ references }) => references.length === 0);
      assert.equal(root?.operationName, "GET");
      const packets = drop.spans.filter(({ references }) => references.some(({ spanID }) => spanID === root.spanID));
      assert.ok(packets.length > 0);
      for (const { operationName, tags } of packets) {
        assert.equal(operationName, "tcp packet dropped");
        const port = tags.find(({ key }) => key === "destination.port")?.value;
        assert.equal(port, demoNetwork.blockedPort);
      }
    }
  } finally {
    await lab.close();
  }
});
