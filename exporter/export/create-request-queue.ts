import { Backoff } from "./backoff.js";
import { DeliveryCounts, type LossCause } from "./delivery-counts.js";
import { type Interest, interests, type OtlpRequest, type OtlpTransport, type SendOutcome } from "./otlp-request.js";

export interface RequestQueueOptions {
  readonly transport: OtlpTransport;
  /** Encoded requests that are kept, those on their way included. */
  readonly maxBytes: number;
  readonly maxConcurrent: number;
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
  /** A request that could not be sent for so long is given up. */
  readonly giveUpMs: number;
  /** The receiver has it: nothing reads its bytes any more. After a failure something still might. */
  readonly onAccepted?: (request: OtlpRequest) => void;
  readonly onTrouble?: (message: string) => void;
  readonly onRecovery?: () => void;
  readonly nowMs?: () => number;
  readonly random?: () => number;
}

export interface QueueStats {
  readonly sentJourneys: number;
  readonly sentSpans: number;
  readonly sentRequests: number;
  readonly retries: number;
  readonly bufferedBytes: number;
  readonly bufferedJourneys: number;
  readonly lostJourneys: Readonly<Record<LossCause, number>>;
  readonly lostSpans: Readonly<Record<LossCause, number>>;
}

/** So much keeps a receiver busy. More would only age in memory, where the collector of garbage has to look through it. */
const ENOUGH_BYTES_A_REQUEST = 1024 * 1024;
/** Node's timers end at once when asked for more than 2^31 ms: a receiver may ask for anything. */
const MAX_TIMER_MS = 3_600_000;

interface Entry {
  readonly request: OtlpRequest;
  readonly offeredMs: number;
}

/**
 * Sends requests, again and again where OTLP says so, within a bound of memory. Past it the oldest of what is least
 * interesting is given up first. While the receiver is in trouble only one request is on its way.
 */
export class RequestQueue {
  private readonly options: RequestQueueOptions;
  private readonly nowMs: () => number;
  private readonly backoff: Backoff;
  private readonly counts = new DeliveryCounts();
  private readonly waiting: Readonly<Record<Interest, Entry[]>> = { fault: [], joined: [], ordinary: [] };
  private readonly idleWaiters = new Set<() => void>();
  private readonly roomWaiters: (() => void)[] = [];
  private readonly running = new Set<Entry>();
  private bufferedBytes = 0;
  private bufferedJourneys = 0;
  private timer: NodeJS.Timeout | undefined;
  private sentRequests = 0;
  private retries = 0;

  constructor(options: RequestQueueOptions) {
    this.options = options;
    this.nowMs = options.nowMs ?? (() => performance.now());
    this.backoff = new Backoff({ ...options, random: options.random ?? Math.random });
  }

  offer(request: OtlpRequest): void {
    this.laneOf(request).push({ request, offeredMs: this.nowMs() });
    this.bufferedBytes += request.bytes.length;
    this.bufferedJourneys += request.journeys;
    this.evict();
    this.pump();
  }

  /** Undefined while there is less than what keeps the receiver busy. */
  room(): Promise<void> | undefined {
    if (this.hasRoom()) return undefined;
    return new Promise((resolve) => this.roomWaiters.push(resolve));
  }

