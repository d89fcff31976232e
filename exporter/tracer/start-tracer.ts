import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { exitCode } from "../lib/exit-code.js";
import { collectStandardError } from "./collect-standard-error.js";
import { findTracer } from "./find-tracer.js";
import type { TracerExit } from "./tracer-failure.js";

export interface TracerOptions {
  /** Those of `skbspan-tracer trace`, as tracerArguments() gives them. */
  readonly arguments: readonly string[];
  /** Where to look for the tracer; default process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What the tracer wants the user to know, while it goes on. */
  readonly onWarning?: (text: string) => void;
}

export interface Tracer {
  readonly processId: number | undefined;
  /** Frames (wire.h). Whoever does not read holds the tracer up, which then counts what it loses. */
  readonly stdout: Readable;
  /** Gives it a command (bpf/tracer/commands.h). One that has ended takes none. */
  send(command: string): void;
  /** Asks for a clean end: what is left is written, then STATS and END. */
  stop(): void;
  /** Ends it without that. */
  kill(): void;
  /** Never rejects; a tracer that could not be started has `code` 1 and the reason in `stderr`. */
  readonly exited: Promise<TracerExit>;
}

/** Starts skbspan-tracer. It ends when this process does, however that is. Throws UserError when it is not there. */
export function startTracer(options: TracerOptions): Tracer {
  const path = findTracer(options.environment);
  // The end of standard input tells the tracer that we are gone.
  const child = spawn(path, ["trace", "--exit-with-stdin", ...options.arguments], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {});
  const stderr = collectStandardError(child.stderr, options.onWarning);
  const exited = new Promise<TracerExit>((resolve) => {
    child.on("error", (error) => {
      child.stdout.destroy();
      resolve({ code: exitCode.failure, stderr: `Cannot start the tracer ${path}: ${error.message}.` });
    });
    child.on("close", (code, signal) => resolve({ code, signal, stderr: stderr.text }));
  });
  return {
    processId: child.pid,
    stdout: child.stdout,
    send(command) {
      if (child.stdin.writable) child.stdin.write(`${command}\n`);
    },
    stop: () => void child.kill("SIGTERM"),
    kill: () => void child.kill("SIGKILL"),
    exited,
  };
}
