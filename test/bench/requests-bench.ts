import { execFile } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tracerFailure } from "../../exporter/tracer/tracer-failure.js";
import { attachTracer } from "./attach-tracer.js";

/*
 * What it costs to look for requests: two sockets exchange small requests and answers, or parts of a large body (tcp_load.c), while
 * nothing is traced, while drops alone are traced without and with a look at requests, and while functions are probed for
 * packets that do not match and for packets that --sampled-only leaves out. The variants take turns; the first load of each only
 * warms up.
 */

export const loads = ["unsampled", "plain", "other", "upload"] as const;
export type Load = (typeof loads)[number];

const NO_MATCH = ["--filter", "udp port 7777"];

const variants = {
  untraced: undefined,
  /** Nothing but the drop tracepoint, which these packets never meet. */
  "requests off": ["--probes", "drops", ...NO_MATCH, "--join-sources", "off"],
  "requests on": ["--probes", "drops", ...NO_MATCH],
  "no match": ["--probes", "all", ...NO_MATCH],
  "not sampled": ["--probes", "all", "--sampled-only"],
} as const;
export type RequestsVariant = keyof typeof variants;
export const requestsVariants = Object.keys(variants) as readonly RequestsVariant[];

const LOADS_A_TURN = 3;
/** A kernel that is still taking probes away is slow to attach new ones. */
const PAUSE_MS = 3_000;

export interface RequestsBenchOptions {
  readonly backend: string;
  readonly rounds: number;
  readonly loadMs: number;
  readonly onProgress: (line: string) => void;
}

/** Nanoseconds of processor time an exchange, one figure a load. */
export type RequestsFigures = Readonly<Record<Load, Readonly<Record<RequestsVariant, readonly number[]>>>>;

export async function benchRequests(options: RequestsBenchOptions): Promise<RequestsFigures> {
  const figures = byLoad(() => byVariant());
  for (let round = 1; round <= options.rounds; round++)
    for (const variant of requestsVariants) {
      const turn = await takeTurn(variant, options);
      for (const load of loads) figures[load][variant].push(...turn[load]);
      options.onProgress(`round ${round}, ${variant}: ${JSON.stringify(turn)} ns an exchange`);
    }
  return figures;
}

function byLoad<Value>(make: () => Value): Record<Load, Value> {
  return { unsampled: make(), plain: make(), other: make(), upload: make() };
}

function byVariant(): Record<RequestsVariant, number[]> {
  return { untraced: [], "requests off": [], "requests on": [], "no match": [], "not sampled": [] };
}

async function takeTurn(variant: RequestsVariant, options: RequestsBenchOptions): Promise<Record<Load, number[]>> {
  const args = variants[variant];
  if (!args) return runLoads(options);
  // A set of probes that is `drops` has one backend only.
  const session = await attachTracer([
    ...(variant.startsWith("requests") ? [] : ["--backend", options.backend]),
    ...args,
  ]);
  try {
    const figures = await runLoads(options);
    session.tracer.stop();
    const exit = await session.tracer.exited;
    if (exit.code !== 0) throw tracerFailure(exit);
    return figures;
  } finally {
    session.tracer.kill();
    await setTimeout(PAUSE_MS);
  }
}

async function runLoads({ loadMs }: RequestsBenchOptions): Promise<Record<Load, number[]>> {
  const figures = byLoad<number[]>(() => []);
  for (const load of loads) {
    await runLoad(load, loadMs / 2);
    for (let count = 0; count < LOADS_A_TURN; count++) figures[load].push(await runLoad(load, loadMs));
  }
  return figures;
}

async function runLoad(load: Load, loadMs: number): Promise<number> {
  const path = fileURLToPath(new URL("../../../build/tests/tcp-load", import.meta.url));
  const { stdout } = await promisify(execFile)(path, [load, String(loadMs)]);
  return Number(stdout.split(" ")[0]);
}
