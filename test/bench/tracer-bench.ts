import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tracerFailure } from "../../exporter/tracer/tracer-failure.js";
import { attachTracer } from "./attach-tracer.js";

/*
 * What tracing adds to a packet: a UDP socket sends to itself over loopback (udp_load.c), untraced, with empty programs on the
 * same probes, with empty programs that are called at the functions' returns too, with a filter that matches none of its packets, with
 * pods followed that are not its own, and with every packet kept. The variants take turns, so that what else the machine does meets all of them; the first load of
 * each turn only warms up.
 */

const PORT = 5555;
const OTHER_PORT = 7777;
const LOADS_A_TURN = 3;
/** A kernel that is still taking probes away is slow to attach new ones: attaching is not what a turn measures. */
const PAUSE_MS = 3000;

const variants = {
  untraced: undefined,
  empty: ["--empty-programs"],
  "with returns": ["--empty-programs", "--empty-returns"],
  "no match": ["--filter", `udp port ${OTHER_PORT}`],
  /** No namespace is chosen: every packet is of a pod that is not followed. */
  "other pods": ["--chosen-namespaces"],
  "all kept": ["--filter", `udp port ${PORT}`],
} as const;
export type Variant = keyof typeof variants;
export const variantNames = Object.keys(variants) as readonly Variant[];

export interface TracerBenchOptions {
  readonly backend: string;
  readonly probes: string;
  readonly rounds: number;
  /**
   * Of a packet: `elapsed`, or the sender's own `processor` time, in which all of a packet's way over loopback runs. The latter
   * where sender and reader share a processor, and where the kernel counts interrupts for the process that they meet.
   */
  readonly time: "elapsed" | "processor";
  /** Of one load. Short where every journey must find room in the ring buffer while the reader waits for the processor. */
  readonly loadMs: number;
  readonly onProgress: (line: string) => void;
}

/** Of one attached tracer. */
export interface TracerSize {
  readonly attachMs: number;
  readonly attachedProbes: number;
  /** From asking it to end until it is gone. */
  readonly detachMs: number;
  readonly residentMiB: number;
  readonly mapMiB: number;
}

export interface TracerFigures {
  /** Nanoseconds a packet, one figure a load. */
  readonly packetNs: Readonly<Record<Variant, readonly number[]>>;
  readonly sizes: Readonly<Record<Variant, readonly TracerSize[]>>;
  /** Journeys begun, and those that were lost, over all turns of "all kept". */
  readonly begun: number;
  readonly lost: number;
}

export async function benchTracer(options: TracerBenchOptions): Promise<TracerFigures> {
  const packetNs: Record<Variant, number[]> = byVariant();
  const sizes: Record<Variant, TracerSize[]> = byVariant();
  let begun = 0;
  let lost = 0;
  for (let round = 1; round <= options.rounds; round++)
    for (const variant of variantsOf(options.backend)) {
      const turn = await takeTurn(variant, options);
      packetNs[variant].push(...turn.packetNs);
      if (turn.size) sizes[variant].push(turn.size);
      if (variant === "all kept") {
        begun += turn.begun;
        lost += turn.lost;
      }
      options.onProgress(
        `round ${round}, ${variant}: ${turn.packetNs.map((ns) => Math.round(ns)).join(", ")} ns a packet`,
      );
    }
  return { packetNs, sizes, begun, lost };
}

/** Only on kprobe.session is the return a matter of the program; elsewhere it is always taken, or there is none. */
function variantsOf(backend: string): readonly Variant[] {
  return variantNames.filter((name) => name !== "with returns" || backend === "kprobe.session");
}

function byVariant<Value>(): Record<Variant, Value[]> {
  return { untraced: [], empty: [], "with returns": [], "no match": [], "other pods": [], "all kept": [] };
}

interface Turn {
  readonly packetNs: readonly number[];
  readonly size?: TracerSize;
  readonly begun: number;
  readonly lost: number;
}

async function takeTurn(variant: Variant, options: TracerBenchOptions): Promise<Turn> {
  const extra = variants[variant];
  if (!extra) return { packetNs: await runLoads(options), begun: 0, lost: 0 };
  const session = await attachTracer(["--backend", options.backend, "--probes", options.probes, ...extra]);
  try {
    const packetNs = await runLoads(options);
    const memory = readMemory(session.tracer.processId ?? 0);
    const startMs = performance.now();
    session.tracer.stop();
    const exit = await session.tracer.exited;
    if (exit.code !== 0) throw tracerFailure(exit);
    const { hello, begun, lost } = session.seen;
    return { packetNs, size: { ...hello, ...memory, detachMs: performance.now() - startMs }, begun, lost };
  } finally {
    session.tracer.kill();
    await setTimeout(PAUSE_MS);
  }
}

async function runLoads(options: TracerBenchOptions): Promise<number[]> {
  await runLoad({ ...options, loadMs: options.loadMs / 2 });
  const packetNs: number[] = [];
  for (let load = 0; load < LOADS_A_TURN; load++) packetNs.push(await runLoad(options));
  return packetNs;
}

async function runLoad({ loadMs, time }: TracerBenchOptions): Promise<number> {
  const path = fileURLToPath(new URL("../../../build/tests/udp-load", import.meta.url));
  const { stdout } = await promisify(execFile)(path, [String(PORT), String(loadMs)]);
  const [processorNs, elapsedNs] = stdout.split(" ");
  return Number(time === "processor" ? processorNs : elapsedNs);
}

/** Resident memory, and what the kernel counts for the process's maps and programs. */
function readMemory(processId: number): { residentMiB: number; mapMiB: number } {
  const status = readFileSync(`/proc/${processId}/status`, "utf8");
  const residentKiB = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  const maps = new Map<string, number>();
  for (const fd of readdirSync(`/proc/${processId}/fdinfo`)) {
    const text = readFileSync(`/proc/${processId}/fdinfo/${fd}`, "utf8");
    const id = /^map_id:\s+(\d+)/m.exec(text)?.[1];
    if (id !== undefined) maps.set(id, Number(/^memlock:\s+(\d+)/m.exec(text)?.[1] ?? 0));
  }
  const mapBytes = [...maps.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { residentMiB: residentKiB / 1024, mapMiB: mapBytes / 1024 / 1024 };
}
