import type { RequestSource } from "../decode/frame.js";
import type { ApplicationSpan } from "./application-span.js";

/** Whose bytes are: undefined span: nobody's. */
export interface Owner {
  readonly span: ApplicationSpan | undefined;
  readonly source: RequestSource;
  readonly isResponse: boolean;
  /** Not told yet; it will be. */
  readonly isPending: boolean;
}

interface Range {
  /** Unwrapped: does not start anew at 2^32. */
  readonly start: number;
  owner: Owner;
}

const NOBODY: Owner = { span: undefined, source: "none", isResponse: false, isPending: false };

/** Segmentation, retransmission and reordering move a packet by less: no window of TCP is larger. */
const MAX_AHEAD = 2 ** 30;
/** By chance one connection in a hundred or so is as near to another. */
const NEAR = 2 ** 24;
/** Packets of older ranges have ended long ago. */
const MAX_RANGES = 1_024;
/** So many are forgotten at once: to move all others for each would cost more than everything else here. */
const FORGOTTEN_AT_ONCE = 128;

/**
 * One direction of a connection: which request its bytes belong to. A range lasts until the next begins. Sequence numbers are
 * kept unwrapped, by the one that was seen last, so that a range of more than 4 GiB stays one.
 */
export class Direction {
  /** Of the SYN, when it was seen. */
  synSequence: number | undefined;
  /** Told before the connection was open. */
  opening: Owner | undefined;
  /** Told where the bytes are written: before any packet has them. Otherwise only what was read is known for certain. */
  isWritten = false;
  private readUpTo = Number.NEGATIVE_INFINITY;
  /** One past the FIN. */
  private endSequence: number | undefined;
  private readonly ranges: Range[] = [];
  private newest: number | undefined;
  private sentUpTo = 0;
  private sentUpToNs: bigint | undefined;

  get size(): number {
    return this.ranges.length;
  }

  /** The first byte that something is known of, as on the wire. */
  get firstSequence(): number | undefined {
    const [first] = this.ranges;
    return first && first.start >>> 0;
  }

  get firstOwner(): Owner | undefined {
    return this.ranges[0]?.owner;
  }

  /** Whether the sequence number can be of the connection that is known here. */
  isFar(sequence: number): boolean {
    if (this.newest === undefined) return false;
    const place = this.unwrap(sequence);
    const isPastEnd = this.endSequence !== undefined && place >= this.endSequence;
    return isPastEnd || Math.abs(place - this.newest) > MAX_AHEAD;
  }

  /** Whether it is hardly of another connection with the same addresses and ports. */
  isNear(sequence: number): boolean {
    return this.newest !== undefined && Math.abs(this.unwrap(sequence) - this.newest) <= NEAR;
  }

  get hasEnded(): boolean {
    return this.endSequence !== undefined;
  }

  /** From this byte on they are the owner's. Gives by how many ranges there are more now. */
  add(sequence: number, owner: Owner): number {
    const { ranges } = this;
    const start = this.unwrap(sequence);
    const at = this.indexAfter(start);
    const before = ranges[at - 1];
    if (before && before.start === start) {
      // Both ends tell: what the first said stays, unless it knew less.
      if (rank(owner) > rank(before.owner)) before.owner = owner;
      return 0;
    }
    ranges.splice(at, 0, { start, owner });
    this.newest = Math.max(this.newest ?? start, start);
    return ranges.length > MAX_RANGES ? 1 - this.forget(FORGOTTEN_AT_ONCE) : 1;
  }

  /** These bytes alone are the owner's, where they are nobody's by what else is known. Gives as `add` does. */
  addWithin(sequence: number, bytes: number, owner: Owner): number {
    const [known] = this.find(sequence, 1);
    if (known?.span || known?.isPending) return 0;
    return this.add(sequence, owner) + this.add((sequence + bytes) >>> 0, known ?? NOBODY);
  }

  /** The owners of the bytes from `sequence` on, in their order; empty: nothing is known of them. */
  find(sequence: number, bytes: number): Owner[] {
    const { ranges, newest } = this;
    if (newest === undefined || ranges.length === 0 || this.isFar(sequence)) return [];
    const start = this.unwrap(sequence);
    const end = start + Math.max(1, bytes);
    const owners: Owner[] = [];
    for (let at = Math.max(0, this.indexAfter(start) - 1); at < ranges.length; at++) {
      const range = ranges[at] as Range;
      if (range.start >= end) break;
      owners.push(range.owner);
    }
    return owners;
  }

  /** Takes note of a packet of this connection: what it carries was sent. */
  see(sequence: number, bytes: number): void {
    const end = this.unwrap(sequence) + bytes;
    this.newest = Math.max(this.newest ?? end, end);
  }

  /** Whether a packet that is sent at this time carries what was sent before. */
  isSentAgain(sequence: number, bytes: number, timeNs: bigint): boolean {
    const end = this.unwrap(sequence) + bytes;
    if (this.sentUpToNs !== undefined && end <= this.sentUpTo) return timeNs > this.sentUpToNs;
    this.sentUpTo = end;
    this.sentUpToNs = timeNs;
    return false;
  }

  /** The application has read these bytes: whose they are has been told. Gives whether that is news. */
  read(sequence: number, bytes: number): boolean {
    const end = this.unwrap(sequence) + bytes;
    if (this.isWritten || end <= this.readUpTo) return false;
    this.readUpTo = end;
    return true;
  }

  /** Whether all has been told of these bytes: what is not read yet may begin another request. */
  isCertain(sequence: number, bytes: number): boolean {
    return this.isWritten || this.unwrap(sequence) + bytes <= this.readUpTo;
  }

  endAt(sequence: number): void {
    this.endSequence = this.unwrap(sequence);
  }

  /** Forgets the oldest ranges and gives how many there were. */
  forget(count: number): number {
    return this.ranges.splice(0, count).length;
  }

  /** Another connection begins. Gives how many ranges are forgotten. */
  reset(): number {
    this.synSequence = undefined;
    this.opening = undefined;
    this.endSequence = undefined;
    this.newest = undefined;
    this.isWritten = false;
    this.readUpTo = Number.NEGATIVE_INFINITY;
    this.sentUpToNs = undefined;
    return this.forget(this.ranges.length);
  }

  private unwrap(sequence: number): number {
    if (this.newest === undefined) return sequence;
    return this.newest + ((sequence - this.newest) | 0);
  }

  /** Place of the first range that begins after `start`. Packets are mostly of the newest ranges. */
  private indexAfter(start: number): number {
    const { ranges } = this;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ranges[middle] as Range).start <= start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function rank({ isPending, span }: Owner): number {
  return isPending ? 0 : span ? 2 : 1;
}
