import type { TracerStats } from "../enrich/create-node-state.js";

type StatName = keyof TracerStats;

/** How each count reads, the tracer's words (wire.h); the order is that of the summary. */
export const endNames = [
  "delivered",
  "transmitted",
  "dropped",
  "merged",
  "consumed",
  "expired",
] as const satisfies readonly StatName[];

export const lossTexts: readonly (readonly [StatName, (count: string) => string])[] = [
  ["lostTableFull", (count) => `${count} journeys: no free slot (raise --slots, or match less)`],
  ["lostRingFull", (count) => `${count} journeys: the ring buffer was full (raise --ring-size, or match less)`],
  ["lostOutput", (count) => `${count} journeys: the stream could not be written`],
  ["lostRequests", (count) => `${count} requests whose packets cannot be joined: the ring buffer was full`],
  ["lostHops", (count) => `${count} hops: the journey's slot was full (choose fewer functions with --probes)`],
  ["lostMissed", (count) => `${count} probe hits that the kernel skipped`],
  ["unreadable", (count) => `${count} packets whose headers could not be read`],
];

/** 1234567 as "1,234,567". */
export function formatCount(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** What was looked at and not followed, and why. */
export function describeSeen(stats: TracerStats): string {
  const parts = [
    `${countOf(stats.started, "journey")} begun`,
    `${countOf(stats.notMatched, "look")} at packets that did not match`,
  ];
  if (stats.sampledOut > 0) parts.push(`${formatCount(stats.sampledOut)} sampled out`);
  if (stats.rateLimited > 0) parts.push(`${formatCount(stats.rateLimited)} over --rate`);
  return parts.join(", ");
}

export function describeEnds(stats: TracerStats): string {
  return endNames
    .filter((name) => stats[name] > 0)
    .map((name) => `${formatCount(stats[name])} ${name}`)
    .join(", ");
}
