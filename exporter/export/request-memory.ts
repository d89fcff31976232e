/** Of a usual request; larger ones are rare and get memory of their own. */
const MAX_BYTES = 1280 * 1024;
const MAX_FREE = 8;

/**
 * Memory for requests, used again once they have arrived. New memory for every request is what costs most about sending it:
 * the kernel has to clear its pages, and V8 looks through the whole heap whenever so many mebibytes have come and gone.
 *
 * A request has an ArrayBuffer of exactly its length, so that the transport can share it: a resizable one can be had again
 * in another length.
 */
export class RequestMemory {
  private readonly free: ArrayBuffer[] = [];

  take(length: number): Uint8Array {
    if (length > MAX_BYTES) return new Uint8Array(length);
    const buffer = this.free.pop() ?? new ArrayBuffer(0, { maxByteLength: MAX_BYTES });
    buffer.resize(length);
    return new Uint8Array(buffer, 0, length);
  }

  /** Nobody reads the bytes any more. */
  giveBack({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer && buffer.resizable && this.free.length < MAX_FREE) this.free.push(buffer);
  }
}
