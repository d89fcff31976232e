import { spawn } from "node:child_process";

export interface ProgramOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 600_000;
const MAX_SHOWN_CHARACTERS = 2_000;

/** Runs a program to its end and gives its standard output. Throws, with what it said, when it did not succeed. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeoutMs ?? TIMEOUT_MS,
  });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on("error", (error) => reject(new Error(`Cannot run ${program}: ${error.message}.`)));
    child.on("close", (...ending) => resolve(ending));
  });
  if (code === 0) return output;
  const said = `${output}${errors}`.trim().slice(-MAX_SHOWN_CHARACTERS);
  throw new Error(`\`${[program, ...args].join(" ")}\` ended with ${signal ?? `code ${code}`}:\n${said}`);
}
