import { setTimeout as sleep } from "node:timers/promises";
import { JaegerError, type JaegerReader } from "./create-jaeger-reader.js";
import type { TraceStore } from "./create-trace-store.js";

export interface FollowOptions {
  readonly reader: JaegerReader;
  readonly store: TraceStore;
  /** How far back the first look goes. */
  readonly lookbackMs: number;
  /** Told once for the same problem, and again after it was over. */
  readonly onProblem: (message: string) => void;
}

export interface JaegerFollower {
  /** Fetches a trace that is not in the store, however old. Throws JaegerError. */
  fetchTrace(traceId: string): Promise<void>;
  stop(): Promise<void>;
}

const EVERY_MS = 2_000;
/** Spans come to Jaeger late: a gateway waits for a whole trace before it decides. Seen again they are not kept twice. */
const OVERLAP_MS = 60_000;
const MAX_TRACES = 200;

/** Keeps a store filled with the newest traces of all services of a Jaeger. */
export function followJaeger({ reader, store, lookbackMs, onProblem }: FollowOptions): JaegerFollower {
  const stopping = new AbortController();
  let fromUnixMs = Date.now() - lookbackMs;
  let problem = "";
  const look = async (): Promise<void> => {
    const toUnixMs = Date.now();
    try {
      for (const service of await reader.services())
        store.add(await reader.search({ service, fromUnixMs, toUnixMs, limit: MAX_TRACES }));
      fromUnixMs = Math.max(fromUnixMs, toUnixMs - OVERLAP_MS);
      problem = "";
    } catch (error) {
      if (!(error instanceof JaegerError)) throw error;
      if (error.message !== problem) onProblem(error.message);
      problem = error.message;
    }
  };
  const lookAgain = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await look();
      await sleep(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const looking = lookAgain();
  return {
    fetchTrace: async (traceId) => void store.add(await reader.readTrace(traceId)),
    async stop() {
      stopping.abort();
      await looking;
    },
  };
}
