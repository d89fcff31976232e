import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const skbspanPath = fileURLToPath(new URL("../../../bin/skbspan.js", import.meta.url));

export interface SkbspanResult {
  /** Null: ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SkbspanOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed. Absent: standard input is empty. */
  readonly input?: Uint8Array;
  /** Where standard output goes in place of the result: a descriptor. */
  readonly stdout?: number;
  /** After that it is killed; a minute. */
  readonly timeoutMs?: number;
}

export interface RunningSkbspan {
  readonly child: ChildProcess;
  readonly result: Promise<SkbspanResult>;
  /** Resolves when what was written to standard error so far matches. Rejects when the process ends before. */
  untilStderr(pattern: RegExp): Promise<void>;
  untilStdout(pattern: RegExp): Promise<void>;
  /** What was written so far. */
  written(): { readonly stdout: string; readonly stderr: string };
}

const TIMEOUT_MS = 60_000;

/** Runs the real command as a process of its own, without colours, to its end. Killed after a minute. */
export function runSkbspan(argv: readonly string[], options: SkbspanOptions = {}): Promise<SkbspanResult> {
  const running = startSkbspan(argv, options);
  running.child.stdin?.on("error", () => {});
  running.child.stdin?.end(options.input ?? "");
  return running.result;
}

/** As runSkbspan, but standard input stays open and the process is the caller's to end. */
export function startSkbspan(argv: readonly string[], options: SkbspanOptions = {}): RunningSkbspan {
  const child = spawn(process.execPath, [skbspanPath, ...argv], {
    env: { ...process.env, ...options.environment },
    stdio: ["pipe", options.stdout ?? "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? TIMEOUT_MS);
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const result = new Promise<SkbspanResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, ...output });
    });
  });
  const until = (name: "stdout" | "stderr", pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!pattern.test(output[name])) return;
        child[name]?.off("data", look);
        resolve();
      };
      child[name]?.on("data", look);
      look();
      result.then(
        () => reject(new Error(`skbspan ended before ${pattern} came on ${name}:\n${output.stderr}`)),
        reject,
      );
    });
  return {
    child,
    result,
    untilStderr: (pattern) => until("stderr", pattern),
    untilStdout: (pattern) => until("stdout", pattern),
    written: () => ({ ...output }),
  };
}
