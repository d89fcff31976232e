import type { RequestFrame } from "../decode/frame.js";
import { SpanBudget } from "./span-budget.js";

/** What the packets of a request join: the span of an application that asked, or answers. */
export interface ApplicationSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly traceFlags: number;
  /** What an application does not keep, packets do not follow. */
  readonly isSampled: boolean;
  /** When the first bytes of its request were seen. */
  readonly beganNs: bigint;
  /** What it may have under it, and has. */
  readonly budget: SpanBudget;
}

const SAMPLED = 1;

/** Knows an application's span again by its ids. The one that was asked for longest ago is forgotten first. */
export class ApplicationSpans {
  private readonly known = new Map<string, ApplicationSpan>();

  constructor(
    private readonly limits: { readonly spans: number; readonly journeys: number; readonly remembered: number },
  ) {}

  get size(): number {
    return this.known.size;
  }

  of({ traceId, spanId, traceFlags, observedMonotonicNs }: RequestFrame): ApplicationSpan | undefined {
    if (isZero(traceId) || isZero(spanId)) return undefined;
    const key = `${Buffer.from(traceId).toString("latin1")}${Buffer.from(spanId).toString("latin1")}`;
    let span = this.known.get(key);
    if (span) this.known.delete(key);
    else
      span = {
        traceId,
        spanId,
        traceFlags,
        isSampled: (traceFlags & SAMPLED) !== 0,
        beganNs: observedMonotonicNs,
        budget: new SpanBudget(this.limits),
      };
    this.known.set(key, span);
    if (this.known.size > this.limits.remembered) this.forgetOldest();
    return span;
  }

  private forgetOldest(): void {
    for (const key of this.known.keys()) return void this.known.delete(key);
  }
}

function isZero(id: Uint8Array): boolean {
  return id.every((byte) => byte === 0);
}
