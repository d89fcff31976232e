import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { collectJourneys } from "../../test/lib/collect-journeys.js";
import { weighJourney } from "../export/weigh-journey.js";
import { deriveTraceId } from "../map/derive-trace-id.js";
import { foldJourney } from "../map/fold-journey.js";
import { type Detail, details, type JourneySpans } from "../map/packet-span.js";
import { createVolume, type Volume } from "./create-volume.js";
import type { Limits, Measure } from "./limits.js";
import { limitOf, measures } from "./limits.js";

const directory = fileURLToPath(new URL("../../../test/fixtures/recordings/", import.meta.url));
const recorded = readdirSync(directory)
  .filter((name) => name.endsWith(".skbspan"))
  .flatMap((name) => collectJourneys(readFileSync(`${directory}${name}`)));
const faults = recorded.filter(({ isFault }) => isFault);
const others = recorded.filter(({ isFault }) => !isFault);

/** The journey under a trace id of its own. */
function withTraceId(journeySpans: JourneySpans, random: number): JourneySpans {
  const traceId = new Uint8Array(16).fill(1);
  new DataView(traceId.buffer).setUint32(12, random);
  return { ...journeySpans, traceId };
}

const limit = fc.option(fc.integer({ min: 1, max: 2_000 }), { nil: undefined });
const arbitraryLimits: fc.Arbitrary<Limits> = fc.record({
  journeysPerSecond: limit,
  spansPerSecond: limit,
  bytesPerSecond: fc.option(fc.integer({ min: 1_000, max: 400_000 }), { nil: undefined }),
});
const arbitraryArrivals = fc.array(
  fc.record({
    journey: fc.nat(recorded.length - 1),
    traceId: fc.integer({ min: 0, max: 0xffff_ffff }),
    // Now and then a pause, or a clock that steps back.
    gapMs: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(0, 0, 0, 1, 5) },
      { weight: 1, arbitrary: fc.integer({ min: -50, max: 3_000 }) },
    ),
  }),
  { maxLength: 300 },
);
const arbitraryRun = fc.record({
  limits: arbitraryLimits,
  detail: fc.constantFrom(...details),
  arrivals: arbitraryArrivals,
});

interface Departure {
  readonly atMs: number;
  readonly journey: JourneySpans;
  readonly left: JourneySpans | undefined;
  readonly isBeyond: boolean;
}

function run(input: typeof arbitraryRun extends fc.Arbitrary<infer Run> ? Run : never): [Volume, Departure[]] {
  const volume = createVolume({ limits: input.limits, detail: input.detail, weigh: weighJourney });
  let clockMs = 1_000;
  let latestMs = clockMs;
  const departures = input.arrivals.map(({ journey: number, traceId, gapMs }): Departure => {
    clockMs += gapMs;
    latestMs = Math.max(latestMs, clockMs);
    const journey = withTraceId(recorded[number] as JourneySpans, traceId);
    const before = volume.stats().beyond.journeys;
    const left = volume.admit(journey, clockMs);
    return { atMs: latestMs, journey, left, isBeyond: volume.stats().beyond.journeys > before };
  });
  return [volume, departures];
}

function costOf(journey: JourneySpans, measure: Measure): number {
  if (measure === "journeys") return 1;
  return measure === "spans" ? journey.spans.length : weighJourney(journey);
}

/** More than this between any two moments would be over the limit: the rate, and what a second may save up. */
function assertWithin(departures: readonly Departure[], measure: Measure, perSecond: number): void {
  let level = 0;
  let beforeMs = departures[0]?.atMs ?? 0;
  for (const { atMs, left, isBeyond } of departures) {
    level = Math.max(0, level - ((atMs - beforeMs) / 1000) * perSecond);
    beforeMs = atMs;
    if (left && !isBeyond) level += costOf(left, measure);
    assert.ok(level <= perSecond + 1e-6, `${level} ${measure} at once, with ${perSecond} a second`);
  }
}

