import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

export interface ServiceOptions {
  readonly name: string;
  readonly argv: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** It is up when this URL answers 200, or this gives true. */
  readonly ready: string | (() => Promise<boolean>);
  /** Default two minutes: they start in seconds, on a busy machine in more. */
  readonly readyTimeoutMs?: number;
}

/** A program that serves until it is stopped. */
export interface Service {
  readonly pid: number;
  /** What it wrote last, to both outputs. */
  output(): string;
  /** Resolves when it has ended, however. */
  readonly exited: Promise<void>;
  /** SIGTERM, then SIGKILL; resolves when it is gone. Safe to call twice. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash: nothing is flushed. */
  kill(): Promise<void>;
}

const READY_TIMEOUT_MS = 120_000;
const STOP_GRACE_MS = 10_000;
const LOOK_EVERY_MS = 100;
const MAX_OUTPUT_CHARACTERS = 200_000;
const SHOWN_CHARACTERS = 3_000;

/** Starts a program and waits until it answers. Throws, with what it said, when it ends before or takes too long. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const service = spawnService(options);
  try {
    await waitUntilReady(options, service);
  } catch (error) {
    await service.kill();
    throw error;
  }
  return service;
}

function spawnService({ argv, environment }: ServiceOptions): Service {
  // Killed with this process, however that ends; in a process group of its own, for Ctrl-C to reach it in order.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...argv], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT_CHARACTERS);
    });
  const exited = new Promise<void>((resolve) => {
    child.on("exit", () => resolve());
    child.on("error", (error) => {
      output += error.message;
      resolve();
    });
  });
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
    await exited;
    clearTimeout(timer);
  };
  return {
    pid: child.pid ?? -1,
    output: () => output,
    exited,
    stop: () => stop("SIGTERM"),
    kill: () => stop("SIGKILL"),
  };
}

async function waitUntilReady({ name, ready, readyTimeoutMs = READY_TIMEOUT_MS }: ServiceOptions, service: Service) {
  const isReady = typeof ready === "string" ? () => answers(ready) : ready;
  let hasEnded = false;
  void service.exited.then(() => {
    hasEnded = true;
  });
  const deadlineMs = performance.now() + readyTimeoutMs;
  while (!hasEnded && performance.now() < deadlineMs) {
    if ((await isReady()) && !hasEnded) return;
    await sleep(LOOK_EVERY_MS);
  }
  const where = typeof ready === "string" ? ` on ${ready}` : "";
  const how = hasEnded ? "ended before it was ready" : `did not answer${where} within ${readyTimeoutMs} ms`;
  throw new Error(`${name} ${how}; it said:\n${service.output().slice(-SHOWN_CHARACTERS)}`);
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.status === 200;
}
