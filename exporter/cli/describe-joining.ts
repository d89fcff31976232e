import type { JoinStats } from "../join/create-joiner.js";
import { countOf, formatCount } from "./describe-stats.js";

const boundFlags = {
  journeys: "--join-journeys",
  spans: "--join-spans",
  trace: "--join-trace-spans",
  time: "--join-for",
} as const;

/** At the end: empty when nothing belonged to any request. */
export function describeJoining({ joined, linked, past, unsampled, leftOut, shed, ...waits }: JoinStats): string[] {
  const lines: string[] = [];
  const bySource = describeCounts(joined);
  if (bySource !== "") lines.push(`  joined to requests: ${bySource}`);
  const links = describeCounts(linked);
  const bounds = Object.entries(past).flatMap(([bound, count]) =>
    count > 0 ? [`${formatCount(count)} past ${boundFlags[bound as keyof typeof boundFlags]}`] : [],
  );
  if (links !== "") lines.push(`  linked to requests: ${[links, ...bounds].join(", ")}`);
  const others = [
    ...(unsampled > 0 ? [`${countOf(unsampled, "journey")} of requests that are not sampled`] : []),
    ...(leftOut > 0 ? [`${countOf(leftOut, "journey")} of requests left out by --max-*-per-second`] : []),
    ...(shed > 0 ? [`${countOf(shed, "journey")} left out by --sampled-only`] : []),
    ...(waits.crowdedOut > 0 ? [`${countOf(waits.crowdedOut, "journey")} could not wait since too many did`] : []),
    ...(waits.forgotten > 0 ? [`${countOf(waits.forgotten, "request")} forgotten (raise --join-requests)`] : []),
  ];
  if (others.length > 0) lines.push(`  not joined: ${others.join(", ")}`);
  return lines;
}

/** "8 by http1, 2 by http2". */
function describeCounts(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .flatMap(([source, count]) => (count > 0 ? [`${formatCount(count)} by ${source}`] : []))
    .join(", ");
}