test("whatever comes: no limit is passed but by dropped packets' summaries", () => {
  fc.assert(
    fc.property(arbitraryRun, (input) => {
      const [, departures] = run(input);
      for (const measure of measures) {
        const perSecond = limitOf(input.limits, measure);
        if (perSecond !== undefined) assertWithin(departures, measure, perSecond);
      }
      for (const { left, isBeyond } of departures)
        if (isBeyond) assert.ok(left?.isFault && left.spans.length === 1, "only a fault's summary goes beyond");
    }),
  );
});

test("whatever comes: a dropped packet's journey always leaves", () => {
  fc.assert(
    fc.property(arbitraryRun, (input) => {
      for (const { journey, left } of run(input)[1])
        if (journey.isFault) assert.ok(left?.spans[0]?.fault, "it left, and still says what happened");
    }),
  );
});

test("whatever comes: journeys in = out by detail + shed by cause, never in more detail than asked for", () => {
  fc.assert(
    fc.property(arbitraryRun, (input) => {
      const [volume, departures] = run(input);
      const { left, shed, beyond } = volume.stats();
      const count = (of: Readonly<Record<string, number>>) => Object.values(of).reduce((sum, value) => sum + value, 0);
      assert.equal(count(left) + count(shed), departures.length);
      for (const detail of details)
        assert.equal(left[detail], departures.filter((departure) => departure.left?.detail === detail).length);
      assert.ok(beyond.journeys <= left.summary);
      const least = details.indexOf(input.detail);
      for (const departure of departures)
        if (departure.left) assert.ok(details.indexOf(departure.left.detail) >= least);
    }),
  );
});

