import { type Cost, type Limits, limitOf, type Measure, measures } from "./limits.js";

interface Bucket {
  readonly measure: Measure;
  /** Also how much it holds: what a second allows may be spent at once. */
  readonly perSecond: number;
  tokens: number;
}

/**
 * What may still be spent: for each limit a bucket that fills at its rate. Over any time no more is spent than the rate
 * times the time, plus a second's worth, plus what was taken by force. The clock is passed in; one that goes backwards
 * stands still.
 */
export class Budget {
  private readonly buckets: readonly Bucket[];
  private filledMs: number | undefined;

  constructor(limits: Limits) {
    this.buckets = measures.flatMap((measure) => {
      const perSecond = limitOf(limits, measure);
      return perSecond === undefined ? [] : [{ measure, perSecond, tokens: perSecond }];
    });
  }

  fill(nowMs: number): void {
    const filledMs = this.filledMs ?? nowMs;
    const seconds = Math.max(0, nowMs - filledMs) / 1000;
    this.filledMs = Math.max(nowMs, filledMs);
    for (const bucket of this.buckets)
      bucket.tokens = Math.min(bucket.perSecond, bucket.tokens + seconds * bucket.perSecond);
  }

  /** Whether it can be spent so that this share of each bucket is left. */
  has(cost: Cost, reserveShare: number): boolean {
    return this.buckets.every(({ measure, perSecond, tokens }) => tokens - cost[measure] >= reserveShare * perSecond);
  }

  spend(cost: Cost): void {
    for (const bucket of this.buckets) bucket.tokens -= cost[bucket.measure];
  }

  /** Also what is not there. The debt is bounded: after a flood, the others do not wait for longer than a second. */
  spendByForce(cost: Cost): void {
    for (const bucket of this.buckets)
      bucket.tokens = Math.max(-bucket.perSecond, bucket.tokens - cost[bucket.measure]);
  }
}
