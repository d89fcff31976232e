import { randomFillSync } from "node:crypto";

/** Random span ids: two words each, never both zero, drawn from the system's generator in large pieces. */
export interface SpanIds {
  /** Draws the next id. */
  draw(): void;
  readonly high: number;
  readonly low: number;
}

const POOL_WORDS = 4096;

export function createSpanIds(): SpanIds {
  const pool = new Int32Array(POOL_WORDS);
  let at = POOL_WORDS;
  const ids = {
    high: 0,
    low: 0,
    draw() {
      do {
        if (at >= POOL_WORDS) {
          randomFillSync(pool);
          at = 0;
        }
        ids.high = pool[at] ?? 0;
        ids.low = pool[at + 1] ?? 0;
        at += 2;
      } while (ids.high === 0 && ids.low === 0);
    },
  };
  return ids;
}
