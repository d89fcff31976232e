import type { Detail } from "../map/packet-span.js";
import type { Cost } from "./limits.js";

/** What is known of journeys in one detail, from those that were made in it. */
interface Average {
  /** Spans besides the root, for each that there is by functions. */
  childShare: number;
  bytesPerSpan: number;
}

/** How much of an average a new value makes: some hundred journeys decide. */
const NEW_SHARE = 1 / 64;

/** Faults and others apart: faults are not sampled. */
export interface Wanted {
  readonly faults: Cost;
  readonly others: Cost;
}

/** Journeys that wanted to leave since the last look, and what they would have cost in each detail. */
export class Demand {
  /** As in the recordings of real kernels under test/fixtures, until there is something to learn from. */
  private readonly averages: Readonly<Record<Detail, Average>> = {
    functions: { childShare: 1, bytesPerSpan: 445 },
    layers: { childShare: 0.31, bytesPerSpan: 485 },
    summary: { childShare: 0, bytesPerSpan: 1450 },
  };
  private childrenPerHop = 1;
  private readonly faults = { journeys: 0, spans: 0 };
  private readonly others = { journeys: 0, spans: 0 };

  /** A journey that wants to leave; `spans` by functions. */
  add(spans: number, isFault: boolean): void {
    const group = isFault ? this.faults : this.others;
    group.journeys++;
    group.spans += spans;
  }

  /** A journey without a fault that was not made into spans. */
  addUnmapped(hops: number): void {
    this.add(this.spansOf(hops), false);
  }

  /** About, by functions. */
  spansOf(hops: number): number {
    return 1 + Math.round(hops * this.childrenPerHop);
  }

  /** With kernel stacks there are more spans than hops, and waits are always more. */
  learnHops(hops: number, spans: number): void {
    if (hops > 0) this.childrenPerHop += ((spans - 1) / hops - this.childrenPerHop) * NEW_SHARE;
  }

  /** What a journey cost in some detail; no bytes: they were not weighed. */
  learn(detail: Detail, spansByFunctions: number, { spans, bytes }: Pick<Cost, "spans" | "bytes">): void {
    const average = this.averages[detail];
    const blend = (before: number, value: number): number => before + (value - before) * NEW_SHARE;
    if (spansByFunctions > 1) average.childShare = blend(average.childShare, (spans - 1) / (spansByFunctions - 1));
    if (bytes > 0) average.bytesPerSpan = blend(average.bytesPerSpan, bytes / spans);
  }

  /** What it would have cost in this detail. */
  in(detail: Detail): Wanted {
    return { faults: this.costOf(this.faults, detail), others: this.costOf(this.others, detail) };
  }

  clear(): void {
    for (const group of [this.faults, this.others]) {
      group.journeys = 0;
      group.spans = 0;
    }
  }

  private costOf({ journeys, spans }: Pick<Cost, "journeys" | "spans">, detail: Detail): Cost {
    const { childShare, bytesPerSpan } = this.averages[detail];
    const needed = journeys + (spans - journeys) * childShare;
    return { journeys, spans: needed, bytes: needed * bytesPerSpan };
  }
}
