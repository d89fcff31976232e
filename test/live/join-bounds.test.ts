import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createLab, type Lab } from "../../exporter/demo/lab/create-lab.js";
import { createOtlpReceivers, type OtlpReceivers } from "../../exporter/store/create-otlp-receivers.js";
import { createTraceStore, DEFAULT_STORE_LIMITS, type TraceStore } from "../../exporter/store/create-trace-store.js";
import { type PacketJourney, PacketTree } from "../applications/packet-tree.js";
import { whyNotLive } from "../lib/require-live.js";
import { startSkbspan } from "../lib/run-skbspan.js";

/*
 * What is sent under an application's span has no end: 100,000 requests on one connection, a download of 1 GB. The agent with its default
 * bounds and limits, on this machine's kernel. Whether it keeps up depends on the machine; that all is accounted for does not.
 */

const TIMEOUT_MS = 600_000;
const REQUESTS = 100_000;
const DOWNLOAD_BYTES = 1e9;
const PORT = 8080;
const SERVER = "10.211.77.2";
const CLIENT = "10.211.77.1";
const SPAN_ID = "0000000000000001";
/** An Ethernet header, which interfaces count and journeys do not. */
const FRAME_BYTES = 14;
/** A pod of the agent may have 448 MiB, some 75 of which the tracer takes. */
const MOST_RESIDENT_BYTES = 373 * 1024 * 1024;
/** Packets that are on their way when the client has ended. */
const SETTLE_MS = 2_000;

/** What became of a run, as the agent's summary says, in journeys. */
interface Summary {
  readonly begun: number;
  readonly kept: number;
  readonly joined: number;
  readonly linked: number;
  /** Of requests, by the agent's own limits; and all by these. */
  readonly leftOutOfRequests: number;
  readonly leftOut: number;
  readonly lost: number;
  readonly lostRequests: number;
  readonly text: string;
}

interface Run {
  readonly summary: Summary;
  /** In the application's trace. */
  readonly tree: PacketTree;
  readonly interfaceBytes: number;
  readonly startUnixNs: bigint;
  readonly endUnixNs: bigint;
  readonly residentBytes: number;
}

