const TWO_POW_28 = 268435456;

/** Bytes of a 64-bit integer that is patched in place: a varint that is padded to this length. */
export const PADDED_INT_BYTES = 8;
/** Bytes of a length that is patched in place. */
export const PADDED_LENGTH_BYTES = 4;

/**
 * Writes a non-negative integer below 2^56 as a varint of exactly 8 bytes. Padded varints are valid protobuf, and a number
 * of fixed width can be patched into a copy of a template.
 */
export function writePaddedInt(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / TWO_POW_28);
  const low = value - high * TWO_POW_28;
  bytes[at] = low | 0x80;
  bytes[at + 1] = (low >>> 7) | 0x80;
  bytes[at + 2] = (low >>> 14) | 0x80;
  bytes[at + 3] = (low >>> 21) | 0x80;
  bytes[at + 4] = high | 0x80;
  bytes[at + 5] = (high >>> 7) | 0x80;
  bytes[at + 6] = (high >>> 14) | 0x80;
  bytes[at + 7] = (high >>> 21) & 0x7f;
}

/** Writes a length below 2^28 as a varint of exactly 4 bytes. */
export function writePaddedLength(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value | 0x80;
  bytes[at + 1] = (value >>> 7) | 0x80;
  bytes[at + 2] = (value >>> 14) | 0x80;
  bytes[at + 3] = (value >>> 21) & 0x7f;
}

export function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}

export function writeWordBigEndian(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

/** A protobuf varint of a non-negative safe integer, or of a negative one in ten bytes. */
export function varint(value: number): number[] {
  if (value < 0) {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    return [...bytes, Number(rest)];
  }
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  bytes.push(value);
  return bytes;
}

/** A field of wire type 2: a string, bytes or a message. */
export function lengthDelimited(field: number, content: Uint8Array | string): Uint8Array {
  const body = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  return Buffer.concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(body.length)]), body]);
}

/** A field of wire type 0. */
export function integerField(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(field * 8), ...varint(value)]);
}
