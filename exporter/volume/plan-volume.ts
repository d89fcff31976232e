import { type Detail, details } from "../map/packet-span.js";
import type { Demand, Wanted } from "./demand.js";
import { type Limits, limitOf, type Measure } from "./limits.js";

/** In what detail journeys leave, and which share of those without a fault. */
export interface VolumePlan {
  readonly detail: Detail;
  readonly share: number;
}

/** Sampling aims a little below the limit, so that chance does not empty the buckets. */
const AIM = 0.95;

/**
 * The fullest plan that fits into a part of the limits. Detail goes before journeys: these are sampled by a limit of
 * spans or bytes only when their summaries are too much. A limit of journeys can only be kept by sampling.
 */
export function planVolume(
  demand: Demand,
  seconds: number,
  options: { readonly limits: Limits; readonly fullDetail: Detail; readonly part: number },
): VolumePlan {
  const allowed = (measure: Measure): number => {
    return (limitOf(options.limits, measure) ?? Number.POSITIVE_INFINITY) * options.part * seconds;
  };
  const shareOf = (wanted: Wanted, measure: Measure): number => {
    const faults = wanted.faults[measure];
    const others = wanted.others[measure];
    if (faults + others <= allowed(measure) || others === 0) return 1;
    return Math.max(0, AIM * allowed(measure) - faults) / others;
  };
  const journeyShare = shareOf(demand.in("summary"), "journeys");
  const fits = (detail: Detail): boolean => {
    const { faults, others } = demand.in(detail);
    return (["spans", "bytes"] as const).every(
      (measure) => faults[measure] + journeyShare * others[measure] <= allowed(measure),
    );
  };
  const detail = details.slice(details.indexOf(options.fullDetail)).find(fits);
  if (detail !== undefined) return { detail, share: journeyShare };
  const summaries = demand.in("summary");
  const share = Math.min(journeyShare, shareOf(summaries, "spans"), shareOf(summaries, "bytes"));
  return { detail: "summary", share };
}

/** Whether it is less than the other. */
export function isLowerDetail(detail: Detail, than: Detail): boolean {
  return details.indexOf(detail) > details.indexOf(than);
}

/** The next fuller one; that of "functions" is itself. */
export function raiseDetail(detail: Detail): Detail {
  return details[details.indexOf(detail) - 1] ?? detail;
}
