import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createOtlpSink, MAX_REQUEST_BYTES } from "../../exporter/export/create-otlp-sink.js";
import type { OtlpTransport } from "../../exporter/export/otlp-request.js";
import { weighJourney } from "../../exporter/export/weigh-journey.js";
import { attributes } from "../../exporter/map/attributes.js";
import { foldJourney } from "../../exporter/map/fold-journey.js";
import { details, type JourneySpans } from "../../exporter/map/packet-span.js";
import { wireBackend, wireJourneyEnd, wireProbeKind } from "../../exporter/wire/layout.js";
import { arbitraryRecording } from "../lib/arbitrary-recording.js";
import { buildRecording } from "../lib/build-recording.js";
import { collectJourneys } from "../lib/collect-journeys.js";
import { decodeRequest, type Plain, type PlainObject, spansOf } from "../lib/otlp-schema.js";
import { readRecordedJourneys } from "./read-recorded-journeys.js";
import { mostIn, NODES, PACKETS_PER_SECOND, runAgent, SECONDS } from "./run-agent.js";
import { LIVE_SECONDS, tempoLimits } from "./tempo-limits.js";

const recorded = readRecordedJourneys().flatMap(({ journeys }) => journeys);

/** The requests in which the journeys leave, as Tempo would get them. */
async function exportAll(journeys: readonly JourneySpans[]): Promise<Uint8Array[]> {
  const requests: Uint8Array[] = [];
  const transport: OtlpTransport = {
    endpoint: "the test",
    async send({ bytes }) {
      requests.push(Uint8Array.from(bytes));
      return { kind: "accepted", rejectedSpans: 0 };
    },
    close: async () => undefined,
  };
  const sink = createOtlpSink({ transport, isPatient: true });
  for (const journey of journeys) sink.accept(journey);
  await sink.close();
  return requests;
}

function attributesOf(object: PlainObject | undefined): readonly PlainObject[] {
  return (object?.["attributes"] ?? []) as readonly PlainObject[];
}

function bytesOf(value: Plain | undefined): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.reduce((total, item) => total + bytesOf(item), 0);
  return typeof value === "object" ? bytesOf(Object.values(value) as Plain[]) : 0;
}

function assertAttributes(request: PlainObject): void {
  const resources = ((request["resourceSpans"] ?? []) as readonly PlainObject[]).map(
    ({ resource }) => resource as PlainObject,
  );
  for (const { key, value } of [...resources, ...spansOf(request)].flatMap(attributesOf)) {
    assert.ok(bytesOf(key) <= tempoLimits.attributeBytes.value, `the key ${JSON.stringify(key)}`);
    assert.ok(bytesOf(value) <= tempoLimits.attributeBytes.value, `${JSON.stringify(key)} has ${bytesOf(value)} bytes`);
  }
}

/** Every span's journey is whole in its request: the parent is there, and so are as many roots as journeys. */
function assertWhole(request: PlainObject): number {
  const spans = spansOf(request);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  assert.equal(ids.size, spans.length, "no span id twice");
  const orphans = spans.filter(({ parentSpanId }) => parentSpanId !== undefined && !ids.has(parentSpanId));
  assert.deepEqual(orphans, []);
  return spans.filter(({ parentSpanId }) => parentSpanId === undefined).length;
}

async function assertRules(journeys: readonly JourneySpans[]): Promise<void> {
  const requests = await exportAll(journeys);
  let roots = 0;
  for (const bytes of requests) {
    assert.ok(bytes.length <= MAX_REQUEST_BYTES);
    const request = decodeRequest(bytes);
    assertAttributes(request);
    roots += assertWhole(request);
  }
  assert.equal(roots, journeys.length, "a root for each journey");
  const byTrace = new Map<string, number>();
  for (const journey of journeys) {
    const id = Buffer.from(journey.traceId).toString("hex");
    byTrace.set(id, (byTrace.get(id) ?? 0) + weighJourney(journey));
  }
  for (const [id, bytes] of byTrace)
    assert.ok(bytes <= tempoLimits.traceBytes.value, `the trace ${id} has ${bytes} bytes`);
}

