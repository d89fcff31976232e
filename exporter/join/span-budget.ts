import type { Journey } from "../decode/frame.js";
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

/** A journey in the detail in which it joins. `isTelling`: past a bound, to tell what was left out. */
export interface Admitted {
  readonly journeySpans: JourneySpans;
  readonly isTelling: boolean;
}

/** Either that, or which bound keeps it out. */
export type Admission = Admitted | { readonly past: Bound };

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

  /** Whether not even a summary would be admitted: what comes now has a trace of its own. `isKept` as below. */
  isPast(isKept: boolean): boolean {
    const part = isKept ? KEPT_PART : PARTS.summary;
    return (this.hasJourneys(part) || this.boundFor(1, part) !== undefined) && !this.isTelling();
  }

  /** `isKept`: a fault, or the end of the connection. `detail`: the most that is wanted. */
  admit(journeySpans: JourneySpans, isKept: boolean, detail: Detail): Admission {
    const partOf = (candidate: Detail): number => (isKept ? KEPT_PART : PARTS[candidate]);
    if (this.hasJourneys(partOf("summary"))) return this.tell(journeySpans, "journeys");
    for (const candidate of details.slice(details.indexOf(detail))) {
      if (this.boundFor(1, partOf(candidate))) continue;
      const folded = foldJourney(journeySpans, candidate);
      if (!this.boundFor(folded.spans.length, partOf(candidate))) return this.take(folded, false);
    }
    return this.tell(journeySpans, this.boundFor(1, partOf("summary")) ?? "spans");
  }

  /** What is not under the application's span, for this or for another reason. */
  leaveOut({ contexts }: Journey, spans: number): void {
    this.out.journeys++;
    this.out.spans += spans;
    this.out.bytes += contexts[0]?.lengthBytes ?? 0;
  }

  /** What was admitted leaves in less detail, or not at all (undefined): the agent's own limits have no room for it. */
  settle({ journeySpans, isTelling }: Admitted, whole: JourneySpans, left: JourneySpans | undefined): void {
    const unused = journeySpans.spans.length - (left?.spans.length ?? 0);
    this.spans -= unused;
    this.trace.spans -= unused;
    if (left) return;
    this.journeys--;
    this.leaveOut(whole.journey, whole.spans.length);
    if (isTelling) this.nextTellingAt = this.out.journeys;
  }

  private isTelling(): boolean {
    return this.out.journeys >= this.nextTellingAt && !this.hasJourneys(1) && !this.boundFor(1, 1);
  }

  /** As many as this part of the bound allows. */
  private hasJourneys(part: number): boolean {
    return this.journeys + 1 > this.limits.journeys * part;
  }

  /** The bound that so many spans more would be past. */
  private boundFor(spans: number, part: number): Bound | undefined {
    if (this.spans + spans > this.limits.spans * part) return "spans";
    return this.trace.spans + spans > this.limits.traceSpans * part ? "trace" : undefined;
  }

  /** One that is past a bound: it is left out, unless it is time to tell how much was. */
  private tell(journeySpans: JourneySpans, past: Bound): Admission {
    if (this.isTelling()) {
      this.nextTellingAt = 2 * this.out.journeys;
      return this.take(foldJourney(journeySpans, "summary"), true);
    }
    this.leaveOut(journeySpans.journey, journeySpans.spans.length);
    return { past };
  }

  private take(journeySpans: JourneySpans, isTelling: boolean): Admitted {
    this.spans += journeySpans.spans.length;
    this.trace.spans += journeySpans.spans.length;
    this.journeys++;
    return { journeySpans, isTelling };
  }
}
