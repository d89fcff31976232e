import type { Writable } from "node:stream";

/** Lines to a stream whose reader may be slow or go away. */
export interface TextOutput {
  write(text: string): void;
  drained(): Promise<void> | undefined;
  flush(): Promise<void>;
  /** True when the reader has gone (as `head` does): writing is pointless from then on. */
  readonly isClosed: boolean;
}

export function createTextOutput(stream: Writable): TextOutput {
  let isClosed = false;
  let waiting: Promise<void> | undefined;
  let wake = (): void => {};
  const settle = (): void => {
    waiting = undefined;
    wake();
  };
  stream.on("drain", settle);
  stream.on("close", () => {
    isClosed = true;
    settle();
  });
  stream.on("error", () => {
    isClosed = true;
    settle();
  });
  return {
    get isClosed() {
      return isClosed;
    },
    write(text) {
      if (isClosed || stream.write(text) || waiting) return;
      waiting = new Promise((resolve) => {
        wake = resolve;
      });
    },
    drained: () => waiting,
    async flush() {
      while (waiting) await waiting;
    },
  };
}
