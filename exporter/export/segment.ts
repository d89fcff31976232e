import type { Identity } from "../enrich/identity.js";

const FIRST_BYTES = 64 * 1024;

/** The encoded spans of one resource, one after another, in memory that grows and is used again for the next request. */
export class Segment {
  readonly identity: Identity;
  /** What the resource and its frame take besides the spans, at most. */
  readonly overheadBytes: number;
  bytes = new Uint8Array(FIRST_BYTES);
  view = new DataView(this.bytes.buffer);
  length = 0;
  /** Before the journey that was added last. */
  lengthBefore = 0;

  constructor(identity: Identity, overheadBytes: number) {
    this.identity = identity;
    this.overheadBytes = overheadBytes;
  }

  append(part: Uint8Array): void {
    this.reserve(part.length);
    this.bytes.set(part, this.length);
    this.length += part.length;
  }

  /** Appends what already stands at `at`. */
  repeat(at: number, length: number): void {
    this.reserve(length);
    this.bytes.copyWithin(this.length, at, at + length);
    this.length += length;
  }

  private reserve(length: number): void {
    const needed = this.length + length;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}