/** `perSecond` journeys a second, spread evenly, for some seconds; what left of them by detail in the last second. */
function feed(volume: Volume, clock: { ms: number }, seconds: number, perSecond: number, of = others) {
  let before = volume.stats();
  for (let second = 0; second < seconds; second++) {
    before = volume.stats();
    for (let index = 0; index < perSecond; index++) {
      clock.ms += 1000 / perSecond;
      const random = (Math.imul(index + second * perSecond, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
      volume.admit(withTraceId(of[index % of.length] as JourneySpans, random), clock.ms);
    }
  }
  const { left, shed } = volume.stats();
  const grown = <Key extends string>(now: Readonly<Record<Key, number>>, then: Readonly<Record<Key, number>>) =>
    Object.fromEntries(Object.entries(now).map(([key, value]) => [key, Number(value) - then[key as Key]])) as Record<
      Key,
      number
    >;
  return { left: grown(left, before.left), shed: grown(shed, before.shed) };
}

function createSpansVolume(spansPerSecond: number, onChange?: (plan: string) => void, detail: Detail = "functions") {
  return createVolume({
    limits: { spansPerSecond },
    detail,
    weigh: weighJourney,
    onChange: ({ plan }) => onChange?.(`${plan.detail}${plan.share < 1 ? " sampled" : ""}`),
  });
}

const averageSpans = (detail: Detail): number =>
  others.reduce((sum, journey) => sum + foldJourney(journey, detail).spans.length, 0) / others.length;

test("under more and more load detail goes first, then journeys; afterwards all comes back, step by step", () => {
  const told: string[] = [];
  const spansPerSecond = 3_000;
  const volume = createSpansVolume(spansPerSecond, (plan) => told.push(plan));
  const clock = { ms: 0 };
  const fitting = Math.floor((0.5 * spansPerSecond) / averageSpans("functions"));
  assert.deepEqual(feed(volume, clock, 5, fitting).left, { functions: fitting, layers: 0, summary: 0 });
  const forLayers = Math.floor((0.9 * spansPerSecond) / averageSpans("layers"));
  const layers = feed(volume, clock, 20, forLayers);
  assert.equal(layers.left.functions, 0);
  assert.equal(layers.shed.sampled, 0);
  assert.ok(layers.left.layers > 0.9 * forLayers, JSON.stringify(layers));
  assert.deepEqual(feed(volume, clock, 20, 2_500).left, { functions: 0, layers: 0, summary: 2_500 });
  const sampled = feed(volume, clock, 20, 12_000);
  assert.ok(sampled.left.summary > 0.85 * spansPerSecond && sampled.left.summary <= spansPerSecond);
  assert.ok(sampled.shed.sampled > 20 * sampled.shed.burst, "by trace id, not by chance of the moment");
  feed(volume, clock, 60, fitting);
  assert.deepEqual(told, ["layers", "summary", "summary sampled", "summary", "layers", "functions"]);
  assert.equal(volume.stats().isSaving, false);
});

test("a load just below the limit raises nothing: what would not fit well does not come back", () => {
  const told: string[] = [];
  const spansPerSecond = 3_000;
  const volume = createSpansVolume(spansPerSecond, (plan) => told.push(plan));
  const clock = { ms: 0 };
  feed(volume, clock, 5, Math.ceil((1.3 * spansPerSecond) / averageSpans("functions")));
  for (let round = 0; round < 20; round++)
    feed(volume, clock, 5, Math.floor(((round % 2 ? 0.85 : 0.95) * spansPerSecond) / averageSpans("functions")));
  assert.deepEqual(told, ["layers"]);
});

test("a limit of journeys is kept by sampling, in full detail", () => {
  const volume = createVolume({ limits: { journeysPerSecond: 100 }, detail: "functions", weigh: weighJourney });
  const { left, shed } = feed(volume, { ms: 0 }, 30, 1_000);
  assert.equal(left.layers + left.summary, 0);
  assert.ok(left.functions > 70 && left.functions <= 100, `${left.functions} left`);
  assert.equal(left.functions + shed.sampled + shed.burst, 1_000);
});

test("what is shed before it is mapped is what would have been shed after, and counts as wanted", () => {
  const runs = [true, false].map((asksFirst) => {
    const volume = createVolume({ limits: { spansPerSecond: 300 }, detail: "functions", weigh: weighJourney });
    const left: number[] = [];
    for (let index = 0; index < 30_000; index++) {
      const random = Math.imul(index + 1, 0x9e3779b1) >>> 0;
      const journey = withTraceId(others[index % others.length] as JourneySpans, random);
      if (asksFirst && volume.sheds(journey.journey.hops.length, () => journey.traceId, index)) continue;
      if (volume.admit(journey, index)) left.push(index);
    }
    return { left, stats: volume.stats() };
  });
  const [before, after] = runs;
  assert.ok(before && after);
  assert.deepEqual(before.left, after.left);
  assert.deepEqual(before.stats, after.stats);
  assert.ok(before.stats.shed.sampled > 15_000, `${before.stats.shed.sampled} were sampled out`);
});

test("trace ids of real packets are spread evenly: a share keeps about that share", () => {
  const context = others.map(({ journey }) => journey.contexts[0]).find((first) => first?.tcpSequence !== 0);
  assert.ok(context);
  const volume = createVolume({ limits: { journeysPerSecond: 200 }, detail: "summary", weigh: weighJourney });
  const sample = others[0] as JourneySpans;
  const ids = Array.from({ length: 20_000 }, (_, index) =>
    deriveTraceId(
      sample.journey,
      { ...context, ipId: index & 0xffff, tcpSequence: (context.tcpSequence + 1448 * index) >>> 0 },
      "",
    ),
  );
  let left = 0;
  for (const [index, traceId] of ids.entries()) if (volume.admit({ ...sample, traceId }, index)) left++;
  // 20 s at 1,000 a second, of which 200 are allowed; the first second is still without a plan.
  assert.ok(left > 0.85 * 20 * 200 && left <= 21 * 200, `${left} left`);
});

test("two agents that keep the same share keep the same packets", () => {
  const kept = [1, 2].map(() => {
    const volume = createVolume({ limits: { journeysPerSecond: 200 }, detail: "summary", weigh: weighJourney });
    const clock = { ms: 0 };
    feed(volume, clock, 10, 1_000);
    const ids: number[] = [];
    for (let id = 0; id < 100; id++) {
      clock.ms += 10;
      if (volume.admit(withTraceId(others[0] as JourneySpans, id * 0x028f_5c28), clock.ms)) ids.push(id);
    }
    return ids;
  });
  assert.ok((kept[0]?.length ?? 0) > 5);
  assert.deepEqual(kept[0], kept[1]);
});

test("a flood of drops is told, and does not starve the others for longer than a second", () => {
  const volume = createSpansVolume(100);
  const clock = { ms: 0 };
  feed(volume, clock, 20, 1_000, faults);
  assert.ok(volume.stats().beyond.journeys > 15_000);
  clock.ms += 1_200;
  const { left } = feed(volume, clock, 1, 5);
  assert.equal(left.summary + left.layers + left.functions, 5);
});

test("with time alone all is allowed again", () => {
  const volume = createSpansVolume(100);
  const clock = { ms: 0 };
  feed(volume, clock, 5, 1_000);
  assert.equal(volume.stats().isSaving, true);
  for (let second = 0; second < 120; second++) {
    clock.ms += 1_000;
    volume.tick(clock.ms);
  }
  assert.equal(volume.stats().isSaving, false);
});

test("without limits journeys leave in the detail that was asked for", () => {
  const volume = createVolume({ limits: {}, detail: "layers", weigh: weighJourney });
  for (const journey of recorded) assert.deepEqual(volume.admit(journey, 0), foldJourney(journey, "layers"));
  assert.equal(volume.stats().left.layers, recorded.length);
});

test("a journey in an application's trace is not sampled while there is room, and keeps within the limits", () => {
  const parentSpanId = new Uint8Array(8).fill(1);
  const [journey] = others;
  assert.ok(journey);
  const volume = createVolume({ limits: { journeysPerSecond: 100 }, detail: "functions", weigh: weighJourney });
  const left = { joined: 0, others: 0 };
  for (let index = 0; index < 20_000; index++) {
    // 1,000 a second for 20 s, one in 20 of them joined.
    const isJoined = index % 20 === 0;
    const own = withTraceId(journey, (index * 0x9e37_79b9) >>> 0);
    if (!volume.admit(isJoined ? { ...own, parentSpanId } : own, index)) continue;
    if (isJoined) left.joined++;
    else left.others++;
  }
  assert.equal(left.joined, 1_000);
  assert.ok(left.others > 300 && left.joined + left.others <= 21 * 100, JSON.stringify(left));
});

test("too many joined journeys do not leave either", () => {
  const [journey] = others;
  assert.ok(journey);
  const volume = createVolume({ limits: { journeysPerSecond: 100 }, detail: "functions", weigh: weighJourney });
  let left = 0;
  for (let index = 0; index < 10_000; index++)
    if (volume.admit({ ...journey, parentSpanId: new Uint8Array(8).fill(1) }, index)) left++;
  assert.ok(left <= 11 * 100 && left >= 9 * 100, `${left} left`);
  assert.equal(volume.stats().shed.burst + volume.stats().shed.sampled, 10_000 - left);
});

test("a joined journey that nothing is left for is left out before it is mapped, and counts as wanted", () => {
  const [journey] = others;
  assert.ok(journey);
  const limits = { journeysPerSecond: 100, spansPerSecond: 10_000 };
  const joined = { ...journey, parentSpanId: new Uint8Array(8).fill(1) };
  const hops = journey.journey.hops.length;
  const asked = createVolume({ limits, detail: "functions", weigh: weighJourney });
  const unasked = createVolume({ limits, detail: "functions", weigh: weighJourney });
  const left = { asked: 0, unasked: 0 };
  let refused = 0;
  for (let index = 0; index < 10_000; index++) {
    if (unasked.admit(joined, index)) left.unasked++;
    if (asked.refuses(hops, index)) refused++;
    else if (asked.admit(joined, index)) left.asked++;
  }
  assert.deepEqual(left.asked, left.unasked);
  assert.equal(refused + left.asked, 10_000);
  assert.deepEqual(asked.stats().shed, unasked.stats().shed);
  assert.deepEqual(asked.stats().plan, unasked.stats().plan);
  const spans = journey.spans.length;
  assert.ok(Math.abs(asked.estimateSpans(hops) - spans) <= spans / 4, `${asked.estimateSpans(hops)} of ${spans}`);
});

test("without limits nothing is refused", () => {
  const volume = createVolume({ limits: {}, detail: "functions", weigh: weighJourney });
  assert.equal(volume.refuses(10, 0), false);
});
