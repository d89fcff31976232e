import type { KernelAddress } from "../decode/frame.js";

const TWO_POW_32 = 4294967296;

/** 64 bits in hexadecimal, e.g. "0xffff888004a1c700". */
export function formatAddress(address: KernelAddress): string {
  const high = Math.floor(address / TWO_POW_32);
  const low = address - high * TWO_POW_32;
  return `0x${hex32(high)}${hex32(low)}`;
}

function hex32(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
