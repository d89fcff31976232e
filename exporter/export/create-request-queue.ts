import type { OtlpRequest, OtlpTransport, SendOutcome } from "./otlp-request.js";

export interface RequestQueueOptions {
  readonly transport: OtlpTransport;
  /** Encoded requests that are kept, those on their way included. */
  readonly maxBytes: number;
  readonly maxConcurrent: number;
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
  /** A request that could not be sent for so long is given up. */
  readonly giveUpMs: number;
  readonly onTrouble?: (message: string) => void;
  readonly onRecovery?: () => void;
  readonly nowMs?: () => number;
  readonly random?: () => number;
}

export interface QueueStats {
  readonly sentSpans: number;
  readonly sentRequests: number;
  readonly retries: number;
  readonly bufferedBytes: number;
  readonly lostSpans: Readonly<Record<LossCause, number>>;
}

export type LossCause = "buffer_full" | "refused" | "rejected" | "gave_up" | "closed" | "too_large";

/** So much keeps a receiver busy. More would only age in memory, where the collector of garbage has to look through it. */
const ENOUGH_BYTES = 4 * 1024 * 1024;

interface Entry {
  readonly request: OtlpRequest;
  readonly offeredMs: number;
}

/**
 * Sends requests, again and again where OTLP says so, within a bound of memory. Past it the oldest requests without
 * faults are given up first, then the oldest with. While the receiver is in trouble only one request is on its way.
 */
export class RequestQueue {
  private readonly options: RequestQueueOptions;
  private readonly nowMs: () => number;
  private readonly random: () => number;
  private readonly waiting: { readonly faults: Entry[]; readonly ordinary: Entry[] } = { faults: [], ordinary: [] };
  private readonly idleWaiters: (() => void)[] = [];
  private readonly roomWaiters: (() => void)[] = [];
  private readonly running = new Set<Entry>();
  private bufferedBytes = 0;
  private failures = 0;
  private pausedUntilMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private sentSpans = 0;
  private sentRequests = 0;
  private retries = 0;
  private readonly lost: Record<LossCause, number> = {
    buffer_full: 0,
    refused: 0,
    rejected: 0,
    gave_up: 0,
    closed: 0,
    too_large: 0,
  };

  constructor(options: RequestQueueOptions) {
    this.options = options;
    this.nowMs = options.nowMs ?? (() => performance.now());
    this.random = options.random ?? Math.random;
  }

  offer(request: OtlpRequest): void {
    this.laneOf(request).push({ request, offeredMs: this.nowMs() });
    this.bufferedBytes += request.bytes.length;
    this.evict();
    this.pump();
  }

  /** Undefined while there is less than what keeps the receiver busy. */
  room(): Promise<void> | undefined {
    if (this.hasRoom()) return undefined;
    return new Promise((resolve) => this.roomWaiters.push(resolve));
  }

  /** Resolves when nothing waits or is on its way, at the latest after `timeoutMs`. True: all is done. */
  idle(timeoutMs: number): Promise<boolean> {
    if (this.isIdle()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.idleWaiters.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** Gives up all that waits or is on its way. */
  abandon(): void {
    for (const lane of [this.waiting.faults, this.waiting.ordinary])
      for (const entry of lane.splice(0)) this.lose(entry, "closed");
    // Whether these arrive will not be known.
    for (const entry of this.running) this.lose(entry, "closed");
    this.running.clear();
    clearTimeout(this.timer);
    this.timer = undefined;
    this.notify();
  }

  countLoss(cause: LossCause, spans: number): void {
    this.lost[cause] += spans;
  }

  stats(): QueueStats {
    const { sentSpans, sentRequests, retries, bufferedBytes } = this;
    return { sentSpans, sentRequests, retries, bufferedBytes, lostSpans: { ...this.lost } };
  }

  private laneOf(request: OtlpRequest): Entry[] {
    return request.isFault ? this.waiting.faults : this.waiting.ordinary;
  }

  private isIdle(): boolean {
    return this.running.size === 0 && this.waiting.faults.length === 0 && this.waiting.ordinary.length === 0;
  }

  private hasRoom(): boolean {
    return this.bufferedBytes < Math.min(ENOUGH_BYTES, this.options.maxBytes / 2);
  }

  private evict(): void {
    while (this.bufferedBytes > this.options.maxBytes) {
      const entry = this.waiting.ordinary.shift() ?? this.waiting.faults.shift();
      if (!entry) return;
      this.lose(entry, "buffer_full");
    }
  }

  private lose(entry: Entry, cause: LossCause): void {
    this.lost[cause] += entry.request.spans;
    this.bufferedBytes -= entry.request.bytes.length;
  }

  private pump(): void {
    const now = this.nowMs();
    if (now < this.pausedUntilMs) return this.pumpLater(this.pausedUntilMs - now);
    const limit = this.failures > 0 ? 1 : this.options.maxConcurrent;
    while (this.running.size < limit) {
      const entry = this.waiting.faults.shift() ?? this.waiting.ordinary.shift();
      if (!entry) break;
      this.running.add(entry);
      void this.options.transport.send(entry.request).then((outcome) => this.settle(entry, outcome, now));
    }
    this.notify();
  }

  private pumpLater(delayMs: number): void {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.pump();
    }, delayMs);
  }

  private settle(entry: Entry, outcome: SendOutcome, startedMs: number): void {
    if (!this.running.delete(entry)) return;
    if (outcome.kind === "retry") this.retry(entry, outcome, startedMs);
    else this.finish(entry, outcome);
    this.pump();
  }

  private finish(entry: Entry, outcome: Exclude<SendOutcome, { kind: "retry" }>): void {
    const { spans, bytes } = entry.request;
    if (outcome.kind === "refused") {
      this.lose(entry, "refused");
      this.options.onTrouble?.(`${this.options.transport.endpoint} refused ${spans} spans: ${outcome.message}`);
      return;
    }
    this.bufferedBytes -= bytes.length;
    this.sentRequests++;
    this.sentSpans += spans - outcome.rejectedSpans;
    this.lost.rejected += outcome.rejectedSpans;
    if (outcome.rejectedSpans > 0)
      this.options.onTrouble?.(
        `${this.options.transport.endpoint} rejected ${outcome.rejectedSpans} of ${spans} spans: ${outcome.message ?? "no reason given"}`,
      );
    if (this.failures > 0) this.options.onRecovery?.();
    this.failures = 0;
  }

  private retry(entry: Entry, outcome: Extract<SendOutcome, { kind: "retry" }>, startedMs: number): void {
    const now = this.nowMs();
    // Requests that were under way together fail together: that is one failure.
    if (startedMs >= this.pausedUntilMs) {
      this.failures++;
      const backoffMs = Math.min(this.options.maxBackoffMs, this.options.firstBackoffMs * 2 ** (this.failures - 1));
      this.pausedUntilMs = now + (outcome.delayMs ?? backoffMs * (0.5 + this.random() / 2));
      if (this.failures === 1)
        this.options.onTrouble?.(`cannot send to ${this.options.transport.endpoint}, trying again: ${outcome.message}`);
    }
    if (now - entry.offeredMs >= this.options.giveUpMs) return this.lose(entry, "gave_up");
    this.retries++;
    this.laneOf(entry.request).unshift(entry);
    this.evict();
  }

  private notify(): void {
    if (this.hasRoom()) for (const wake of this.roomWaiters.splice(0)) wake();
    if (this.isIdle()) for (const wake of this.idleWaiters.splice(0)) wake();
  }
}
