/** Why something did not arrive. README and the summary say what to do about each. */
export type LossCause = "buffer_full" | "refused" | "rejected" | "gave_up" | "closed" | "too_large";

const causes: readonly LossCause[] = ["buffer_full", "refused", "rejected", "gave_up", "closed", "too_large"];

interface Amount {
  readonly journeys: number;
  readonly spans: number;
}

/** What arrived and what was lost, in journeys and in spans. */
export class DeliveryCounts {
  sentJourneys = 0;
  sentSpans = 0;
  private readonly journeys = zeroByCause();
  private readonly spans = zeroByCause();

  get lostJourneys(): Readonly<Record<LossCause, number>> {
    return { ...this.journeys };
  }

  get lostSpans(): Readonly<Record<LossCause, number>> {
    return { ...this.spans };
  }

  lose(cause: LossCause, { journeys, spans }: Amount): void {
    this.journeys[cause] += journeys;
    this.spans[cause] += spans;
  }

  /**
   * A receiver says how many spans of a request it left out, not of which journeys: as many journeys as may have lost one
   * count as lost, so that a journey that counts as sent is there as a whole.
   */
  send({ journeys, spans }: Amount, rejectedSpans: number): void {
    const rejected = {
      spans: Math.min(spans, rejectedSpans),
      journeys: rejectedSpans >= spans ? journeys : Math.min(journeys, rejectedSpans),
    };
    this.lose("rejected", rejected);
    this.sentJourneys += journeys - rejected.journeys;
    this.sentSpans += spans - rejected.spans;
  }
}

function zeroByCause(): Record<LossCause, number> {
  return Object.fromEntries(causes.map((cause) => [cause, 0])) as Record<LossCause, number>;
}
