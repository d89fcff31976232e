import { foldJourney } from "../map/fold-journey.js";
import { type Detail, details, type JourneySpans } from "../map/packet-span.js";
import { Budget } from "./budget.js";
import { Demand } from "./demand.js";
import { Governor } from "./governor.js";
import { type Cost, hasLimit, type Limits } from "./limits.js";
import { isLowerDetail, type VolumePlan } from "./plan-volume.js";

export interface VolumeOptions {
  readonly limits: Limits;
  /** The most that is shown. */
  readonly detail: Detail;
  /** The bytes of a journey when it is exported. */
  readonly weigh: (journeySpans: JourneySpans) => number;
  /** The agent begins to save, saves more, or less, or no more. */
  readonly onChange?: (volume: VolumeStats) => void;
}

/** Journeys in = the sum of `left` + the sum of `shed`. */
export interface VolumeStats {
  /** Journeys that went on, by their detail. */
  readonly left: Readonly<Record<Detail, number>>;
  /** Journeys that did not. `sampled`: by the share; `burst`: they came faster than within the second. */
  readonly shed: Readonly<Record<ShedCause, number>>;
  /** Dropped packets' journeys that went on though nothing was left to spend, and their spans. */
  readonly beyond: Readonly<Pick<Cost, "journeys" | "spans">>;
  readonly plan: VolumePlan;
  readonly isSaving: boolean;
}

export type ShedCause = "sampled" | "burst";

/** Keeps what leaves within limits. State of its own; the clock is passed in, in milliseconds. */
export interface Volume {
  /**
   * Whether a journey of so many hops, without a fault, is left out by sampling. Asked before it is mapped, it saves that
   * work; not to be asked for one that comes to `admit`, unless the answer was no.
   */
  sheds(hops: number, readTraceId: () => Uint8Array, nowMs: number): boolean;
  /**
   * Whether one that is joined to an application's trace is left out since nothing more may leave now. To be asked as `sheds`, in its place.
   */
  refuses(hops: number, nowMs: number): boolean;
  /** About how many spans a journey of so many hops has. */
  estimateSpans(hops: number): number;
  /**
   * What is to leave of a journey: all, less detail, or undefined: nothing. Never nothing of a fault; of one that is joined to an
   * application's trace nothing only when the limits are used up.
   */
  admit(journeySpans: JourneySpans, nowMs: number): JourneySpans | undefined;
  /** To be called now and then: with time alone the limits allow more again. */
  tick(nowMs: number): void;
  stats(): VolumeStats;
}

const WINDOW_MS = 1_000;
/** What a journey in this detail leaves in the buckets: before they are empty, detail goes, and drops find some. */
const RESERVES: Readonly<Record<Detail, number>> = { functions: 0.3, layers: 0.15, summary: 0.05 };
/** No span is smaller: what does not fit by this need not be weighed. */
const LEAST_SPAN_BYTES = 100;
const LEAST_COST: Cost = { journeys: 1, spans: 1, bytes: LEAST_SPAN_BYTES };
/** While summaries leave, one in so many is folded into layers to know what these would cost. */
const PROBE_ONE_IN = 16;
const WHOLE_SHARE = 0x1_0000_0000;

export function createVolume(options: VolumeOptions): Volume {
  return new Keeper(options);
}

class Keeper implements Volume {
  private readonly budget: Budget;
  private readonly governor: Governor;
  private readonly demand = new Demand();
  private readonly isLimited: boolean;
  private readonly left: Record<Detail, number> = { functions: 0, layers: 0, summary: 0 };
  private readonly shed: Record<ShedCause, number> = { sampled: 0, burst: 0 };
  private readonly beyond = { journeys: 0, spans: 0 };
  private windowStartMs: number | undefined;
  private wanted = 0;

  constructor(private readonly options: VolumeOptions) {
    this.budget = new Budget(options.limits);
    this.governor = new Governor(options.limits, options.detail);
    this.isLimited = hasLimit(options.limits);
  }

  sheds(hops: number, readTraceId: () => Uint8Array, nowMs: number): boolean {
    if (!this.isLimited) return false;
    this.tick(nowMs);
    if (this.governor.share >= 1 || isInShare(readTraceId(), this.governor.share)) return false;
    this.demand.addUnmapped(hops);
    this.shed.sampled++;
    return true;
  }

  estimateSpans(hops: number): number {
    return this.demand.spansOf(hops);
  }

