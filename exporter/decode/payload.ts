import type { KernelAddress } from "./frame.js";
import { StreamError } from "./stream-error.js";

const TWO_POW_32 = 4294967296;

/** The bytes that are being read: a window that moves through a chunk, so that no view is made for a frame. */
export interface Payload {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly isLittleEndian: boolean;
  /** Where `bytes` begins in the stream, for messages. */
  readonly streamOffset: number;
}

/** Throws StreamError: the payload at `at` breaks the rules of the stream. */
export function failCorrupt(payload: Payload, at: number, message: string): never {
  const offset = payload.streamOffset + at;
  throw new StreamError("corrupt", offset, `The stream is damaged at byte ${offset}: ${message}.`);
}

/** A 64-bit integer below 2^53 as a number; larger ones lose their low bits. */
export function readUnsigned64(payload: Payload, at: number): number {
  const first = payload.view.getUint32(at, payload.isLittleEndian);
  const second = payload.view.getUint32(at + 4, payload.isLittleEndian);
  return payload.isLittleEndian ? second * TWO_POW_32 + first : first * TWO_POW_32 + second;
}

export function readAddress(payload: Payload, at: number): KernelAddress {
  const low = payload.view.getUint32(payload.isLittleEndian ? at : at + 4, payload.isLittleEndian);
  const high = payload.view.getInt32(payload.isLittleEndian ? at + 4 : at, payload.isLittleEndian);
  return high * TWO_POW_32 + low;
}

/** The time at `at` minus the time at `originAt`, exact: the difference is small though the times are not. */
export function readTimeDifference(payload: Payload, at: number, originAt: number): number {
  const { view, isLittleEndian } = payload;
  const lowAt = isLittleEndian ? 0 : 4;
  const highAt = 4 - lowAt;
  return (
    (view.getUint32(at + highAt, isLittleEndian) - view.getUint32(originAt + highAt, isLittleEndian)) * TWO_POW_32 +
    (view.getUint32(at + lowAt, isLittleEndian) - view.getUint32(originAt + lowAt, isLittleEndian))
  );
}

/** The text up to the first zero byte, or all of the `length` bytes when there is none. */
export function readText(payload: Payload, at: number, length: number): string {
  const zero = payload.bytes.indexOf(0, at);
  const end = zero === -1 || zero > at + length ? at + length : zero;
  return payload.bytes.toString("utf8", at, end);
}
