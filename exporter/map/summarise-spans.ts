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
    if (span.shape.kind === "wait") continue;
    const own = layerOf(span);
    if (own !== ANY_LAYER) layer = own;
    hops.set(layer, (hops.get(layer) ?? 0) + hopsIn(span));
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

/** Of a hop by its function; spans that are folded already say it themselves. */
function layerOf(span: PacketSpan): string {
  if (span.shape.kind === "hop") return findLayer(span.shape.name);
  return String(span.shape.attributes.find(({ definition }) => definition === attributes.layerName)?.value);
}

function hopsIn(span: PacketSpan): number {
  if (span.shape.kind === "hop") return 1;
  return Number(span.extra?.find(({ definition }) => definition === attributes.layerHops)?.value ?? 1);
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
