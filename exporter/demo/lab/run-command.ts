import { spawn } from "node:child_process";
import { LabError } from "./lab-error.js";

export interface CommandResult {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** On a busy emulated machine the first `nft` takes 20 seconds: it loads modules. */
const DEFAULT_TIMEOUT_MS = 60_000;

export interface CommandOptions {
  /** Default 60,000. The command and what it started are killed after that. */
  readonly timeoutMs?: number;
  /** Written to its standard input, which is closed then. */
  readonly input?: string;
}

const MAX_OUTPUT_BYTES = 1024 * 1024;

/** Runs a command without a shell and answers what it did; throws LabError only when it cannot be started. */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, input = "" } = options;
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    // Its own process group, so that the children of `ip netns exec` and of shells can be ended with it.
    const child = spawn(program, args, { detached: true, stdio: ["pipe", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid, "SIGKILL");
    }, timeoutMs);
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        if (output[stream].length < MAX_OUTPUT_BYTES) output[stream] += text;
      });
    }
    child.stdin.on("error", () => {}); // EPIPE: it did not want its input
    child.stdin.end(input);
    child.on("error", (cause) => {
      clearTimeout(timer);
      reject(new LabError(describeStartFailure(program, cause), { cause }));
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, ...output, timedOut });
    });
  });
}

/** Like runCommand, but a command that fails throws a LabError with what it said. */
export async function requireCommand(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await runCommand(argv, options);
  if (result.code === 0) return result.stdout;
  const said = (result.stderr.trim() || result.stdout.trim()).slice(0, 2_000);
  const how = result.timedOut
    ? `did not end within ${options.timeoutMs ?? DEFAULT_TIMEOUT_MS} ms`
    : `failed with code ${result.code}`;
  throw new LabError(`\`${argv.join(" ")}\` ${how}${said === "" ? "" : `: ${said}`}`);
}

/** A group that is gone already is no error. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function describeStartFailure(program: string, cause: Error): string {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code !== "ENOENT") return `cannot start \`${program}\`: ${cause.message}`;
  const package_ = PACKAGES[program] ?? program;
  return `the program \`${program}\` is not installed: install it with \`apt-get install ${package_}\``;
}

/** Debian's and Ubuntu's package of a program that is not named like it. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: "iproute2",
  nft: "nftables",
  sysctl: "procps",
  ping: "iputils-ping",
  nc: "netcat-openbsd",
  python3: "python3",
};
