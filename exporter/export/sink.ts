import type { JourneySpans } from "../map/packet-span.js";

/** What became of the journeys that a sink was given, and of their spans: accepted = sent + lost + still waiting. */
export interface SinkStats {
  readonly acceptedJourneys: number;
  readonly acceptedSpans: number;
  /** Journeys that the other side has as a whole. */
  readonly sentJourneys: number;
  readonly sentSpans: number;
  /** By cause; a cause that did not happen may be absent. */
  readonly lostJourneys: Readonly<Record<string, number>>;
  readonly lostSpans: Readonly<Record<string, number>>;
}

/** Where journeys go. Nothing of it throws for what the other side does: it is counted. */
export interface Sink {
  accept(spans: JourneySpans): void;
  /** Undefined: give it more at once. A promise: it asks to wait, so that nothing is lost where waiting is possible. */
  drained(): Promise<void> | undefined;
  /** Resolves when all that was accepted has been sent or is counted as lost. Bounded in time. */
  flush(): Promise<void>;
  /** Flushes and lets go. */
  close(): Promise<void>;
  stats(): SinkStats;
}
