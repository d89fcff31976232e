import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ACK, buildConnection, FIN, PSH, RST, SYN, spanIdOf, traceIdOf } from "../../test/lib/build-connection.js";
import { defaultJoining } from "../../test/lib/default-joining.js";
import { quietSink } from "../../test/lib/quiet-sink.js";
import type { Journey } from "../decode/frame.js";
import { plainStyle, renderJourneyTree } from "../export/render-journey-tree.js";
import type { JourneySpans } from "../map/packet-span.js";
import { createPipeline, type PipelineOptions } from "../pipeline.js";
import { wire, wireJourneyEnd, wireRequestSource } from "../wire/layout.js";
import { createJoiner, type Joiner, type JoinerOptions } from "./create-joiner.js";

const defaults: JoinerOptions = { ...defaultJoining, maxJourneys: 200 };

/** What the agent's own limits do to journeys. */
type Agent = Pick<PipelineOptions, "reduce" | "refuses">;

interface Replayed {
  readonly journeys: readonly JourneySpans[];
  readonly joiner: Joiner;
}

function replay(recording: Uint8Array, options: Partial<JoinerOptions> = {}, agent: Agent = {}): Replayed {
  const joiner = createJoiner({ ...defaults, ...options });
  const journeys: JourneySpans[] = [];
  const sink = { ...quietSink, accept: (journeySpans: JourneySpans) => void journeys.push(journeySpans) };
  const pipeline = createPipeline({ sinks: [sink], joiner, ...agent });
  pipeline.push(recording);
  pipeline.end();
  return { journeys, joiner };
}

/** The number of the trace that it joined and what it has to do with the request; "-": none. */
function describe(journeySpans: JourneySpans): string {
  const root = journeySpans.spans[0];
  const textOf = (key: string): string =>
    String(root?.extra?.find(({ definition }) => definition.key === key)?.value ?? "");
  const numberOf = (id: Uint8Array): number => new DataView(id.buffer, id.byteOffset + id.length - 4).getUint32(0);
  const links = journeySpans.links.map(({ traceId }) => ` ~${numberOf(traceId)}`).join("");
  const response = textOf("journey.request.response") === "true" ? " response" : "";
  const past = textOf("journey.join.past");
  const trace = journeySpans.parentSpanId ? numberOf(journeySpans.traceId) : "-";
  return `${trace} ${textOf("journey.join")}${response}${links}${past && ` past ${past}`}`.trim();
}

const described = (recording: Uint8Array, options?: Partial<JoinerOptions>): string[] =>
  replay(recording, options).journeys.map(describe);

test("the packets of a request and of its response are under the application's span, from the SYN to the FIN", () => {
  const recording = buildConnection()
    .announce()
    .packet({ atMs: 1, flags: SYN, sequence: 999, acknowledgement: 0 })
    .packet({ atMs: 2, from: "server", flags: SYN | ACK, sequence: 4_999, acknowledgement: 1_000 })
    .packet({ atMs: 3, flags: ACK, sequence: 1_000, acknowledgement: 5_000 })
    .request({ atMs: 4, sequence: 1_000, trace: 7 })
    .packet({ atMs: 5, flags: PSH | ACK, sequence: 1_000, acknowledgement: 5_000, bytes: 200 })
    .packet({ atMs: 6, from: "server", sequence: 5_000, acknowledgement: 1_200 })
    .request({ atMs: 7, from: "server", sequence: 5_000, trace: 7, flags: wire.requestResponse })
    .packet({ atMs: 8, from: "server", flags: PSH | ACK, sequence: 5_000, acknowledgement: 1_200, bytes: 300 })
    .packet({ atMs: 9, sequence: 1_200, acknowledgement: 5_300 })
    .packet({ atMs: 10, flags: FIN | ACK, sequence: 1_200, acknowledgement: 5_300 })
    .bytes();
  const { journeys, joiner } = replay(recording);
  assert.deepEqual(journeys.map(describe), [
    "7 data",
    "7 acknowledgement",
    "7 data response",
    "7 acknowledgement response",
    "7 close",
    "7 handshake",
    "7 handshake",
    "7 handshake",
  ]);
  for (const { traceId, parentSpanId } of journeys) {
    assert.deepEqual(traceId, traceIdOf(7));
    assert.deepEqual(parentSpanId, spanIdOf(7));
  }
  assert.deepEqual(
    { joined: joiner.stats().joined.http1, waited: joiner.stats().waited, settled: joiner.stats().settled },
    { joined: 8, waited: 3, settled: 3 },
  );
});

