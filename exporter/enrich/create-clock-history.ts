/** Turns times of the monotonic clock into times since 1970, through pairs of readings of both clocks. */
export interface ClockHistory {
  add(monotonicNs: bigint, realtimeNs: bigint): void;
  /** Uses the pair nearest to the time, so that a step of the system's clock moves only what came after it. */
  toRealtimeNs(monotonicNs: bigint): bigint;
}

/** At a pair a second, journeys are found a place for as long as an expiring one can take. */
const MAX_PAIRS = 128;

export function createClockHistory(): ClockHistory {
  const pairs: { monotonicNs: bigint; offsetNs: bigint }[] = [];
  return {
    add(monotonicNs, realtimeNs) {
      if (pairs.length === MAX_PAIRS) pairs.shift();
      pairs.push({ monotonicNs, offsetNs: realtimeNs - monotonicNs });
    },
    toRealtimeNs(monotonicNs) {
      // Journeys arrive in about the order of time: the nearest pair is among the last.
      let nearest = pairs[pairs.length - 1];
      for (let index = pairs.length - 2; nearest && index >= 0; index--) {
        const pair = pairs[index];
        if (!pair || distance(pair.monotonicNs, monotonicNs) >= distance(nearest.monotonicNs, monotonicNs)) break;
        nearest = pair;
      }
      return monotonicNs + (nearest?.offsetNs ?? 0n);
    },
  };
}

function distance(left: bigint, right: bigint): bigint {
  return left > right ? left - right : right - left;
}
