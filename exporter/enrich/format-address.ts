import type { KernelAddress } from "../decode/frame.js";

const TWO_POW_32 = 4294967296;
const DIGITS = Buffer.from("0123456789abcdef", "latin1");
const scratch = Buffer.from("0x0000000000000000", "latin1");

/** 64 bits in hexadecimal, e.g. "0xffff888004a1c700". */
export function formatAddress(address: KernelAddress): string {
  const high = Math.floor(address / TWO_POW_32);
  writeHex(high, 2);
  writeHex(address - high * TWO_POW_32, 10);
  return scratch.toString("latin1");
}

function writeHex(word: number, at: number): void {
  for (let digit = 0; digit < 8; digit++) scratch[at + digit] = DIGITS[(word >>> (28 - 4 * digit)) & 15] ?? 0;
}