const syn = { flags: SYN, sequence: 999, acknowledgement: 0 } as const;
const request = (trace: number, sequence = 1_000, atMs = 4) => ({ atMs, sequence, trace });
const data = (atMs: number, sequence = 1_000, bytes = 200) => ({ atMs, flags: PSH | ACK, sequence, bytes });

test("a node where no requests are told makes no journey wait, and changes none", () => {
  const recording = buildConnection()
    .packet({ atMs: 1, ...syn })
    .packet(data(2))
    .bytes();
  const { journeys, joiner } = replay(recording);
  assert.deepEqual(journeys.map(describe), ["-", "-"]);
  assert.equal(joiner.stats().waited, 0);
});

test("each segment belongs to the request whose bytes it carries, also when it is sent again", () => {
  const recording = buildConnection()
    .request(request(1))
    .packet(data(5))
    .request(request(2, 1_200, 6))
    .packet(data(7, 1_200))
    .packet(data(300, 1_000))
    .request({ atMs: 301, sequence: 1_400 })
    .packet(data(302, 1_400))
    .bytes();
  assert.deepEqual(described(recording), ["1 data", "2 data", "1 retransmission", "-"]);
});

test("a segment with bytes of several requests joins the first and links to the others, never inside one trace", () => {
  const recording = buildConnection()
    .request(request(1))
    .request({ ...request(1, 1_100), span: 11 })
    .request(request(2, 1_200))
    .request(request(3, 1_300))
    .packet(data(5, 1_000, 350))
    .packet(data(6, 1_150, 10))
    .bytes();
  const { journeys } = replay(recording);
  assert.deepEqual(journeys.map(describe), ["1 data ~2 ~3", "1 retransmission"]);
  assert.deepEqual(
    journeys.map(({ parentSpanId }) => parentSpanId),
    [spanIdOf(1), spanIdOf(11)],
  );
});

test("what one packet carries in an option holds for its bytes alone, and only where nothing else is known", () => {
  const source = wireRequestSource.tcpOption;
  const recording = buildConnection()
    .request({ ...request(1), source, length: 200 })
    .packet(data(5))
    .packet(data(6, 1_200))
    .packet({ atMs: 7, from: "server", sequence: 5_000, acknowledgement: 1_200 })
    .packet({ atMs: 8, from: "server", sequence: 5_000, acknowledgement: 1_400 })
    .request(request(2, 1_400, 9))
    .request({ ...request(3, 1_500, 10), source, length: 100 })
    .packet(data(11, 1_400))
    .packet(data(12, 1_600))
    .bytes();
  assert.deepEqual(described(recording), ["1 data", "-", "1 acknowledgement", "-", "2 data", "2 data"]);
});

test("a request that the application does not sample is not joined, nor linked to", () => {
  const recording = buildConnection()
    .request({ ...request(1), traceFlags: 0 })
    .packet(data(5))
    .request(request(2, 1_200))
    .packet(data(6, 1_100, 200))
    .packet(data(7, 5_000, 20))
    .request({ atMs: 8, sequence: 6_000 })
    .packet(data(9, 6_000, 20))
    .bytes();
  const { journeys, joiner } = replay(recording);
  assert.deepEqual(journeys.map(describe), ["-", "2 data", "2 data", "-"]);
  assert.equal(joiner.stats().unsampled, 1);
  const only = replay(recording, { isSampledOnly: true });
  assert.deepEqual(only.journeys.map(describe), ["2 data", "2 data"]);
  assert.equal(only.joiner.stats().shed, 2);
});

test("with --join link every journey has its own trace and a link", () => {
  const recording = buildConnection().request(request(1)).packet(data(5)).bytes();
  const { journeys, joiner } = replay(recording, { mode: "link" });
  assert.deepEqual(journeys.map(describe), ["- data ~1"]);
  assert.equal(journeys[0]?.parentSpanId, undefined);
  assert.notDeepEqual(journeys[0]?.traceId, traceIdOf(1));
  assert.equal(joiner.stats().linked.http1, 1);
});

