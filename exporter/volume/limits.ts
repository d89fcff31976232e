/** What may leave in a second; absent: no limit. */
export interface Limits {
  readonly journeysPerSecond?: number | undefined;
  readonly spansPerSecond?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
}

/** What journeys take of each. */
export interface Cost {
  readonly journeys: number;
  readonly spans: number;
  readonly bytes: number;
}

export type Measure = keyof Cost;

export const measures = ["journeys", "spans", "bytes"] as const satisfies readonly Measure[];

export function limitOf(limits: Limits, measure: Measure): number | undefined {
  return limits[`${measure}PerSecond`];
}

export function hasLimit(limits: Limits): boolean {
  return measures.some((measure) => limitOf(limits, measure) !== undefined);
}
