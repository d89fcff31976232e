const TWO_POW_28 = 268435456;

/** Bytes of a 64-bit integer that is patched in place: a varint that is padded to this length. */
export const PADDED_INT_BYTES = 8;
/** Bytes of a length that is patched in place. */
export const PADDED_LENGTH_BYTES = 4;

/** The continuation bits of four bytes, and all but the last of them. */
const ALL_CONTINUE = 0x80808080;
const LAST_ENDS = 0x00808080;

/**
 * Writes a non-negative integer below 2^56 as a varint of exactly 8 bytes. Padded varints are valid protobuf, and a number
 * of fixed width can be patched into a copy of a template.
 */
export function writePaddedInt(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / TWO_POW_28);
  view.setInt32(at, spread28(value - high * TWO_POW_28) | ALL_CONTINUE, true);
  view.setInt32(at + 4, spread28(high) | LAST_ENDS, true);
}

/** Writes a length below 2^28 as a varint of exactly 4 bytes. */
export function writePaddedLength(view: DataView, at: number, value: number): void {
  view.setInt32(at, spread28(value) | LAST_ENDS, true);
}

/** 28 bits as the low 7 bits of four bytes. */
function spread28(value: number): number {
  return (value & 0x7f) | ((value & 0x3f80) << 1) | ((value & 0x1fc000) << 2) | ((value & 0xfe00000) << 3);
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
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
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