  refuses(hops: number, nowMs: number): boolean {
    if (!this.isLimited) return false;
    this.tick(nowMs);
    this.budget.fill(nowMs);
    if (this.budget.has(LEAST_COST, 0)) return false;
    this.demand.add(this.estimateSpans(hops), true);
    this.shed.burst++;
    return true;
  }

  admit(journeySpans: JourneySpans, nowMs: number): JourneySpans | undefined {
    if (!this.isLimited) return this.leave(foldJourney(journeySpans, this.options.detail));
    this.tick(nowMs);
    this.budget.fill(nowMs);
    this.demand.add(journeySpans.spans.length, isFirst(journeySpans));
    this.demand.learnHops(journeySpans.journey.hops.length, journeySpans.spans.length);
    if (this.wanted++ % PROBE_ONE_IN === 0) this.probeLayers(journeySpans);
    if (!isFirst(journeySpans) && !isInShare(journeySpans.traceId, this.governor.share)) {
      this.shed.sampled++;
      return undefined;
    }
    return this.spendOn(journeySpans);
  }

  tick(nowMs: number): void {
    const elapsedMs = nowMs - (this.windowStartMs ?? nowMs);
    this.windowStartMs ??= nowMs;
    if (elapsedMs < WINDOW_MS) return;
    this.windowStartMs = nowMs;
    const { detail, share, isSaving } = this.governor;
    this.governor.observe(this.demand, elapsedMs / 1000);
    this.demand.clear();
    const isOther = this.governor.detail !== detail || share < 1 !== this.governor.share < 1;
    if (isOther || isSaving !== this.governor.isSaving) this.options.onChange?.(this.stats());
  }

  stats(): VolumeStats {
    const { detail, share, isSaving } = this.governor;
    return {
      left: { ...this.left },
      shed: { ...this.shed },
      beyond: { ...this.beyond },
      plan: { detail, share },
      isSaving,
    };
  }

  /** In the fullest detail that the buckets still allow. */
  private spendOn(journeySpans: JourneySpans): JourneySpans | undefined {
    const { isFault } = journeySpans;
    for (const detail of details) {
      if (isLowerDetail(this.governor.detail, detail)) continue;
      const folded = foldJourney(journeySpans, detail);
      const reserve = isFirst(journeySpans) ? 0 : RESERVES[detail];
      const spans = folded.spans.length;
      if (!this.budget.has({ journeys: 1, spans, bytes: spans * LEAST_SPAN_BYTES }, reserve)) continue;
      const cost = this.costOf(folded);
      this.demand.learn(detail, journeySpans.spans.length, cost);
      if (!this.budget.has(cost, reserve)) continue;
      this.budget.spend(cost);
      return this.leave(folded);
    }
    if (isFault) return this.force(foldJourney(journeySpans, "summary"));
    this.shed.burst++;
    return undefined;
  }

  private force(summary: JourneySpans): JourneySpans {
    const cost = this.costOf(summary);
    this.budget.spendByForce(cost);
    this.beyond.journeys++;
    this.beyond.spans += cost.spans;
    return this.leave(summary);
  }

  private leave(journeySpans: JourneySpans): JourneySpans {
    this.left[journeySpans.detail]++;
    return journeySpans;
  }

  private costOf(journeySpans: JourneySpans): Cost {
    const bytes = this.options.limits.bytesPerSecond === undefined ? 0 : this.options.weigh(journeySpans);
    return { journeys: 1, spans: journeySpans.spans.length, bytes };
  }

  private probeLayers(journeySpans: JourneySpans): void {
    if (this.governor.detail !== "summary" || this.options.detail === "summary") return;
    const layers = foldJourney(journeySpans, "layers");
    this.demand.learn("layers", journeySpans.spans.length, this.costOf(layers));
  }
}

/**
 * What is not sampled, and finds something in the buckets after the others did not: faults, and journeys in the trace of an application,
 * which has sampled already and of which a request's own bounds allow few.
 */
function isFirst({ isFault, parentSpanId }: JourneySpans): boolean {
  return isFault || parentSpanId !== undefined;
}

/** By the trace id, so that nodes that keep the same share keep the same packets. */
function isInShare(traceId: Uint8Array, share: number): boolean {
  if (share >= 1) return true;
  const view = new DataView(traceId.buffer, traceId.byteOffset, traceId.length);
  return view.getUint32(12) < share * WHOLE_SHARE;
}
