const MAX_ASCII = 0x7f;
const FIRST_BYTES = 4096;
/** Of a varint of 64 bits. */
const MAX_VARINT_BYTES = 10;

/**
 * Writes protobuf from its end to its beginning: when the length of a message is due, it is known, and nothing has to be
 * measured first or copied later. One writer serves for all messages, one after another.
 */
export class BackwardWriter {
  private bytes = new Uint8Array(FIRST_BYTES);
  private at = FIRST_BYTES;

  /** Where the next byte goes, counted from the end: the difference of two marks is the length of what is between. */
  get mark(): number {
    return this.bytes.length - this.at;
  }

  /** A copy of all that was written; the writer is empty again. */
  take(): Uint8Array {
    const message = this.bytes.slice(this.at);
    this.clear();
    return message;
  }

  /** All that was written, until something else is. */
  get written(): Uint8Array {
    return this.bytes.subarray(this.at);
  }

  clear(): void {
    this.at = this.bytes.length;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[--this.at] = value;
  }

  /** An integer: not negative and safe, or negative and then in ten bytes. */
  varint(value: number): void {
    this.reserve(MAX_VARINT_BYTES);
    if (value >= 0 && value <= MAX_ASCII) {
      this.bytes[--this.at] = value;
      return;
    }
    const start = this.at - (value < 0 ? MAX_VARINT_BYTES : varintBytes(value));
    this.at = start;
    if (value < 0) return this.writeNegative(start, value);
    let at = start;
    let rest = value;
    for (; rest > MAX_ASCII; rest = Math.floor(rest / 128)) this.bytes[at++] = (rest % 128) | 0x80;
    this.bytes[at] = rest;
  }

  text(value: string): void {
    this.reserve(value.length);
    const start = this.at - value.length;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > MAX_ASCII) return this.raw(Buffer.from(value, "utf8"));
      this.bytes[start + index] = code;
    }
    this.at = start;
  }

  raw(content: Uint8Array): void {
    this.reserve(content.length);
    this.at -= content.length;
    this.bytes.set(content, this.at);
  }

  /** Tag (below 128) and length of a field whose content is all that was written since `mark`. */
  head(tag: number, mark: number): void {
    this.varint(this.mark - mark);
    this.byte(tag);
  }

  private writeNegative(start: number, value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (let index = 0; index < MAX_VARINT_BYTES; index++, rest >>= 7n)
      this.bytes[start + index] = Number(rest & 0x7fn) | (index < MAX_VARINT_BYTES - 1 ? 0x80 : 0);
  }

  private reserve(count: number): void {
    if (this.at >= count) return;
    const written = this.bytes.subarray(this.at);
    const larger = new Uint8Array(2 * this.bytes.length + count);
    larger.set(written, larger.length - written.length);
    this.bytes = larger;
    this.at = larger.length - written.length;
  }
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest > MAX_ASCII; rest = Math.floor(rest / 128)) count++;
  return count;
}
