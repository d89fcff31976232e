import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { LabError } from "./lab-error.js";
import { killGroup } from "./run-command.js";

export interface LabProcess {
  readonly pid: number;
  /** Its standard error's last lines, for messages. */
  readonly lastWords: () => string;
  readonly exited: Promise<void>;
  /** SIGTERM, after a second SIGKILL; waits until it is gone. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** The start is complete when a line on its standard output matches; otherwise at once. */
  readonly ready?: RegExp;
  /** Default 60,000. */
  readonly readyTimeoutMs?: number;
  readonly onLine?: (line: string) => void;
}

const STOP_GRACE_MS = 1_000;
const LAST_WORDS_CHARACTERS = 2_000;

/** Starts a long-running command in its own process group. Throws LabError when it ends before it is ready. */
export async function startProcess(argv: readonly string[], options: StartOptions = {}): Promise<LabProcess> {
  const [program = "", ...args] = argv;
  // Standard input is a pipe that nobody writes to: a script can end when it closes, as our death closes it.
  const child = spawn(program, args, { detached: true, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {});
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-LAST_WORDS_CHARACTERS);
  });
  const exited = new Promise<void>((resolve) => {
    child.on("exit", () => resolve());
    child.on("error", (error) => {
      words += error.message;
      resolve();
    });
  });
  await waitUntilReady(child, exited, argv, options, () => words);
  return {
    pid: child.pid ?? -1,
    lastWords: () => words,
    exited,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      killGroup(child.pid, "SIGTERM");
      const timer = setTimeout(() => killGroup(child.pid, "SIGKILL"), STOP_GRACE_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function waitUntilReady(
  child: ChildProcess & { readonly stdout: NodeJS.ReadableStream },
  exited: Promise<void>,
  argv: readonly string[],
  { ready, readyTimeoutMs = 60_000, onLine }: StartOptions,
  lastWords: () => string,
): Promise<void> {
  const lines = createInterface({ input: child.stdout });
  const becameReady = new Promise<"ready">((resolve) => {
    if (ready === undefined) resolve("ready");
    lines.on("line", (line) => {
      if (ready?.test(line) === true) resolve("ready");
      onLine?.(line);
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), readyTimeoutMs);
  });
  const outcome = await Promise.race([becameReady, tooLate, exited]);
  clearTimeout(timer);
  if (outcome === "ready") return;
  killGroup(child.pid, "SIGKILL");
  const how = outcome === "late" ? `was not ready within ${readyTimeoutMs} ms` : "ended before it was ready";
  throw new LabError(`\`${argv.join(" ")}\` ${how}: ${lastWords().trim() || "it said nothing"}`);
}
