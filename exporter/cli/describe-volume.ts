import type { VolumeStats } from "../volume/create-volume.js";
import type { Limits } from "../volume/limits.js";
import { countOf, formatCount } from "./describe-stats.js";

/** For the user, when what may leave changes. */
export function describeVolume({ plan, isSaving, shed, beyond }: VolumeStats, limits: Limits): string {
  const so = [
    ...(plan.detail === "layers" ? ["journeys are shown by layers"] : []),
    ...(plan.detail === "summary" ? ["journeys are shown as summaries"] : []),
    ...(plan.share < 1 ? [`${formatShare(plan.share)} are kept, and all that were dropped`] : []),
  ];
  if (isSaving) return `more than ${describeLimits(limits)} a second: ${so.join(", ")}`;
  const left = shed.sampled + shed.burst;
  const drops = beyond.journeys > 0 ? `; ${countOf(beyond.journeys, "drop")} went beyond it` : "";
  return `within ${describeLimits(limits)} a second again: all is shown; so far ${countOf(left, "journey")} left out${drops}`;
}

/** At the end: empty when all left in full. */
export function describeReduced({ left, shed, beyond }: VolumeStats, wasAskedFor: string): string[] {
  const parts = [
    ...(left.layers > 0 && wasAskedFor === "functions" ? [`${formatCount(left.layers)} by layers`] : []),
    ...(left.summary > 0 && wasAskedFor !== "summary" ? [`${formatCount(left.summary)} as summaries`] : []),
  ];
  const out = shed.sampled + shed.burst;
  if (out > 0)
    parts.push(
      `left out ${formatCount(out)} (${formatCount(shed.sampled)} sampled, ${formatCount(shed.burst)} in bursts)`,
    );
  if (beyond.journeys > 0) parts.push(`${countOf(beyond.journeys, "drop")} beyond the limits`);
  return parts.length === 0 ? [] : [`  to stay within --max-*-per-second: ${parts.join(", ")}`];
}

function formatShare(share: number): string {
  return share === 0 ? "none" : `one in ${formatCount(Math.max(2, Math.round(1 / share)))}`;
}

function describeLimits({ journeysPerSecond, spansPerSecond, bytesPerSecond }: Limits): string {
  return [
    ...(journeysPerSecond === undefined ? [] : [countOf(journeysPerSecond, "journey")]),
    ...(spansPerSecond === undefined ? [] : [countOf(spansPerSecond, "span")]),
    ...(bytesPerSecond === undefined ? [] : [countOf(bytesPerSecond, "byte")]),
  ].join(" or ");
}
