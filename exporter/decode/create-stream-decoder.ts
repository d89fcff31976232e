import { wire, wireFrameHeader, wireFrameType, wirePrologue } from "../wire/layout.js";
import type { Frame } from "./frame.js";
import type { Payload } from "./payload.js";
import { readFrame } from "./read-frame.js";
import { StreamError } from "./stream-error.js";

/** The largest frame there can be is a journey of 65,535 units of 24 bytes. */
const MAX_FRAME_BYTES = 2 * 1024 * 1024;
const FRAME_ALIGNMENT = 8;
const SWAPPED_ENDIAN_MARK = 0x04030201;

/** A stream of the tracer, from bytes in pieces of any size to frames. */
export interface StreamDecoder {
  /**
   * The frames that `chunk` completes. Throws StreamError when the stream cannot be read any further; frames before
   * the place are returned first, and the error is thrown by the next call of `push` or `end`.
   */
  push(chunk: Uint8Array): Frame[];
  /** Says that there are no more bytes. Throws StreamError when the stream did not end with an END frame. */
  end(): void;
}

export function createStreamDecoder(): StreamDecoder {
  return new FrameDecoder();
}

class FrameDecoder implements StreamDecoder {
  private readonly chunks: Uint8Array[] = [];
  private waitingBytes = 0;
  /** How many bytes have to be there before it makes sense to look again. */
  private neededBytes: number = wirePrologue.bytes;
  private consumedBytes = 0;
  private isLittleEndian = true;
  private isPrologueRead = false;
  private isHelloRead = false;
  private isEnded = false;
  private failure: StreamError | undefined;

  push(chunk: Uint8Array): Frame[] {
    if (this.failure) throw this.failure;
    if (chunk.length === 0) return [];
    this.chunks.push(chunk);
    this.waitingBytes += chunk.length;
    const frames: Frame[] = [];
    try {
      if (!this.isPrologueRead) this.checkMagic();
      if (this.waitingBytes >= this.neededBytes) this.readAll(frames);
    } catch (error) {
      this.failure = error as StreamError;
      if (frames.length === 0) throw error;
    }
    return frames;
  }

  end(): void {
    if (this.failure) throw this.failure;
    if (this.isEnded) return;
    const offset = this.consumedBytes + this.waitingBytes;
    if (offset === 0)
      throw new StreamError("cut", 0, "The stream is empty: the tracer wrote nothing, or nothing was recorded.");
    throw new StreamError(
      "cut",
      offset,
      `The stream was cut after ${offset} bytes: it has no END frame. What stands before is complete; the rest is lost.`,
    );
  }

  private readAll(frames: Frame[]): void {
    const bytes = this.takeWaiting();
    const payload: Payload = {
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      isLittleEndian: this.isLittleEndian,
      streamOffset: this.consumedBytes,
    };
    let at = 0;
    try {
      if (!this.isPrologueRead) {
        this.readPrologue(payload);
        at = wirePrologue.bytes;
      }
      at = this.readFrames({ ...payload, isLittleEndian: this.isLittleEndian }, at, frames);
    } finally {
      this.consumedBytes += at;
      this.keepWaiting(bytes.subarray(at));
    }
  }

  private readFrames(payload: Payload, start: number, frames: Frame[]): number {
    const end = payload.bytes.length;
    let at = start;
    for (;;) {
      this.neededBytes = wireFrameHeader.bytes;
      if (at + wireFrameHeader.bytes > end) return at;
      const length = payload.view.getUint32(at + wireFrameHeader.length, payload.isLittleEndian);
      const type = payload.view.getUint16(at + wireFrameHeader.type, payload.isLittleEndian);
      this.checkFrame(payload.streamOffset + at, type, length);
      const payloadAt = at + wireFrameHeader.bytes;
      const next = payloadAt + Math.ceil(length / FRAME_ALIGNMENT) * FRAME_ALIGNMENT;
      this.neededBytes = next - at;
      if (next > end) return at;
      const frame = readFrame(payload, type, payloadAt, length);
      if (frame) frames.push(frame);
      this.isHelloRead = true;
      this.isEnded = type === wireFrameType.end;
      at = next;
    }
  }

  private checkFrame(offset: number, type: number, length: number): void {
    const fail = (message: string): never => {
      throw new StreamError("corrupt", offset, `The stream is damaged at byte ${offset}: ${message}.`);
    };
    if (this.isEnded) fail("there are frames after the END frame");
    if (!this.isHelloRead && type !== wireFrameType.hello) fail("the first frame is not HELLO");
    if (length > MAX_FRAME_BYTES) fail(`a frame of ${length} bytes, at most ${MAX_FRAME_BYTES} are possible`);
  }

  /** Looks at the first bytes as soon as they are there, so that a foreign stream is recognised however short it is. */
  private checkMagic(): void {
    const bytes = this.takeWaiting();
    this.keepWaiting(bytes);
    const seen = bytes.toString("latin1", 0, wirePrologue.magicBytes);
    if (wire.magic.startsWith(seen)) return;
    throw new StreamError(
      "foreign",
      0,
      `This is not a skbspan stream: it should begin with ${JSON.stringify(wire.magic)}, ` +
        `it begins with ${JSON.stringify(seen)}. Give a file that \`skbspan record\` wrote.`,
    );
  }

  private readPrologue(payload: Payload): void {
    const mark = payload.view.getUint32(wirePrologue.endian, true);
    this.isLittleEndian = mark === wire.endianMark;
    if (!this.isLittleEndian && mark !== SWAPPED_ENDIAN_MARK)
      throw new StreamError("corrupt", wirePrologue.endian, `The stream is damaged: it has no valid byte order mark.`);
    const version = payload.view.getUint16(wirePrologue.version, this.isLittleEndian);
    if (version !== wire.version)
      throw new StreamError(
        "version",
        wirePrologue.version,
        `The stream was written by format ${version}, this skbspan reads ${wire.version}: ` +
          "use the skbspan that recorded it.",
      );
    const headerBytes = payload.view.getUint16(wirePrologue.headerBytes, this.isLittleEndian);
    if (headerBytes !== wirePrologue.bytes)
      throw new StreamError(
        "corrupt",
        wirePrologue.headerBytes,
        `The stream is damaged: its prologue has ${headerBytes} bytes, ${wirePrologue.bytes} are expected.`,
      );
    this.isPrologueRead = true;
  }

  private takeWaiting(): Buffer {
    const first = this.chunks.length === 1 ? this.chunks[0] : undefined;
    const bytes = first
      ? Buffer.from(first.buffer, first.byteOffset, first.length)
      : Buffer.concat(this.chunks, this.waitingBytes);
    this.chunks.length = 0;
    this.waitingBytes = 0;
    return bytes;
  }

  private keepWaiting(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.chunks.push(bytes);
    this.waitingBytes = bytes.length;
  }
}
