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

export type Bound = "journeys" | "spans";

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

  constructor(private readonly limits: { readonly spans: number; readonly journeys: number }) {}

  /** So far; undefined: nothing. */
  get leftOut(): LeftOut | undefined {
    return this.out.journeys === 0 ? undefined : { ...this.out };
  }

  /** `isKept`: a fault, or the end of the connection. `detail`: the most that is wanted. */
  admit(journeySpans: JourneySpans, isKept: boolean, detail: Detail): Admission {
    const past =
      this.journeys + 1 > this.limits.journeys * (isKept ? KEPT_PART : PARTS.summary) ? "journeys" : undefined;
    if (past === undefined)
      for (const candidate of details.slice(details.indexOf(detail))) {
        const folded = foldJourney(journeySpans, candidate);
        const part = isKept ? KEPT_PART : PARTS[candidate];
        if (this.spans + folded.spans.length <= this.limits.spans * part) return this.take(folded);
      }
    const isTelling = this.out.journeys >= this.nextTellingAt;
    if (isTelling && this.spans < this.limits.spans && this.journeys < this.limits.journeys) {
      this.nextTellingAt = 2 * this.out.journeys;
      return this.take(foldJourney(journeySpans, "summary"));
    }
    this.leaveOut(journeySpans);
    return { past: past ?? "spans" };
  }

  private take(journeySpans: JourneySpans): Admission {
    this.spans += journeySpans.spans.length;
    this.journeys++;
    return { journeySpans };
  }

  private leaveOut({ spans, journey }: JourneySpans): void {
    this.out.journeys++;
    this.out.spans += spans.length;
    this.out.bytes += journey.contexts[0]?.lengthBytes ?? 0;
  }
}
