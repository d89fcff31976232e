import type { TracerStats } from "../enrich/create-node-state.js";
import type { WaitingStats } from "../enrich/create-waiting-room.js";
import type { SinkStats } from "../export/sink.js";
import type { JoinStats } from "../join/create-joiner.js";
import type { Detail } from "../map/packet-span.js";
import type { VolumeStats } from "../volume/create-volume.js";
import { describeJoining } from "./describe-joining.js";
import { countOf, describeEnds, describeSeen, formatCount, lossTexts } from "./describe-stats.js";
import { describeReduced } from "./describe-volume.js";

export interface SummaryInput {
  /** Undefined when no STATS frame came. */
  readonly stats: TracerStats | undefined;
  readonly keptJourneys: number;
  readonly keptSpans: number;
  readonly elapsedMs: number;
  readonly isRecording: boolean;
  readonly waiting?: WaitingStats;
  readonly joining?: JoinStats;
  readonly volume?: VolumeStats;
  /** That was asked for. */
  readonly detail?: Detail;
  readonly sinks: readonly { readonly name: string; readonly stats: SinkStats }[];
}

/** What is said at the end: seen, kept, lost by cause. */
export function renderSummary(input: SummaryInput): string[] {
  const { stats, keptJourneys, keptSpans, elapsedMs, isRecording } = input;
  const time = isRecording ? "of the recording" : `in ${(elapsedMs / 1000).toFixed(1)} s`;
  const lines = [`skbspan: ${countOf(keptJourneys, "journey")}, ${countOf(keptSpans, "span")} ${time}`];
  if (stats) {
    const ends = describeEnds(stats);
    const discarded =
      stats.discarded > 0 ? `, ${formatCount(stats.discarded)} not wanted (--dropped-only, --min-duration)` : "";
    lines.push(
      `  seen: ${describeSeen(stats)}`,
      `  kept: ${formatCount(keptJourneys)}${ends && `; ended: ${ends}`}${discarded}`,
    );
  }
  for (const { name, stats: sink } of input.sinks)
    if (name === "otlp")
      lines.push(
        `  exported: ${formatCount(sink.sentJourneys)} of ${formatCount(sink.acceptedJourneys)} journeys by otlp`,
      );
  if (input.waiting) lines.push(...describeUnnamed(input.waiting));
  if (input.joining) lines.push(...describeJoining(input.joining));
  if (input.volume) lines.push(...describeReduced(input.volume, input.detail ?? "functions"));
  const losses = renderLosses(input);
  return losses.length === 0 ? [...lines, "  lost: nothing"] : [...lines, ...losses];
}

function describeUnnamed({ overdue, crowdedOut }: WaitingStats): string[] {
  const parts = [
    ...(overdue > 0 ? [`${countOf(overdue, "journey")} after --pod-wait`] : []),
    ...(crowdedOut > 0 ? [`${countOf(crowdedOut, "journey")} since too many waited`] : []),
  ];
  return parts.length === 0 ? [] : [`  without the name of a pod: ${parts.join(", ")}`];
}

/** Only what was lost, empty when nothing was. */
export function renderLosses({ stats, sinks }: Pick<SummaryInput, "stats" | "sinks">): string[] {
  const losses: string[] = [];
  if (stats)
    for (const [name, describe] of lossTexts) if (stats[name] > 0) losses.push(describe(formatCount(stats[name])));
  // Whoever pipes into `head` knows.
  for (const sink of sinks)
    for (const [cause, spans] of Object.entries(sink.stats.lostSpans))
      if (spans > 0 && cause !== "reader_gone") losses.push(describeSinkLoss(sink, cause, spans));
  return losses.map((loss) => `  lost: ${loss}`);
}

function describeSinkLoss({ name, stats }: SummaryInput["sinks"][number], cause: string, spans: number): string {
  const journeys = countOf(stats.lostJourneys[cause] ?? 0, "journey");
  const text = sinkLossTexts[cause] ?? cause;
  // The collector says how many spans it left out, not of which journeys.
  if (cause === "rejected") return `${countOf(spans, "span")} of up to ${journeys} not exported by ${name}: ${text}`;
  return `${journeys} (${countOf(spans, "span")}) not exported by ${name}: ${text}`;
}

const sinkLossTexts: Readonly<Record<string, string>> = {
  buffer_full: "the buffer was full (raise --max-buffer, or match less)",
  refused: "the collector refused them",
  rejected: "the collector took the request without them",
  gave_up: "the collector was away for too long",
  closed: "the collector had not taken them when the time was up (--flush-timeout)",
  too_large: "a journey larger than a request may be",
};
