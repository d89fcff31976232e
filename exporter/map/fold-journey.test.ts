import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { arbitraryRecording } from "../../test/lib/arbitrary-recording.js";
import { collectJourneys } from "../../test/lib/collect-journeys.js";
import { droppedSeenByTracepoints, tcpAcrossNode } from "../../test/lib/example-recordings.js";
import { attributes } from "./attributes.js";
import { foldJourney } from "./fold-journey.js";
import { listAttributes } from "./list-attributes.js";
import type { JourneySpans, PacketSpan } from "./packet-span.js";
import { changesOf } from "./read-marks.js";

const directory = fileURLToPath(new URL("../../../test/fixtures/recordings/", import.meta.url));

function readRecordings(): JourneySpans[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".skbspan"))
    .flatMap((name) => collectJourneys(readFileSync(`${directory}${name}`)));
}

function readValue(span: PacketSpan | undefined, definition: unknown): unknown {
  return span && listAttributes(span).find((attribute) => attribute.definition === definition)?.value;
}

const waitsOf = ({ spans }: JourneySpans): readonly PacketSpan[] => spans.filter(({ shape }) => shape.kind === "wait");

function assertFolded(journey: JourneySpans, folded: JourneySpans): void {
  const [root, ...rest] = folded.spans;
  const hops = journey.spans.filter(({ shape }) => shape.kind === "hop").length;
  const layers = rest.filter(({ shape }) => shape.kind === "layer");
  assert.equal(rest.length, layers.length + waitsOf(folded).length);
  assert.equal(
    layers.reduce((total, span) => total + Number(readValue(span, attributes.layerHops)), 0),
    hops,
    "every hop is counted in one layer",
  );
  assert.deepEqual(waitsOf(folded), waitsOf(journey), "waits stay");
  assert.deepEqual(folded.spans.flatMap(changesOf), journey.spans.flatMap(changesOf), "changes stay");
  assert.deepEqual(
    folded.spans.map(({ fault }) => fault).filter((fault) => fault !== undefined),
    journey.spans.map(({ fault }) => fault).filter((fault) => fault !== undefined),
    "faults stay, the hop's on its layer",
  );
  assert.equal(readValue(root, attributes.journeyDetail), "layers");
  assert.ok(root?.idHigh === journey.spans[0]?.idHigh && root?.idLow === journey.spans[0]?.idLow);
  for (const span of rest) {
    assert.equal(span.parent, 0);
    assert.ok(root && span.endOffsetNs <= root.endOffsetNs, "Jaeger takes a longer child for another clock");
    assert.ok(span.durationNs >= 0 && span.endOffsetNs > span.startOffsetNs);
  }
  for (const [index, span] of rest.entries()) {
    const next = rest[index + 1];
    const isRun = span.shape.kind === "layer" && next?.shape.kind === "layer";
    assert.ok(!isRun || next.shape.identity !== span.shape.identity || next.shape.name !== span.shape.name);
  }
}

test("any journey by layers: every hop in one run, nothing that matters lost", () => {
  fc.assert(
    fc.property(arbitraryRecording, (recording) => {
      for (const journey of collectJourneys(recording)) assertFolded(journey, foldJourney(journey, "layers"));
    }),
  );
});

test("recordings by layers: fewer spans, their order in time, the drop on its layer", () => {
  const journeys = readRecordings();
  assert.ok(journeys.length > 100);
  let before = 0;
  let after = 0;
  for (const journey of journeys) {
    const folded = foldJourney(journey, "layers");
    assertFolded(journey, folded);
    before += journey.spans.length;
    after += folded.spans.length;
    if (!journey.isFault) continue;
    const dropping = folded.spans.slice(1).filter(({ fault }) => fault);
    assert.equal(dropping.length, 1);
    for (const definition of [attributes.errorType, attributes.dropReason, attributes.dropLocation])
      assert.equal(readValue(dropping[0], definition), readValue(journey.spans[0], definition));
  }
  assert.ok(after < before / 2, `${before} spans became ${after}`);
});

test("layers stand side by side: each lasts until the packet goes on to the next", () => {
  const [journey] = collectJourneys(tcpAcrossNode());
  assert.ok(journey);
  const layers = foldJourney(journey, "layers").spans.slice(1);
  for (const [index, span] of layers.entries()) {
    const next = layers[index + 1];
    if (next) assert.ok(span.startOffsetNs + span.durationNs <= next.startOffsetNs, `${span.shape.name} overlaps`);
  }
});

test("any journey as a summary: one span that counts the others", () => {
  fc.assert(
    fc.property(arbitraryRecording, (recording) => {
      for (const journey of collectJourneys(recording)) {
        const { spans, isFault } = foldJourney(journey, "summary");
        const [root] = spans;
        assert.equal(spans.length, 1);
        assert.equal(root?.fault !== undefined, isFault);
        const counted = (readValue(root, attributes.journeyLayers) as string[]).map((text) =>
          Number(text.split(": ")[1]),
        );
        assert.equal(
          counted.reduce((total, count) => total + count, 0),
          journey.spans.filter(({ shape }) => shape.kind === "hop").length,
        );
        assert.equal(readValue(root, attributes.journeyWaits), waitsOf(journey).length);
        assert.deepEqual(root && changesOf(root), journey.spans.flatMap(changesOf));
        const keys = root ? listAttributes(root).map(({ definition }) => definition.key) : [];
        assert.equal(new Set(keys).size, keys.length, "no key twice");
      }
    }),
  );
});

test("a drop keeps its reason, place, advice and stack, whatever the detail", () => {
  const [journey] = collectJourneys(droppedSeenByTracepoints());
  assert.ok(journey?.isFault);
  for (const detail of ["layers", "summary"] as const) {
    const dropping = foldJourney(journey, detail).spans.findLast(({ fault }) => fault);
    for (const definition of [attributes.errorType, attributes.dropReason, attributes.codeStacktrace])
      assert.notEqual(readValue(dropping, definition), undefined, `${detail}: ${definition.key}`);
  }
});
