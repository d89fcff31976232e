import type { DropGroup, JourneySummary } from "./api-types.js";
import { formatEndpoint, type JourneyRecord } from "./summarise-trace.js";

export type JourneyOrder = "newest" | "worst" | "slowest";

/** What a person asked for; empty and zero mean "any". */
export interface JourneyFilter {
  /** An end of ARCHITECTURE.md, or `application`. */
  readonly end: string;
  /** The beginning of either address: `10.0.1.` finds a subnet. */
  readonly address: string;
  /** Either port. */
  readonly port: number;
  readonly namespace: string;
  /** Part of a function's name. */
  readonly function: string;
  readonly minDurationNs: number;
  /** Every word of it must occur somewhere. */
  readonly text: string;
  readonly pathId: string;
}

export const ANY_JOURNEY: JourneyFilter = {
  end: "",
  address: "",
  port: 0,
  namespace: "",
  function: "",
  minDurationNs: 0,
  text: "",
  pathId: "",
};

export function selectJourneys(records: Iterable<JourneyRecord>, filter: JourneyFilter): JourneyRecord[] {
  const words = filter.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const selected: JourneyRecord[] = [];
  for (const record of records) if (matches(record, filter, words)) selected.push(record);
  return selected;
}

function matches(record: JourneyRecord, filter: JourneyFilter, words: readonly string[]): boolean {
  const { summary, functions, searchText } = record;
  if (filter.end !== "" && (summary.end || summary.kind) !== filter.end) return false;
  if (filter.pathId !== "" && summary.pathId !== filter.pathId) return false;
  if (summary.durationNs < filter.minDurationNs) return false;
  const endpoints = [summary.source, summary.destination];
  if (filter.address !== "" && !endpoints.some((end) => end?.address.startsWith(filter.address))) return false;
  if (filter.port !== 0 && !endpoints.some((end) => end?.port === filter.port)) return false;
  if (filter.namespace !== "" && !summary.namespaces.includes(filter.namespace)) return false;
  if (filter.function !== "" && !functions.some((name) => name.includes(filter.function))) return false;
  return words.every((word) => searchText.includes(word));
}

/** In place. Worst: dropped, then failed or never ended, then the slowest. */
export function sortJourneys(records: JourneyRecord[], order: JourneyOrder): JourneyRecord[] {
  const newest = (a: JourneyRecord, b: JourneyRecord) => Number(b.startUnixNs - a.startUnixNs);
  const slowest = (a: JourneyRecord, b: JourneyRecord) => b.summary.durationNs - a.summary.durationNs;
  if (order === "newest") return records.sort(newest);
  if (order === "slowest") return records.sort(slowest);
  return records.sort((a, b) => badness(b.summary) - badness(a.summary) || slowest(a, b));
}

function badness(summary: JourneySummary): number {
  if (summary.failed && summary.end === "dropped") return 3;
  if (summary.failed || summary.end === "expired") return 2;
  return summary.complete ? 0 : 1;
}

/** Faults only (an end that the span model does not call an error is not one here), the commonest cause first. */
export function groupDrops(records: readonly JourneyRecord[]): DropGroup[] {
  const groups = new Map<string, JourneyRecord[]>();
  for (const record of records) {
    const { drop, failed } = record.summary;
    if (!drop || !failed) continue;
    const key = [drop.reason, drop.function, drop.namespace].join("\n");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [record]);
    else group.push(record);
  }
  return [...groups.values()].flatMap(describeDropGroup).sort((a, b) => b.count - a.count);
}

function describeDropGroup(group: readonly JourneyRecord[]): DropGroup[] {
  const latest = group.reduce((a, b) => (b.startUnixNs > a.startUnixNs ? b : a)).summary;
  const { drop } = latest;
  if (drop === undefined) return [];
  const destinations = group.map(({ summary }) => (summary.destination ? formatEndpoint(summary.destination) : ""));
  return [
    {
      reason: drop.reason,
      function: drop.function,
      namespace: drop.namespace,
      advice: drop.advice,
      transport: latest.transport,
      destination: commonest(destinations),
      count: group.length,
      latest,
    },
  ];
}

function commonest(values: readonly string[]): string {
  const counts = countValues(values);
  return Object.entries(counts).reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0])[0];
}

export function countValues(values: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