describe("bounds of what joins an application's trace", { skip: whyNotLive(), timeout: TIMEOUT_MS }, () => {
  let lab: Lab;
  let store: TraceStore;
  let receivers: OtlpReceivers;
  let otlpUrl = "";
  let runs = 0;

  before(async () => {
    store = createTraceStore({ ...DEFAULT_STORE_LIMITS, maxSpansPerTrace: DEFAULT_STORE_LIMITS.maxSpans });
    receivers = createOtlpReceivers({ store, grpcPort: 0, httpPort: 0 });
    const { host, grpcPort } = await receivers.start();
    otlpUrl = `http://${host}:${grpcPort}`;
    lab = await createLab();
    for (const name of ["client", "server"]) await lab.addNamespace(name);
    await lab.connect(
      { namespace: "client", interface: "eth0", address: `${CLIENT}/24` },
      { namespace: "server", interface: "eth0", address: `${SERVER}/24` },
    );
    const options = { ready: /^ready$/, readyTimeoutMs: 60_000 };
    await lab.start("server", [process.execPath, applicationPath("answering-server"), String(PORT)], options);
  });

  after(async () => {
    await lab?.close();
    await receivers?.close();
  });

  async function run(kind: readonly string[], args: readonly string[] = []): Promise<Run> {
    const traceId = `4bf92f3577b34da6a3ce929d0e0e${(++runs).toString(16).padStart(4, "0")}`;
    const filter = `tcp port ${PORT} and host ${SERVER}`;
    const agent = startSkbspan(
      ["run", "--listen", "127.0.0.1:0", "--flush-timeout", "60s", "--filter", filter, ...args],
      { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl }, timeoutMs: TIMEOUT_MS },
    );
    let residentBytes = 0;
    const sampling = setInterval(() => {
      residentBytes = Math.max(residentBytes, readResidentBytes(agent.child.pid));
    }, 100);
    try {
      await agent.untilStderr(/attached to \d+ probes by/);
      const bytesBefore = await readInterfaceBytes(lab);
      const client = [process.execPath, applicationPath("asking-client"), SERVER, String(PORT), traceId, ...kind];
      const said = JSON.parse(await lab.require("client", client, { timeoutMs: TIMEOUT_MS / 2 }));
      const interfaceBytes = (await readInterfaceBytes(lab)) - bytesBefore;
      await sleep(SETTLE_MS);
      agent.child.kill("SIGTERM");
      const { code, stderr } = await agent.result;
      assert.equal(code, 0, stderr);
      const summary = readSummary(stderr);
      console.log(`${kind.join(" ")}: ${residentBytes >> 20} MiB resident\n${summary.text}`);
      return {
        summary,
        tree: new PacketTree(store.get(traceId)?.spans ?? []),
        interfaceBytes,
        startUnixNs: BigInt(said.startMs) * 1_000_000n,
        endUnixNs: BigInt(said.endMs) * 1_000_000n,
        residentBytes,
      };
    } finally {
      clearInterval(sampling);
      agent.child.kill("SIGKILL");
    }
  }

  it(`${REQUESTS} requests on one connection under one span`, async () => {
    const result = await run(["one", String(REQUESTS)]);
    assertBounded(result, 1_000);
    assertUnderOneSpan(result);
    assert.ok(result.summary.begun >= 2 * REQUESTS, result.summary.text);
    assertTells(result);
  });

  it(`${REQUESTS} requests on one connection, each under a span of its own in one trace`, async () => {
    const result = await run(["each", String(REQUESTS)]);
    assertBounded(result, 5_000);
    assert.ok(result.summary.begun >= 2 * REQUESTS, result.summary.text);
    const spans = new Map<string, number>();
    for (const { root, hops } of result.tree.journeys)
      spans.set(root.parentSpanId, (spans.get(root.parentSpanId) ?? 0) + 1 + hops.length);
    for (const [span, count] of spans) assert.ok(count < 1_000, `${count} spans under ${span}`);
    assertOwnRequests(result);
  });

  it("a download of 1 GB under one request", async () => {
    const result = await run(["download"]);
    assert.ok(result.interfaceBytes > DOWNLOAD_BYTES);
    assertBounded(result, 1_000);
    assertUnderOneSpan(result);
    assertTells(result);
  });
});

/** Within the bounds, and nothing is lost that is not said. */
function assertBounded({ summary, tree, startUnixNs, endUnixNs, residentBytes }: Run, mostSpans: number): void {
  const { begun, kept, joined, linked, leftOutOfRequests, leftOut, lost, lostRequests, text } = summary;
  assert.ok(tree.spans.length > 0 && tree.spans.length < mostSpans, `${tree.spans.length} spans in the trace`);
  assert.equal(tree.journeys.length, joined, `the store has what is said to be joined:\n${text}`);
  assert.equal(kept + leftOut + lost, begun, text);
  if (lostRequests === 0) assert.equal(joined + linked + leftOutOfRequests + lost, begun, text);
  assert.match(text, /exported: ([\d,]+) of \1 journeys/);
  assert.match(text, /^ {2}lost: /m);
  assert.ok(residentBytes > 0 && residentBytes < MOST_RESIDENT_BYTES, `${residentBytes} bytes resident`);
  for (const { root, part } of tree.journeys) {
    assert.ok(root.startUnixNs >= startUnixNs, `${part} begins ${startUnixNs - root.startUnixNs} ns too early`);
    if (part.startsWith("data")) assert.ok(root.startUnixNs <= endUnixNs, `${part} begins after the span's end`);
  }
}

function assertUnderOneSpan({ tree }: Run): void {
  for (const { root } of tree.journeys) {
    assert.equal(root.parentSpanId, SPAN_ID);
    assert.deepEqual(root.links, []);
  }
}

