import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import { collectStandardError } from "./collect-standard-error.js";
import { tracerFailure } from "./tracer-failure.js";

export interface TracerAnswers {
  /** A JSON value a line. */
  readonly answers: readonly unknown[];
  readonly warnings: readonly string[];
}

/** Runs a command of the tracer that answers in JSON. Throws UserError. */
export async function queryTracer(path: string, argv: readonly string[]): Promise<TracerAnswers> {
  const child = spawn(path, argv, { stdio: ["ignore", "pipe", "pipe"] });
  const stderr = collectStandardError(child.stderr);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  exited.catch(() => {});
  const answers: unknown[] = [];
  for await (const line of createInterface({ input: child.stdout })) if (line !== "") answers.push(parseLine(line));
  const exit = await exited.catch((error: Error) => {
    throw new UserError(exitCode.failure, `Cannot start the tracer ${path}: ${error.message}.`, { cause: error });
  });
  if (exit.code !== exitCode.ok) throw tracerFailure({ ...exit, stderr: stderr.text });
  return { answers, warnings: stderr.warnings };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new UserError(exitCode.failure, `The tracer answered with a line that is not JSON: ${line.slice(0, 120)}`, {
      cause: error,
    });
  }
}
