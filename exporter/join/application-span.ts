import type { RequestFrame } from "../decode/frame.js";
import { type BudgetLimits, SpanBudget, type TraceUse } from "./span-budget.js";

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
  private readonly traces = new Map<string, TraceUse>();
  /** Both ends of a connection tell of the request and of the response: mostly it is asked for again at once. */
  private newest: ApplicationSpan | undefined;

  constructor(
    private readonly limits: BudgetLimits,
    private readonly remembered: number,
  ) {}

  get size(): number {
    return this.known.size;
  }

  of(frame: RequestFrame): ApplicationSpan | undefined {
    if (this.newest && isOf(this.newest, frame)) return this.newest;
    const { traceId, spanId, traceFlags, observedMonotonicNs } = frame;
    if (isZero(traceId) || isZero(spanId)) return undefined;
    const traceKey = toKey(traceId);
    const trace = renew(this.traces, traceKey, this.remembered, () => ({ spans: 0 }));
    this.newest = renew(this.known, traceKey + toKey(spanId), this.remembered, () => ({
      traceId,
      spanId,
      traceFlags,
      isSampled: (traceFlags & SAMPLED) !== 0,
      beganNs: observedMonotonicNs,
      budget: new SpanBudget(this.limits, trace),
    }));
    return this.newest;
  }
}

function isOf(span: ApplicationSpan, { traceId, spanId }: RequestFrame): boolean {
  return isSame(span.spanId, spanId) && isSame(span.traceId, traceId);
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return left.length === right.length;
}

function toKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString("latin1");
}

/** The value of the key, which is the newest now; the oldest makes room. */
function renew<Value>(values: Map<string, Value>, key: string, most: number, make: () => Value): Value {
  const value = values.get(key) ?? make();
  values.delete(key);
  values.set(key, value);
  const [oldest] = values.keys();
  if (values.size > most && oldest !== undefined) values.delete(oldest);
  return value;
}

function isZero(id: Uint8Array): boolean {
  return id.every((byte) => byte === 0);
}