test("a source that is turned off joins nothing", () => {
  const recording = buildConnection()
    .request({ ...request(1), source: wireRequestSource.tls })
    .packet(data(5))
    .bytes();
  assert.deepEqual(described(recording), ["-"]);
  assert.deepEqual(described(recording, { sources: ["tls"] }), ["1 data"]);
});

test("what a connection is opened for is told before it is open: SYNs that nobody answers, and a refusal, belong to it", () => {
  const opening = { flags: wire.requestOpening, source: wireRequestSource.helper, trace: 5 };
  const recording = buildConnection()
    .announce()
    .packet({ atMs: 1, ...syn, end: wireJourneyEnd.dropped })
    .request({ atMs: 2, ...opening })
    .request({ atMs: 2, ...opening, from: "server" })
    .packet({ atMs: 1_001, ...syn, end: wireJourneyEnd.dropped })
    .packet({ atMs: 3_001, ...syn })
    .packet({ atMs: 3_002, from: "server", flags: RST | ACK, sequence: 0, acknowledgement: 1_000 })
    .bytes();
  assert.deepEqual(described(recording), ["5 handshake", "5 handshake", "5 handshake", "5 handshake"]);
});

test("a packet waits no longer than it may, in the time of the stream", () => {
  const recording = buildConnection()
    .announce()
    .packet({ atMs: 1, ...syn })
    .clock(900)
    .packet({ atMs: 910, port: 50_000, sequence: 5, bytes: 10 })
    .clock(1_100)
    .request(request(1, 1_000, 1_200))
    .packet(data(1_201))
    .bytes();
  const { journeys, joiner } = replay(recording);
  assert.deepEqual(journeys.map(describe), ["-", "-", "1 data"]);
  const { waited, settled, overdue, waiting } = joiner.stats();
  assert.deepEqual({ waited, settled, overdue, waiting }, { waited: 1, settled: 0, overdue: 1, waiting: 0 });
  assert.equal(replay(recording, { waitMs: 0 }).joiner.stats().waited, 0);
});

test("nothing waits for a request when the first bytes go by and nobody owns them", () => {
  const recording = buildConnection()
    .announce()
    .packet({ atMs: 1, ...syn })
    .packet(data(2))
    .bytes();
  const joiner = createJoiner(defaults);
  const pipeline = createPipeline({ sinks: [quietSink], joiner });
  pipeline.push(recording);
  assert.deepEqual([joiner.stats().waiting, joiner.stats().settled], [0, 1]);
});

test("a header that is not complete yet makes its packets wait for it", () => {
  const recording = buildConnection()
    .request({ atMs: 4, sequence: 1_000, flags: wire.requestPending, source: wireRequestSource.http1 })
    .packet(data(5))
    .request(request(3, 1_000, 6))
    .packet(data(7, 1_200))
    .bytes();
  assert.deepEqual(described(recording), ["3 data", "3 data"].toSorted());
});

test("a connection with the addresses and ports of an older one is not taken for it", () => {
  const old = () => buildConnection().request(request(1)).packet(data(5));
  const far = 1_000 + 0x3000_0000;
  const again = old()
    .packet({ atMs: 100, ...syn, sequence: far - 1 })
    .packet(data(101, far))
    .bytes();
  assert.deepEqual(described(again), ["1 data", "-", "-"], "a SYN says so");
  const told = old()
    .request(request(2, 0x9000_0000, 100))
    .packet(data(101, 0x9000_0000))
    .packet(data(102, 1_000))
    .bytes();
  assert.deepEqual(described(told), ["1 data", "2 data", "-"], "a sequence number that is far away says so");
  const ended = old()
    .packet({ atMs: 6, flags: FIN | ACK, sequence: 1_200 })
    .packet(data(1_000, 1_500))
    .bytes();
  assert.deepEqual(described(ended), ["1 data", "1 close", "-"], "nothing comes after a FIN");
  const reset = old().packet({ atMs: 6, flags: RST, sequence: 1_200 }).packet(data(1_000, 1_250)).bytes();
  assert.deepEqual(described(reset), ["1 data", "1 close", "-"], "nothing comes after a RST");
  const silent = old().packet(data(70_000, 1_200)).bytes();
  assert.deepEqual(described(silent), ["1 data", "-"], "silence says so");
});