/** The last that joined tells of most of what was left out: as the interface counts, but for what the tracer lost. */
function assertTells({ summary, tree, interfaceBytes }: Run): void {
  const toldOf = (what: string): number =>
    Math.max(0, ...tree.journeys.map(({ root }) => Number(root.attributes[`journey.left_out.${what}`] ?? 0)));
  const { begun, lost, linked, leftOutOfRequests, text } = summary;
  const leftOut = linked + leftOutOfRequests;
  assert.ok(toldOf("journeys") >= leftOut / 2 && toldOf("journeys") <= leftOut, `${toldOf("journeys")}, ${text}`);
  assert.ok(toldOf("spans") > 2 * toldOf("journeys"), `${toldOf("spans")} spans`);
  const bytes = (interfaceBytes - FRAME_BYTES * begun) * (1 - lost / begun);
  // Which packets are lost is chance, and those that are large are not as many.
  assert.ok(toldOf("bytes") >= bytes / 4 && toldOf("bytes") <= interfaceBytes, `${toldOf("bytes")} of ${bytes} bytes`);
}

/** Requests are of one length, and so are responses: the sequence number says which one a packet is of. */
function assertOwnRequests({ tree, summary }: Run): void {
  const first = (part: string): PacketJourney | undefined =>
    tree.journeys
      .filter((journey) => journey.part === part)
      .toSorted((a, b) => Number(a.root.startUnixNs - b.root.startUnixNs))[0];
  let checked = 0;
  let wrong = 0;
  for (const part of ["data", "data response"]) {
    const origin = first(part);
    assert.equal(origin?.root.parentSpanId, SPAN_ID, "the first request is there");
    const payloadBytes = (part === "data" ? REQUEST : RESPONSE).length;
    for (const { root } of tree.journeys.filter((journey) => journey.part === part)) {
      const offset = (Number(root.attributes["tcp.sequence"]) - Number(origin?.root.attributes["tcp.sequence"])) >>> 0;
      checked++;
      if (BigInt(`0x${root.parentSpanId}`) !== BigInt(Math.floor(offset / payloadBytes) + 1)) wrong++;
    }
  }
  assert.ok(checked > 10, `${checked} packets with data`);
  // What is not told of, because the ring was full, is not known to be another's.
  assert.ok(
    wrong <= (summary.lostRequests === 0 ? 0 : checked / 20),
    `${wrong} of ${checked} are under another's span`,
  );
}

const REQUEST = `GET / HTTP/1.1\r\nhost: bounds\r\ntraceparent: 00-${"0".repeat(32)}-${"0".repeat(16)}-01\r\n\r\n`;
const RESPONSE = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

function readSummary(stderr: string): Summary {
  const text = stderr.slice(stderr.search(/^skbspan: [\d,]+ journeys?, /m));
  const count = (pattern: RegExp): number => {
    const counts = [...text.matchAll(pattern)].map(([, digits = ""]) => Number(digits.replaceAll(",", "")));
    return counts.reduce((sum, value) => sum + value, 0);
  };
  return {
    begun: count(/seen: ([\d,]+) journeys begun/g),
    kept: count(/kept: ([\d,]+)/g),
    joined: count(/joined to requests: ([\d,]+) by http1$/gm),
    linked: count(/linked to requests: ([\d,]+) by http1/g),
    leftOutOfRequests: count(/([\d,]+) journeys? of requests left out by --max/g),
    leftOut: count(/to stay within --max-\*-per-second: .*left out ([\d,]+)/g),
    lost: count(/lost: ([\d,]+) journeys: /g),
    lostRequests: count(/lost: ([\d,]+) requests /g),
    text,
  };
}

async function readInterfaceBytes(lab: Lab): Promise<number> {
  const [counters] = JSON.parse(await lab.ip("server", "-s", "-j", "link", "show", "eth0"));
  const { rx, tx } = counters.stats64;
  return rx.bytes + tx.bytes;
}

function readResidentBytes(pid: number | undefined): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0; // it has ended
  }
}

function applicationPath(name: string): string {
  return fileURLToPath(new URL(`apps/${name}.js`, import.meta.url));
}