/** A drop whose stack has names of the longest kind that the kernel has, and more frames than it records. */
function dropUnderLongNames(): Uint8Array {
  const text = 0xffff_ffff_8100_0000n;
  const start = 77_000_000_000_000n;
  const addresses = Array.from({ length: 40 }, (_, index) => text + BigInt(index) * 0x1000n + 0x40n);
  const recording = buildRecording().hello({ backend: wireBackend.tracepoint, startMonotonicNs: start });
  recording.probe(0, "kfree_skb", { kind: wireProbeKind.tracepoint });
  for (const [index, address] of addresses.entries())
    recording.symbol(address, address - 0x40n, `a_function_${index}_${"with_a_long_name_".repeat(6)}`);
  const units = [
    { hop: { probe: 0, cpu: 0, enter: start + 10n, returnValue: 0 } },
    { stack: { observed: start + 10n, addresses } },
  ];
  const fields = { startMonotonicNs: start, endMonotonicNs: start + 20n, end: wireJourneyEnd.dropped, dropReason: 8 };
  return recording.dropReason(8, "SKB_DROP_REASON_NETFILTER_DROP").journey(fields, units).end().bytes();
}

test("a stack that is longer than Tempo keeps is cut before, after a whole line", async () => {
  const journeys = collectJourneys(dropUnderLongNames());
  await assertRules(journeys);
  const stack = journeys
    .flatMap(({ spans }) => spans)
    .flatMap(({ extra }) => extra ?? [])
    .find(({ definition }) => definition === attributes.codeStacktrace);
  const lines = String(stack?.value).split("\n");
  assert.equal(lines.at(-1), "…");
  assert.ok(lines.length > 10 && lines.slice(0, -1).every((line) => /^a_function_.*\+0x40/.test(line)));
});

for (const detail of details) {
  test(`recordings by ${detail} keep Tempo's rules: attributes, bytes a trace, the root in the same request`, () =>
    assertRules(recorded.map((journey) => foldJourney(journey, detail))));

  test(`any journey by ${detail} keeps Tempo's rules`, () =>
    fc.assert(
      fc.asyncProperty(arbitraryRecording, (recording) =>
        assertRules(collectJourneys(recording).map((journey) => foldJourney(journey, detail))),
      ),
      { numRuns: 40 },
    ));
}

test("10 agents with their defaults, 1,000 packets a second each, stay inside Tempo's limits", async () => {
  const seconds = await runAgent(recorded, 100);
  const live = NODES * mostIn(seconds, LIVE_SECONDS, "traces");
  const liveBytes = NODES * mostIn(seconds, LIVE_SECONDS, "bytes");
  const burst = NODES * mostIn(seconds, 1, "bytes");
  const rate = (NODES * seconds.reduce((total, { bytes }) => total + bytes, 0)) / SECONDS;
  assert.ok(live < tempoLimits.liveTraces.value, `${live} live traces`);
  assert.ok(liveBytes < tempoLimits.liveBytes.value, `${liveBytes} bytes of live traces`);
  assert.ok(burst < tempoLimits.burstBytes.value, `${burst} bytes in a second`);
  assert.ok(rate < tempoLimits.bytesPerSecond.value, `${rate} bytes a second`);
  assert.ok(live > 0.3 * tempoLimits.liveTraces.value, `${live}: the defaults are not to be mean either`);
});

test("every twentieth packet dropped: all drops are sent, and still inside the limits", async () => {
  const seconds = await runAgent(recorded, 20);
  const perSecond = PACKETS_PER_SECOND / 20;
  for (const { traces } of seconds) assert.ok(traces >= perSecond);
  assert.ok(NODES * mostIn(seconds, LIVE_SECONDS, "traces") < tempoLimits.liveTraces.value);
  assert.ok(NODES * mostIn(seconds, 1, "bytes") < tempoLimits.burstBytes.value);
});