test("where only the reader tells, packets that it has not read yet wait: they may begin another request", () => {
  const read = { flags: wire.requestReceived };
  const arrives = { isSent: false, netnsCookie: 102n } as const;
  const recording = buildConnection()
    .request({ ...request(1), ...read, netnsCookie: 102n })
    .packet({ ...data(5), ...arrives })
    // Merged into the one before it, or into what waits in the socket; it is read later, as the next request.
    .packet({ ...data(10, 1_200, 100), ...arrives, end: wireJourneyEnd.merged })
    .request({ ...request(2, 1_200, 20), ...read, netnsCookie: 102n })
    .packet({ ...data(12, 1_300, 100), ...arrives, lastsMs: 9 })
    .bytes();
  assert.deepEqual(described(recording), ["1 data", "2 data", "2 data"]);
});

test("what is seen only between two namespaces joins as well, unless two pods have the same addresses", () => {
  const elsewhere = buildConnection()
    .request(request(1))
    .packet({ ...data(5), netnsCookie: 7n })
    .bytes();
  assert.deepEqual(described(elsewhere), ["1 data"]);
  const twice = buildConnection()
    .request(request(1))
    .request({ ...request(2), netnsCookie: 103n })
    .packet({ ...data(5), netnsCookie: 7n })
    .packet({ ...data(6), netnsCookie: 103n })
    .bytes();
  assert.deepEqual(described(twice), ["-", "2 data"]);
  const loopback = { source: [127, 0, 0, 1], destination: [127, 0, 0, 1] };
  const local = buildConnection();
  local.recording.request({
    ...loopback,
    ipVersion: 4,
    sourcePort: 40_000,
    destinationPort: 80,
    netnsCookie: 101n,
    netnsInode: 101,
    sequence: 1_000,
    observedMonotonicNs: 5_000_000_000_000n,
    requestSource: wireRequestSource.http1,
    traceFlags: 1,
    traceId: [...traceIdOf(1)],
    spanId: [...spanIdOf(1)],
  });
  local.packet({ ...data(5), netnsCookie: 7n, context: loopback }).packet({ ...data(6), context: loopback });
  assert.deepEqual(described(local.bytes()), ["-", "1 data"], "every namespace has its own loopback");
});

test("a packet whose address was translated on its way is found by what it looked like at either end", () => {
  const connection = buildConnection().request({ ...request(1), port: 50_000 });
  connection.recording.journey({ startMonotonicNs: 5_000_001_000_000n, endMonotonicNs: 5_000_001_100_000n, end: 1 }, [
    { context: { ...tcpContext, sourcePort: 40_000, netnsCookie: 101n } },
    { context: { ...tcpContext, sourcePort: 50_000, netnsCookie: 102n } },
  ]);
  assert.deepEqual(described(connection.bytes()), ["1 data"]);
});

const tcpContext = {
  source: [10, 0, 0, 1],
  destination: [10, 0, 0, 2],
  destinationPort: 80,
  ipVersion: 4,
  ethertype: 0x0800,
  transport: 6,
  flags: wire.contextNetwork | wire.contextTransport,
  length: 20 + 32 + 10,
  transportHeaderBytes: 32,
  tcpSequence: 1_000,
  tcpFlags: PSH | ACK,
} as const;

test("a minute after its request began a packet has its own trace, with a link", () => {
  const recording = buildConnection()
    .request(request(1))
    .packet(data(5))
    .packet(data(30_000, 1_200))
    .packet(data(61_000, 1_400))
    .bytes();
  const { journeys, joiner } = replay(recording);
  assert.deepEqual(journeys.map(describe), ["1 data", "1 data", "- data ~1 past time"]);
  assert.deepEqual(joiner.stats().past, { journeys: 0, spans: 0, trace: 0, time: 1 });
});

function totals(journeys: readonly JourneySpans[], trace: number) {
  const joined = journeys.filter(({ traceId }) => Buffer.compare(traceId, traceIdOf(trace)) === 0);
  const numberOf = (journeySpans: JourneySpans | undefined, key: string): number =>
    Number(journeySpans?.spans[0]?.extra?.find(({ definition }) => definition.key === key)?.value ?? 0);
  return {
    journeys: joined.length,
    spans: joined.reduce((sum, { spans }) => sum + spans.length, 0),
    details: [...new Set(joined.map(({ detail }) => detail))],
    leftOut: numberOf(joined.at(-1), "journey.left_out.journeys"),
    leftOutBytes: numberOf(joined.at(-1), "journey.left_out.bytes"),
    faults: joined.filter(({ isFault }) => isFault).length,
  };
}

