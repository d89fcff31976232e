import type { Config } from "../config/options.js";
import type { Journey } from "../decode/frame.js";

type Choice = Pick<Config, "isDroppedOnly" | "areDropsKept" | "minDurationNs">;

/** What the kernel decides while it traces, decided again for a recording. */
export function isWanted(
  { end, durationNs }: Journey,
  { isDroppedOnly, areDropsKept, minDurationNs }: Choice,
): boolean {
  const isDropped = end === "dropped";
  if (isDroppedOnly && !isDropped) return false;
  if (areDropsKept && isDropped) return true;
  return minDurationNs === undefined || durationNs >= minDurationNs;
}
