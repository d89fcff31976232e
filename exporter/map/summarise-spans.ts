import { attributes } from "./attributes.js";
import { ANY_LAYER, findLayer, OTHER_LAYER } from "./layers.js";
import { type Attribute, createAttribute, type PacketSpan } from "./packet-span.js";
import { changesOf, dropMarksOf } from "./read-marks.js";

/** Of spans that are not sent, what the root says in their place. */
export function summarise(root: PacketSpan, spans: readonly PacketSpan[]): Attribute[] {
  const hops = new Map<string, number>();
  const changes = [...changesOf(root)];
  const dropMarks = new Map<unknown, Attribute>();
  let layer = OTHER_LAYER as string;
  for (const span of spans) {
    if (span.shape.kind !== "hop") continue;
    const own = findLayer(span.shape.name);
    if (own !== ANY_LAYER) layer = own;
    hops.set(layer, (hops.get(layer) ?? 0) + 1);
    if (!span.extra) continue;
    changes.push(...changesOf(span));
    for (const mark of dropMarksOf(span)) dropMarks.set(mark.definition, mark);
  }
  return [
    createAttribute(
      attributes.journeyLayers,
      [...hops].map(([name, count]) => `${name}: ${count}`),
    ),
    ...summariseWaits(spans),
    ...(changes.length > 0 ? [createAttribute(attributes.skbChanged, changes)] : []),
    ...dropMarks.values(),
  ];
}

function summariseWaits(spans: readonly PacketSpan[]): Attribute[] {
  const waits = spans.filter(({ shape }) => shape.kind === "wait");
  const totalNs = waits.reduce((total, { durationNs }) => total + durationNs, 0);
  const [longest] = waits.toSorted((a, b) => b.durationNs - a.durationNs);
  return [
    createAttribute(attributes.journeyWaits, waits.length),
    createAttribute(attributes.journeyWaitDuration, totalNs),
    ...(longest ? [createAttribute(attributes.journeyLongestWait, longest.shape.name.replace(/^wait: /, ""))] : []),
  ];
}