test("a download of 1 GB under one request stays under 1,000 spans, and says what was left out", () => {
  const connection = buildConnection()
    .request(request(1))
    .packet(data(5))
    .request({ atMs: 6, from: "server", sequence: 5_000, trace: 1, flags: wire.requestResponse });
  const segment = 65_160;
  const segments = Math.ceil(1e9 / segment);
  for (let index = 0; index < segments; index++)
    connection.packet({ atMs: 7 + index, from: "server", sequence: 5_000 + index * segment, bytes: segment, hops: 12 });
  connection.packet({ atMs: 8 + segments, from: "server", flags: FIN | ACK, sequence: 5_000 + segments * segment });
  const { journeys, joiner } = replay(connection.bytes(), { maxJourneys: 10_000 });
  const { spans, details, leftOut, leftOutBytes, journeys: joined } = totals(journeys, 1);
  assert.ok(spans < 1_000 && spans > 500, `${spans} spans`);
  assert.deepEqual(details, ["functions", "layers", "summary"]);
  assert.equal(leftOut, journeys.length - joined, "the connection's end tells of all of them");
  assert.ok(Math.abs(leftOutBytes - leftOut * (segment + 52)) < segment, `${leftOutBytes} bytes`);
  assert.equal(joiner.stats().past.spans, leftOut);
  assert.ok(journeys.every(({ parentSpanId, links }) => parentSpanId || links.length === 1));
});

test("a keep-alive connection that sends 100,000 requests keeps each within its bounds, and the memory too", () => {
  const joiner = createJoiner({ ...defaults, maxRequests: 500 });
  const counts = { joined: 0, other: 0 };
  const sink = {
    ...quietSink,
    accept({ parentSpanId }: JourneySpans) {
      if (parentSpanId) counts.joined++;
      else counts.other++;
    },
  };
  const pipeline = createPipeline({ sinks: [sink], joiner });
  const connection = buildConnection();
  for (let index = 0; index < 100_000; index++)
    connection
      .request(request(index, 1_000 + index * 150, 4 + index / 10))
      .packet({ ...data(4.05 + index / 10, 1_000 + index * 150, 150), lastsMs: 0.01 });
  pipeline.push(connection.bytes());
  pipeline.end();
  const { ranges, connections, applicationSpans, joined } = joiner.stats();
  assert.deepEqual(counts, { joined: 100_000, other: 0 });
  assert.equal(joined.http1, 100_000);
  assert.ok(ranges <= 1_024 && connections === 1 && applicationSpans <= 500);
});

test("a keep-alive connection whose 100,000 requests are under one span stays under 1,000 spans", () => {
  const connection = buildConnection();
  for (let index = 0; index < 100_000; index++)
    connection
      .request(request(1, 1_000 + index * 150, 4 + index / 2))
      .packet({ ...data(4 + index / 2, 1_000 + index * 150, 150), lastsMs: 0.01, hops: 2 });
  const { journeys } = replay(connection.bytes());
  const { spans, journeys: joined, leftOut } = totals(journeys, 1);
  assert.ok(spans < 1_000 && joined <= 200, `${spans} spans of ${joined} journeys`);
  assert.ok(leftOut >= 65_536, `${leftOut} were told of`);
});

test("a trace of many requests has a bound of its own, and the last of them still say what was left out", () => {
  const connection = buildConnection();
  for (let index = 0; index < 4_000; index++)
    connection
      .request({ ...request(1, 1_000 + index * 150, 4 + index), span: 1 + (index >> 2) })
      .packet({ ...data(4 + index, 1_000 + index * 150, 150), lastsMs: 0.01 });
  const { journeys, joiner } = replay(connection.bytes(), { maxTraceSpans: 1_000 });
  const { spans, journeys: joined } = totals(journeys, 1);
  assert.ok(spans <= 1_000 && spans > 800, `${spans} spans`);
  assert.equal(joiner.stats().past.trace, 4_000 - joined);
});