  /**
   * Resolves when nothing waits or is on its way, at the latest after `timeoutMs`. Until then pauses are short: the one
   * attempt that arrives is not to wait for half a minute.
   */
  async idle(timeoutMs: number): Promise<void> {
    if (this.isIdle()) return;
    this.backoff.hurry(true);
    this.stopTimer();
    this.pump();
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.idleWaiters.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      this.idleWaiters.add(finish);
    });
    this.backoff.hurry(false);
  }

  /** Gives up all that waits or is on its way. */
  abandon(): void {
    for (const interest of interests) for (const entry of this.waiting[interest].splice(0)) this.lose(entry, "closed");
    // Whether these arrive will not be known.
    for (const entry of this.running) this.lose(entry, "closed");
    this.running.clear();
    this.stopTimer();
    this.notify();
  }

  /** For what is lost before it is a request. */
  countLoss(cause: LossCause, amount: { readonly journeys: number; readonly spans: number }): void {
    this.counts.lose(cause, amount);
  }

  stats(): QueueStats {
    const { sentRequests, retries, bufferedBytes, bufferedJourneys } = this;
    const { sentJourneys, sentSpans, lostJourneys, lostSpans } = this.counts;
    const delivery = { sentJourneys, sentSpans, lostJourneys, lostSpans };
    return { ...delivery, sentRequests, retries, bufferedBytes, bufferedJourneys };
  }

  private laneOf(request: OtlpRequest): Entry[] {
    return this.waiting[request.interest];
  }

  private isIdle(): boolean {
    return this.running.size === 0 && interests.every((interest) => this.waiting[interest].length === 0);
  }

  private hasRoom(): boolean {
    const { maxConcurrent, maxBytes } = this.options;
    return this.bufferedBytes < Math.min(maxConcurrent * ENOUGH_BYTES_A_REQUEST, maxBytes / 2);
  }

  private evict(): void {
    while (this.bufferedBytes > this.options.maxBytes) {
      const { fault, joined, ordinary } = this.waiting;
      const entry = ordinary.shift() ?? joined.shift() ?? fault.shift();
      if (!entry) return;
      this.lose(entry, "buffer_full");
    }
  }

  private lose(entry: Entry, cause: LossCause): void {
    this.counts.lose(cause, entry.request);
    this.letGo(entry);
  }

  private letGo({ request }: Entry): void {
    this.bufferedBytes -= request.bytes.length;
    this.bufferedJourneys -= request.journeys;
  }

  private pump(): void {
    const now = this.nowMs();
    const pauseMs = this.backoff.remainingMs(now);
    if (pauseMs > 0) return this.pumpLater(pauseMs);
    const limit = this.backoff.isFailing ? 1 : this.options.maxConcurrent;
    while (this.running.size < limit) {
      const { fault, joined, ordinary } = this.waiting;
      const entry = fault.shift() ?? joined.shift() ?? ordinary.shift();
      if (!entry) break;
      this.running.add(entry);
      void this.options.transport.send(entry.request).then((outcome) => this.settle(entry, outcome, now));
    }
    this.notify();
  }

  private pumpLater(delayMs: number): void {
    if (this.timer || this.isIdle()) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.pump();
      },
      Math.min(delayMs, MAX_TIMER_MS),
    );
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private settle(entry: Entry, outcome: SendOutcome, startedMs: number): void {
    if (!this.running.delete(entry)) return;
    if (outcome.kind === "retry") this.retry(entry, outcome, startedMs);
    else this.finish(entry, outcome);
    this.pump();
  }

  private finish(entry: Entry, outcome: Exclude<SendOutcome, { kind: "retry" }>): void {
    const { endpoint } = this.options.transport;
    const { spans } = entry.request;
    // Whatever the answer is, the receiver is there.
    const wasFailing = this.backoff.succeed();
    if (outcome.kind === "refused") {
      this.lose(entry, "refused");
      this.options.onTrouble?.(`${endpoint} refused ${spans} spans: ${outcome.message}`);
      return;
    }
    this.letGo(entry);
    this.sentRequests++;
    this.counts.send(entry.request, outcome.rejectedSpans);
    if (outcome.rejectedSpans > 0)
      this.options.onTrouble?.(
        `${endpoint} rejected ${outcome.rejectedSpans} of ${spans} spans: ${outcome.message ?? "no reason given"}`,
      );
    if (wasFailing) this.options.onRecovery?.();
    this.options.onAccepted?.(entry.request);
  }

  private retry(entry: Entry, outcome: Extract<SendOutcome, { kind: "retry" }>, startedMs: number): void {
    const nowMs = this.nowMs();
    if (this.backoff.fail({ startedMs, nowMs, orderedMs: outcome.delayMs }))
      this.options.onTrouble?.(`cannot send to ${this.options.transport.endpoint}, trying again: ${outcome.message}`);
    if (nowMs - entry.offeredMs >= this.options.giveUpMs) return this.lose(entry, "gave_up");
    this.retries++;
    this.laneOf(entry.request).unshift(entry);
    this.evict();
  }

  private notify(): void {
    if (this.hasRoom()) for (const wake of this.roomWaiters.splice(0)) wake();
    if (this.isIdle()) for (const wake of [...this.idleWaiters]) wake();
  }
}
