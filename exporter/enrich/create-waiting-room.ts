import type { Journey } from "../decode/frame.js";
import type { PodResolver } from "./create-pod-resolver.js";

export interface WaitingRoomOptions {
  readonly resolver: PodResolver;
  /** How long a journey waits for the name of a pod at most; 0: not at all. */
  readonly waitMs: number;
  /** How many wait at most: the oldest makes room. */
  readonly maxJourneys?: number;
}

/** Since the start. Nothing is lost here: what is not named leaves without a name. */
export interface WaitingStats {
  readonly waiting: number;
  /** Journeys that had to wait, and those of them that left as soon as it was known whose every namespace is. */
  readonly waited: number;
  readonly settled: number;
  /** That left without, because the time was up, or because there was no more room. */
  readonly overdue: number;
  readonly crowdedOut: number;
}

/**
 * Where journeys wait until it is known whose the namespaces are that they went through. A pod's first packets come before its first
 * process, and before the API server has told of it.
 *
 * Time is that of the stream, so that a recording gives the same however fast it is read.
 */
export interface WaitingRoom {
  /** Whether the journey has to wait: then it comes out of `release`. */
  takes(journey: Journey): boolean;
  /** Journeys whose wait is over, the oldest first. `nowNs`: of the monotonic clock of the stream. */
  release(nowNs: bigint): Journey[];
  /** All of them: nothing more will be known. */
  releaseAll(): Journey[];
  stats(): WaitingStats;
}

const MAX_JOURNEYS = 2_048;

export function createWaitingRoom({ resolver, waitMs, maxJourneys = MAX_JOURNEYS }: WaitingRoomOptions): WaitingRoom {
  const waitNs = BigInt(waitMs) * 1_000_000n;
  const counts = { waited: 0, settled: 0, overdue: 0, crowdedOut: 0 };
  let waiting: { readonly journey: Journey; readonly sinceNs: bigint }[] = [];
  let newestNs = 0n;
  let hasChanged = false;
  resolver.onChange?.(() => {
    hasChanged = true;
  });
  const isPending = ({ contexts }: Journey): boolean =>
    contexts.some(({ netnsCookie, netnsInode }) => resolver.isPending({ cookie: netnsCookie, inode: netnsInode }));
  const leaveUnnamed = ({ contexts }: Journey): void => {
    for (const { netnsCookie, netnsInode } of contexts) {
      const namespace = { cookie: netnsCookie, inode: netnsInode };
      if (resolver.isPending(namespace)) resolver.giveUp(namespace);
    }
  };
  return {
    takes(journey) {
      const endNs = journey.startMonotonicNs + BigInt(journey.durationNs);
      if (endNs > newestNs) newestNs = endNs;
      if (waitMs === 0 || !resolver.expectsPods || !isPending(journey)) return false;
      // Since now, not since its end: a journey that was late itself waits no less.
      waiting.push({ journey, sinceNs: newestNs });
      counts.waited++;
      return true;
    },
    release(nowNs) {
      if (nowNs > newestNs) newestNs = nowNs;
      const oldest = waiting[0];
      const isCrowded = waiting.length > maxJourneys;
      if (!oldest || !(hasChanged || isCrowded || newestNs - oldest.sinceNs >= waitNs)) return [];
      hasChanged = false;
      const released: Journey[] = [];
      const surplus = waiting.length - maxJourneys;
      waiting = waiting.filter(({ journey, sinceNs }, index) => {
        const isOverdue = newestNs - sinceNs >= waitNs;
        if (!isPending(journey)) counts.settled++;
        else if (isOverdue) counts.overdue++;
        else if (index < surplus) counts.crowdedOut++;
        else return true;
        if (isOverdue) leaveUnnamed(journey);
        released.push(journey);
        return false;
      });
      return released;
    },
    releaseAll() {
      const released = waiting.map(({ journey }) => journey);
      for (const journey of released) {
        if (isPending(journey)) counts.overdue++;
        else counts.settled++;
      }
      waiting = [];
      return released;
    },
    stats: () => ({ ...counts, waiting: waiting.length }),
  };
}
