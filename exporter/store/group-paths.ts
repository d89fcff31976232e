import type { PathView } from "./api-types.js";
import { countValues } from "./select-journeys.js";
import type { JourneyRecord } from "./summarise-trace.js";

/** Journeys that took the same functions in the same order are one path; the most travelled first. */
export function groupPaths(records: readonly JourneyRecord[]): PathView[] {
  const groups = new Map<string, JourneyRecord[]>();
  for (const record of records) {
    const { pathId } = record.summary;
    if (pathId === "") continue;
    const group = groups.get(pathId);
    if (group === undefined) groups.set(pathId, [record]);
    else group.push(record);
  }
  return [...groups.values()].flatMap(describePath).sort((a, b) => b.count - a.count);
}

function describePath(group: readonly JourneyRecord[]): PathView[] {
  const [first] = group;
  if (first === undefined) return [];
  const latest = group.reduce((a, b) => (b.startUnixNs > a.startUnixNs ? b : a));
  const durationsNs = group.map(({ summary }) => summary.durationNs).sort((a, b) => a - b);
  return [
    {
      pathId: first.summary.pathId,
      functions: first.functions,
      namespaces: latest.summary.namespaces,
      transports: [...new Set(group.map(({ summary }) => summary.transport))],
      count: group.length,
      p50Ns: percentile(durationsNs, 0.5),
      p99Ns: percentile(durationsNs, 0.99),
      ends: countValues(group.map(({ summary }) => summary.end)),
      dropReasons: countValues(group.flatMap(({ summary }) => (summary.drop ? [summary.drop.reason] : []))),
      latest: latest.summary,
    },
  ];
}

/** Nearest rank, so that the answer is a duration that was measured. */
export function percentile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)] ?? 0;
}