/** Requests of one span; each packet has a journey of 13 spans. */
function manyPackets(count: number): Uint8Array {
  const connection = buildConnection().request(request(1));
  for (let index = 0; index < count; index++)
    connection.packet({ ...data(5 + index, 1_000 + index * 150, 150), lastsMs: 0.01, hops: 12 });
  return connection.bytes();
}

test("what the agent's own limits leave out is told as well, and takes no room of what comes later", () => {
  let asked = 0;
  const { journeys, joiner } = replay(
    manyPackets(1_000),
    {},
    { reduce: (spans) => (++asked > 900 ? spans : undefined) },
  );
  const { spans, leftOut, journeys: joined } = totals(journeys, 1);
  assert.ok(spans > 500 && spans < 1_000, `${spans} spans`);
  assert.equal(journeys.length, 100);
  assert.ok(leftOut >= 900, `${leftOut} were told of`);
  const stats = joiner.stats();
  assert.deepEqual([stats.joined.http1, stats.linked.http1, stats.leftOut], [joined, 100 - joined, 900]);
  assert.equal(stats.past.spans, 100 - joined);
});

test("what would have told how much is missing and was left out itself is followed by the next that tells", () => {
  const isTelling = ({ spans: [root] }: JourneySpans): boolean =>
    root?.extra?.some(({ definition }) => definition.key === "journey.left_out.journeys") ?? false;
  let told = 0;
  const { journeys } = replay(
    manyPackets(2_000),
    {},
    {
      reduce: (spans) => (spans.parentSpanId && isTelling(spans) && ++told <= 10 ? undefined : spans),
    },
  );
  assert.ok(told > 10, `${told} were to tell`);
  assert.ok(totals(journeys, 1).leftOut >= 700, "of some 1,900");
});

test("what is left out before it is mapped counts as if it had been mapped", () => {
  const linked = new Set<boolean>();
  const refuses = ({ startMonotonicNs, hops }: Journey, _: unknown, isLinked: boolean): number | undefined => {
    linked.add(isLinked);
    return startMonotonicNs % 2_000_000n === 0n ? hops.length + 1 : undefined;
  };
  const { journeys, joiner } = replay(manyPackets(1_000), {}, { refuses });
  const { leftOut, journeys: joined } = totals(journeys, 1);
  const {
    leftOut: refused,
    linked: { http1 },
    joined: { http1: counted },
  } = joiner.stats();
  assert.equal(refused, 500);
  assert.equal(counted, joined);
  assert.equal(counted + http1 + refused, 1_000);
  assert.ok(leftOut > (http1 + refused) / 2 && leftOut <= http1 + refused, `${leftOut} were told of`);
  assert.deepEqual(linked, new Set([false, true]));
});

test("room is kept for what was dropped", () => {
  const connection = buildConnection().request(request(1));
  for (let index = 0; index < 2_000; index++)
    connection.packet({ ...data(5 + index, 1_000 + index * 100, 100), hops: 9 });
  connection.packet({ ...data(3_000, 1_000), end: wireJourneyEnd.dropped });
  const { faults, spans } = totals(replay(connection.bytes()).journeys, 1);
  assert.equal(faults, 1);
  assert.ok(spans < 1_000);
});

test("the terminal says whose a packet is, what it links to and what was left out", () => {
  const recording = buildConnection()
    .request(request(1))
    .request(request(2, 1_100))
    .packet(data(5))
    .packet({ ...data(70_000, 1_050, 10), lastsMs: 0.1 })
    .bytes();
  const [joined] = replay(recording, { forMs: 3_600_000 }).journeys.map((each) => renderJourneyTree(each, plainStyle));
  const [, past] = replay(buildConnection().request(request(1)).packet(data(5)).packet(data(50)).bytes(), {
    forMs: 10,
  }).journeys.map((each) => renderJourneyTree(each, plainStyle));
  const [first, second] = [1, 2].map((number) => ({
    trace: Buffer.from(traceIdOf(number)).toString("hex"),
    span: Buffer.from(spanIdOf(number)).toString("hex"),
  }));
  assert.ok(joined?.includes(`  data of the request of span ${first?.span}, trace ${first?.trace} (http1)\n`), joined);
  assert.ok(joined?.includes(`  linked to ${second?.trace}:${second?.span}\n`), joined);
  assert.ok(past?.includes("  retransmission of the request (http1)\n"), past);
  assert.ok(past?.includes(`  linked to ${first?.trace}:${first?.span}: past its time\n`), past);
});

