export interface BackoffOptions {
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly random: () => number;
}

/** A receiver that asked for a pause gets a little more, so that not all agents come back in the same millisecond. */
const ORDERED_JITTER = 0.1;

/** When to try again: after what the receiver asked for, else after an exponential pause with full jitter. */
export class Backoff {
  private failures = 0;
  private pausedUntilMs = 0;
  private isOrdered = false;
  private isHurried = false;

  constructor(private readonly options: BackoffOptions) {}

  get isFailing(): boolean {
    return this.failures > 0;
  }

  remainingMs(nowMs: number): number {
    return Math.max(0, this.pausedUntilMs - nowMs);
  }

  /** `startedMs`: when the attempt began that failed. True: it is the first failure in a row. */
  fail({ startedMs, nowMs, orderedMs }: { startedMs: number; nowMs: number; orderedMs: number | undefined }): boolean {
    // Requests that were under way together fail together: that is one failure, and the longest order holds.
    if (startedMs < this.pausedUntilMs) {
      if (orderedMs) this.order(nowMs, orderedMs);
      return false;
    }
    this.failures++;
    if (orderedMs) this.order(nowMs, orderedMs);
    else this.pausedUntilMs = nowMs + this.options.random() * this.ceilingMs();
    return this.failures === 1;
  }

  /** True: it was failing before. */
  succeed(): boolean {
    const wasFailing = this.isFailing;
    this.failures = 0;
    return wasFailing;
  }

  /** Time is short, as at the end: no long pauses of our own. What the receiver asked for still holds. */
  hurry(isHurried: boolean): void {
    this.isHurried = isHurried;
    if (isHurried && !this.isOrdered) this.pausedUntilMs = 0;
  }

  private ceilingMs(): number {
    const { firstBackoffMs, maxBackoffMs } = this.options;
    this.isOrdered = false;
    return this.isHurried ? firstBackoffMs : Math.min(maxBackoffMs, firstBackoffMs * 2 ** (this.failures - 1));
  }

  private order(nowMs: number, orderedMs: number): void {
    this.isOrdered = true;
    const untilMs = nowMs + orderedMs * (1 + ORDERED_JITTER * this.options.random());
    this.pausedUntilMs = Math.max(this.pausedUntilMs, untilMs);
  }
}
