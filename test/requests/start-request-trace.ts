import { createStreamDecoder } from "../../exporter/decode/create-stream-decoder.js";
import type { RequestFrame } from "../../exporter/decode/frame.js";
import { createNodeState, type NodeState } from "../../exporter/enrich/create-node-state.js";
import { startTracer } from "../../exporter/tracer/start-tracer.js";
import { tracerFailure } from "../../exporter/tracer/tracer-failure.js";

/** Emulated guests and busy machines take their time. */
const PATIENCE_MS = 120_000;
const POLL_MS = 20;

export interface RequestTrace {
  readonly state: NodeState;
  /** All that was told so far. */
  readonly requests: readonly RequestFrame[];
  /** All bytes that the tracer wrote. */
  bytes(): Buffer;
  /** Rejects when it does not become true in time. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** What was told before this call has arrived afterwards. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** Runs the tracer for its REQUEST frames; journeys are not looked at. */
export async function startRequestTrace(args: readonly string[] = []): Promise<RequestTrace> {
  const tracer = startTracer({ arguments: ["--probes", "drops", ...args] });
  const decoder = createStreamDecoder();
  const state = createNodeState();
  const requests: RequestFrame[] = [];
  const chunks: Buffer[] = [];
  let clocks = 0;
  let isStopping = false;
  const read = async (): Promise<void> => {
    for await (const chunk of tracer.stdout) {
      chunks.push(chunk as Buffer);
      for (const frame of decoder.push(chunk as Uint8Array)) {
        state.apply(frame);
        if (frame.type === "request") requests.push(frame);
        if (frame.type === "clock") clocks++;
      }
    }
  };
  const ended = Promise.all([tracer.exited, read()]).then(([exit]) => {
    if (exit.code !== 0 || !isStopping) throw tracerFailure(exit);
  });
  ended.catch(() => {}); // looked at below
  const until = async (what: string, condition: () => boolean): Promise<void> => {
    const deadlineMs = Date.now() + PATIENCE_MS;
    while (!condition()) {
      if (Date.now() > deadlineMs) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
      await Promise.race([new Promise((resolve) => setTimeout(resolve, POLL_MS)), ended]);
    }
  };
  await until("the tracer is attached", () => clocks > 0);
  return {
    state,
    requests,
    bytes: () => Buffer.concat(chunks),
    until,
    async settle() {
      // What is in the ring buffer is written before the next reading of the clocks.
      const before = clocks;
      await until("the tracer tells the time", () => clocks > before + 1);
    },
    async stop() {
      isStopping = true;
      tracer.stop();
      await ended;
    },
  };
}