test("what is lost of memory is the oldest connection's, and is counted", () => {
  const connection = buildConnection();
  for (let port = 0; port < 100; port++) connection.request({ ...request(port, 1_000, 4 + port), port: 40_000 + port });
  connection.packet({ ...data(200), port: 40_000 }).packet({ ...data(201), port: 40_099 });
  const { journeys, joiner } = replay(connection.bytes(), { maxRequests: 50 });
  assert.deepEqual(journeys.map(describe), ["-", "99 data"]);
  assert.deepEqual([joiner.stats().connections, joiner.stats().ranges, joiner.stats().forgotten], [50, 50, 50]);
});

test("SYNs without end neither drive out what is known, nor wait without bound", () => {
  const connection = buildConnection().request(request(1));
  for (let port = 0; port < 10_000; port++)
    connection.packet({ atMs: 5 + port / 1_000, lastsMs: 0.001, ...syn, port: 45_000 + port, hops: 0 });
  connection.packet(data(20));
  const joiner = createJoiner(defaults);
  const journeys: JourneySpans[] = [];
  const sink = { ...quietSink, accept: (journeySpans: JourneySpans) => void journeys.push(journeySpans) };
  const pipeline = createPipeline({ sinks: [sink], joiner });
  pipeline.push(connection.bytes());
  const { waiting, crowdedOut } = joiner.stats();
  assert.ok(waiting <= 2_048 && crowdedOut === 10_000 - waiting, `${waiting} wait, ${crowdedOut} did not`);
  assert.equal(journeys.map(describe).filter((each) => each === "1 data").length, 1);
});

const arbitraryStep = fc.record({
  kind: fc.constantFrom("packet", "packet", "packet", "request", "clock"),
  from: fc.constantFrom("client", "server"),
  port: fc.constantFrom(40_000, 40_001),
  flags: fc.constantFrom(SYN, SYN | ACK, ACK, PSH | ACK, FIN | ACK, RST, RST | ACK, 0),
  sequence: fc.oneof(fc.integer({ min: 990, max: 1_300 }), fc.integer({ min: 0, max: 0xffff_ffff })),
  acknowledgement: fc.integer({ min: 990, max: 1_300 }),
  bytes: fc.integer({ min: 0, max: 100 }),
  trace: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  requestFlags: fc.integer({ min: 0, max: 15 }),
  traceFlags: fc.integer({ min: 0, max: 1 }),
  gapMs: fc.constantFrom(0, 1, 5, 500, 3_000),
  end: fc.integer({ min: 0, max: 6 }),
  netnsCookie: fc.constantFrom(0n, 101n, 102n, 103n),
  isSent: fc.boolean(),
});

test("whatever is told and seen: every journey leaves once, within all bounds, and links to no span of its own trace", () => {
  fc.assert(
    fc.property(fc.array(arbitraryStep, { maxLength: 80 }), fc.constantFrom(0, 1_000), (steps, waitMs) => {
      const connection = buildConnection();
      let atMs = 0;
      let packets = 0;
      for (const { kind, gapMs, requestFlags, ...step } of steps) {
        atMs += gapMs;
        if (kind === "packet") connection.packet({ ...step, atMs });
        else if (kind === "request") connection.request({ ...step, flags: requestFlags, atMs });
        else connection.clock(atMs);
        if (kind === "packet") packets++;
      }
      const { journeys, joiner } = replay(connection.bytes(), {
        waitMs,
        maxSpans: 40,
        maxJourneys: 10,
        maxRequests: 16,
      });
      assert.equal(journeys.length, packets);
      const { waiting, waited, settled, overdue, crowdedOut, ranges } = joiner.stats();
      assert.equal(waiting, 0);
      assert.equal(waited, settled + overdue + crowdedOut);
      assert.ok(ranges >= 0);
      for (const trace of [1, 2, 3]) {
        const under = totals(journeys, trace);
        // An application's span that was forgotten may come again.
        assert.ok(under.spans <= 40 && under.journeys <= 10, JSON.stringify(under));
      }
      for (const { traceId, links } of journeys)
        assert.ok(links.every((link) => Buffer.compare(link.traceId, traceId) !== 0));
    }),
    { numRuns: 400 },
  );
});
