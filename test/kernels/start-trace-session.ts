import { createStreamDecoder } from "../../exporter/decode/create-stream-decoder.js";
import type { Frame, Journey } from "../../exporter/decode/frame.js";
import { createNodeState, type NodeState } from "../../exporter/enrich/create-node-state.js";
import { startTracer, type Tracer } from "../../exporter/tracer/start-tracer.js";
import { tracerFailure } from "../../exporter/tracer/tracer-failure.js";

/** One kprobe after another takes an emulated guest a while. */
const ATTACH_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 60_000;

export interface TraceSession {
  readonly state: NodeState;
  /** Rejects when the tracer ended before it was stopped, or its stream cannot be read. */
  readonly failed: Promise<never>;
  /** Ends the tracer; throws when it did not end as it should. */
  stop(): Promise<void>;
}

/** Starts the tracer and waits until it is attached: until its first CLOCK frame. */
export async function startTraceSession(
  args: readonly string[],
  onJourney: (journey: Journey) => void,
): Promise<TraceSession> {
  const tracer = startTracer({ arguments: args });
  const decoder = createStreamDecoder();
  const state = createNodeState();
  const seen = { hello: false, end: false, stopping: false };
  let becomeAttached: () => void = () => {};
  const attached = new Promise<void>((resolve) => {
    becomeAttached = resolve;
  });
  const handle = (frame: Frame): void => {
    state.apply(frame);
    if (frame.type === "clock") becomeAttached();
    if (frame.type === "journey") onJourney(frame.journey);
    if (frame.type === "end") seen.end = true;
  };
  const read = async (): Promise<void> => {
    for await (const chunk of tracer.stdout) for (const frame of decoder.push(chunk as Uint8Array)) handle(frame);
  };
  const ended = Promise.all([tracer.exited, read()]).then(([exit]) => {
    if (exit.code !== 0) throw tracerFailure(exit);
    if (!seen.stopping) throw new Error(`the tracer ended by itself: ${exit.stderr}`);
    decoder.end();
    if (!seen.end) throw new Error("the tracer's stream has no end frame");
  });
  const failed = ended.then(() => new Promise<never>(() => {}));
  failed.catch(() => {}); // it is looked at in races
  await withDeadline(Promise.race([attached, failed]), tracer, ATTACH_TIMEOUT_MS, "attach");
  return {
    state,
    failed,
    async stop() {
      seen.stopping = true;
      tracer.stop();
      await withDeadline(ended, tracer, STOP_TIMEOUT_MS, "end after SIGTERM");
    },
  };
}

async function withDeadline(work: Promise<void>, tracer: Tracer, timeoutMs: number, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`the tracer did not ${what} within ${timeoutMs} ms`));
      tracer.kill();
    }, timeoutMs);
  });
  try {
    await Promise.race([work, overdue]);
  } finally {
    clearTimeout(timer);
  }
}
