import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createStreamDecoder } from "../../exporter/decode/create-stream-decoder.js";
import type { Frame, Journey } from "../../exporter/decode/frame.js";
import { createNodeState, type NodeState } from "../../exporter/enrich/create-node-state.js";

const TRACER = fileURLToPath(new URL("../../../build/skbspan-tracer", import.meta.url));
/** One kprobe after another takes an emulated guest a while. */
const ATTACH_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 60_000;

export interface TraceSession {
  readonly state: NodeState;
  /** Rejects when the tracer ended before it was stopped. */
  readonly failed: Promise<never>;
  /** Ends the tracer and returns the messages of its whole run; throws when it did not end as it should. */
  stop(): Promise<void>;
}

/** Starts the tracer and waits until it is attached: until its stream begins. */
export async function startTraceSession(
  args: readonly string[],
  onJourney: (journey: Journey) => void,
): Promise<TraceSession> {
  const child = spawn(TRACER, ["trace", "--exit-with-stdin", ...args], { stdio: ["pipe", "pipe", "pipe"] });
  const decoder = createStreamDecoder();
  const state = createNodeState();
  let stderr = "";
  let hasEnded = false;
  let isStopping = false;
  let began: () => void = () => {};
  const attached = new Promise<void>((resolve) => {
    began = resolve;
  });
  const handle = (frame: Frame): void => {
    state.apply(frame);
    if (frame.type === "clock") began();
    if (frame.type === "journey") onJourney(frame.journey);
    if (frame.type === "end") hasEnded = true;
  };
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const closed = new Promise<number | string>((resolve, reject) => {
    child.on("error", (error) => reject(new Error(`cannot start ${TRACER} (build it with \`make -C bpf\`): ${error.message}`)));
    child.stdout.on("data", (chunk: Uint8Array) => {
      try {
        for (const frame of decoder.push(chunk)) handle(frame);
      } catch (error) {
        reject(error);
      }
    });
    child.on("close", (code, signal) => resolve(code ?? signal ?? -1));
  });
  const failed = closed.then((code) => {
    if (!isStopping) throw new Error(`the tracer ended with ${code}: ${stderr.trim() || "it said nothing"}`);
    return new Promise<never>(() => {});
  });
  failed.catch(() => {}); // it is looked at in the races below
  await Promise.race([attached, failed, late(ATTACH_TIMEOUT_MS, child, () => `the tracer was not attached after ${ATTACH_TIMEOUT_MS} ms: ${stderr}`)]);
  return {
    state,
    failed,
    async stop() {
      isStopping = true;
      child.stdin.end();
      const code = await Promise.race([
        closed,
        late(STOP_TIMEOUT_MS, child, () => `the tracer did not end ${STOP_TIMEOUT_MS} ms after its standard input closed: ${stderr}`),
      ]);
      decoder.end();
      if (code !== 0) throw new Error(`the tracer ended with ${code}: ${stderr.trim()}`);
      if (!hasEnded) throw new Error("the tracer's stream has no end frame");
    },
  };
}

function late(timeoutMs: number, child: ChildProcess, describe: () => string): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(describe()));
    }, timeoutMs);
    timer.unref();
  });
}
