import { createStreamDecoder } from "../../exporter/decode/create-stream-decoder.js";
import type { Frame } from "../../exporter/decode/frame.js";
import { startTracer, type Tracer } from "../../exporter/tracer/start-tracer.js";
import { tracerFailure } from "../../exporter/tracer/tracer-failure.js";
import { wireStat } from "../../exporter/wire/layout.js";

const ATTACH_TIMEOUT_MS = 180_000;

export interface Seen {
  hello: { attachMs: number; attachedProbes: number };
  begun: number;
  lost: number;
}

/** Starts the tracer, waits until it is attached, and goes on reading its stream, on the machine's other processor. */
export async function attachTracer(args: readonly string[]): Promise<{ tracer: Tracer; seen: Seen }> {
  const tracer = startTracer({ arguments: args });
  const decoder = createStreamDecoder();
  const seen: Seen = { hello: { attachMs: 0, attachedProbes: 0 }, begun: 0, lost: 0 };
  await new Promise<void>((resolve, reject) => {
    const timer = globalThis.setTimeout(() => {
      tracer.kill();
      reject(new Error(`the tracer did not attach within ${ATTACH_TIMEOUT_MS} ms`));
    }, ATTACH_TIMEOUT_MS);
    void tracer.exited.then((exit) => reject(tracerFailure(exit)));
    tracer.stdout.on("data", (chunk: Uint8Array) => {
      for (const frame of decoder.push(chunk)) {
        note(frame, seen);
        if (frame.type === "clock") {
          clearTimeout(timer);
          resolve();
        }
      }
    });
  });
  return { tracer, seen };
}

function note(frame: Frame, seen: Seen): void {
  if (frame.type === "hello")
    seen.hello = { attachMs: frame.attachDurationNs / 1e6, attachedProbes: frame.attachedFunctions };
  if (frame.type !== "stats") return;
  const count = (stat: number): number => frame.values[stat] ?? 0;
  seen.begun = count(wireStat.started);
  seen.lost = count(wireStat.lostRingFull) + count(wireStat.lostTableFull) + count(wireStat.lostOutput);
}
