import { foldJourney } from "../map/fold-journey.js";
import { type Detail, details, type JourneySpans } from "../map/packet-span.js";

/** How much of the budget journeys in this detail may leave used: what is told in less follows a request for longer. */
const PARTS: Readonly<Record<Detail, number>> = { functions: 0.5, layers: 0.75, summary: 0.87 };
/** What was dropped, and the connection's end: the last that is given up. The rest is for journeys that tell what was left out. */
const KEPT_PART = 0.97;

export interface LeftOut {
  readonly journeys: number;
  readonly spans: number;
  readonly bytes: number;
}

export type Bound = "journeys" | "spans" | "trace";

export interface BudgetLimits {
  readonly spans: number;
  readonly journeys: number;
  /** Under all spans of one trace together. */
  readonly traceSpans: number;
}

/** What is used by all application spans of one trace. */
export interface TraceUse {
  spans: number;
}

/** Either a journey in the detail in which it joins, or which bound keeps it out. */
export type Admission = { readonly journeySpans: JourneySpans } | { readonly past: Bound };

/**
 * What packets may add under one application span: whatever an application sends under it, the trace stays readable and within what
 * backends take. Detail goes first, then journeys. At every doubling of what was left out one more journey joins, as a summary,
 * to tell how much that is.
 */
export class SpanBudget {
  private spans = 0;
  private journeys = 0;
  private readonly out = { journeys: 0, spans: 0, bytes: 0 };
  private nextTellingAt = 1;

  constructor(
    private readonly limits: BudgetLimits,
    private readonly trace: TraceUse,
  ) {}

  /** So far; undefined: nothing. */
  get leftOut(): LeftOut | undefined {
    return this.out.journeys === 0 ? undefined : { ...this.out };
  }

  /** `isKept`: a fault, or the end of the connection. `detail`: the most that is wanted. */
  admit(journeySpans: JourneySpans, isKept: boolean, detail: Detail): Admission {
    const partOf = (candidate: Detail): number => (isKept ? KEPT_PART : PARTS[candidate]);
    if (this.journeys + 1 > this.limits.journeys * partOf("summary")) return this.tell(journeySpans, "journeys");
    for (const candidate of details.slice(details.indexOf(detail))) {
      if (this.boundFor(1, partOf(candidate))) continue;
      const folded = foldJourney(journeySpans, candidate);
      if (!this.boundFor(folded.spans.length, partOf(candidate))) return this.take(folded);
    }
    return this.tell(journeySpans, this.boundFor(1, partOf("summary")) ?? "spans");
  }

  /** The bound that so many spans more would be past. */
  private boundFor(spans: number, part: number): Bound | undefined {
    if (this.spans + spans > this.limits.spans * part) return "spans";
    return this.trace.spans + spans > this.limits.traceSpans * part ? "trace" : undefined;
  }

  /** One that is past a bound: it is left out, unless it is time to tell how much was. */
  private tell(journeySpans: JourneySpans, past: Bound): Admission {
    const isTelling = this.out.journeys >= this.nextTellingAt;
    if (isTelling && this.journeys < this.limits.journeys && !this.boundFor(1, 1)) {
      this.nextTellingAt = 2 * this.out.journeys;
      return this.take(foldJourney(journeySpans, "summary"));
    }
    this.leaveOut(journeySpans);
    return { past };
  }

  private take(journeySpans: JourneySpans): Admission {
    this.spans += journeySpans.spans.length;
    this.trace.spans += journeySpans.spans.length;
    this.journeys++;
    return { journeySpans };
  }

  private leaveOut({ spans, journey }: JourneySpans): void {
    this.out.journeys++;
    this.out.spans += spans.length;
    this.out.bytes += journey.contexts[0]?.lengthBytes ?? 0;
  }
}
