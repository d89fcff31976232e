import type { Journey } from "../decode/frame.js";
import type { Connection } from "./create-connection-index.js";
import type { Belonging, Finding } from "./find-owner.js";

export interface Waited {
  readonly journey: Journey;
  readonly belonging: Belonging | undefined;
}

export interface WaitingStats {
  readonly waiting: number;
  /** Journeys that had to wait, and those of them of which it became known whose they are. */
  readonly waited: number;
  readonly settled: number;
  /** That left as what was known of them, because the time was up or because there was no more room. */
  readonly overdue: number;
  readonly crowdedOut: number;
}

interface Entry extends Waited {
  readonly sinceNs: bigint;
  readonly connections: readonly Connection[];
}

/** Where journeys wait until it is told whose they are, each for those connections that it may be of. */
export interface Waiting {
  /** Undefined: it waits. */
  take(journey: Journey): Waited | undefined;
  /** More is known of the connection. */
  onNews(connection: Connection): void;
  release(nowNs: bigint): Waited[];
  releaseAll(): Waited[];
  stats(): WaitingStats;
}

const MAX_JOURNEYS = 2_048;

export function createWaiting(options: {
  readonly waitMs: number;
  readonly find: (journey: Journey, isFinal: boolean) => Finding;
  /** How many wait at most: the oldest makes room. */
  readonly maxJourneys?: number;
}): Waiting {
  return new Room(options.waitMs, options.find, options.maxJourneys ?? MAX_JOURNEYS);
}

class Room implements Waiting {
  private readonly waitNs: bigint;
  /** The oldest first. */
  private readonly entries = new Set<Entry>();
  private readonly byConnection = new Map<Connection, Set<Entry>>();
  private news = new Set<Connection>();
  private newestNs = 0n;
  private readonly counts = { waited: 0, settled: 0, overdue: 0, crowdedOut: 0 };

  constructor(
    waitMs: number,
    private readonly find: (journey: Journey, isFinal: boolean) => Finding,
    private readonly maxJourneys: number,
  ) {
    this.waitNs = BigInt(waitMs) * 1_000_000n;
  }

  take(journey: Journey): Waited | undefined {
    const endNs = journey.startMonotonicNs + BigInt(journey.durationNs);
    if (endNs > this.newestNs) this.newestNs = endNs;
    const { belonging, waitsFor } = this.find(journey, this.waitNs === 0n);
    if (waitsFor.length === 0) return { journey, belonging };
    const entry = { journey, belonging, sinceNs: this.newestNs, connections: waitsFor };
    this.counts.waited++;
    this.entries.add(entry);
    for (const connection of waitsFor) {
      const waiting = this.byConnection.get(connection);
      if (waiting) waiting.add(entry);
      else this.byConnection.set(connection, new Set([entry]));
    }
    return undefined;
  }

  onNews(connection: Connection): void {
    if (this.byConnection.has(connection)) this.news.add(connection);
  }

  release(nowNs: bigint): Waited[] {
    if (nowNs > this.newestNs) this.newestNs = nowNs;
    if (this.entries.size === 0) return [];
    const released: Waited[] = [];
    for (const entry of this.takeNews()) {
      const { belonging, waitsFor } = this.find(entry.journey, false);
      if (waitsFor.length > 0) continue;
      this.remove(entry);
      this.counts.settled++;
      released.push({ journey: entry.journey, belonging });
    }
    for (const entry of this.entries) {
      const isOverdue = this.newestNs - entry.sinceNs >= this.waitNs;
      if (!isOverdue && this.entries.size <= this.maxJourneys) break;
      this.counts[isOverdue ? "overdue" : "crowdedOut"]++;
      released.push(this.giveUp(entry));
    }
    return released;
  }

  releaseAll(): Waited[] {
    const entries = [...this.entries];
    this.counts.overdue += entries.length;
    return entries.map((entry) => this.giveUp(entry));
  }

  stats(): WaitingStats {
    return { ...this.counts, waiting: this.entries.size };
  }

  private takeNews(): Entry[] {
    if (this.news.size === 0) return [];
    const entries = new Set<Entry>();
    for (const connection of this.news) for (const entry of this.byConnection.get(connection) ?? []) entries.add(entry);
    this.news = new Set();
    return [...entries];
  }

  private giveUp(entry: Entry): Waited {
    this.remove(entry);
    return { journey: entry.journey, belonging: this.find(entry.journey, true).belonging };
  }

  private remove(entry: Entry): void {
    this.entries.delete(entry);
    for (const connection of entry.connections) {
      const waiting = this.byConnection.get(connection);
      waiting?.delete(entry);
      if (waiting?.size === 0) this.byConnection.delete(connection);
    }
  }
}
