import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildInitramfs } from "./build-initramfs.js";
import { findKernelFailure, isEmulatorFault } from "./find-kernel-failure.js";
import { type PreparedKernel, prepareKernel } from "./prepare-kernel.js";
import { type ForwardedPort, qemuArguments } from "./qemu-arguments.js";
import { renderStart } from "./render-start.js";

export interface GuestOptions {
  /** A series in kernel-series.ts, such as "6.12". */
  readonly kernel: string;
  /** For the shell, run as root in the checkout; "$SKBSPAN_RESULTS" is the results directory there. */
  readonly command: string;
  /** After that the guest is ended and GuestError thrown. Infinity: never. */
  readonly timeoutMs: number;
  /** Default 3072. */
  readonly memoryMiB?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Ports of this machine's loopback that lead into the guest; without any it has no network but its own. */
  readonly ports?: readonly ForwardedPort[];
  /** The terminal is the guest's: standard input and output of this process. Then `output` is empty. */
  readonly isInteractive?: boolean;
  /** A guest to measure in: one processor, whose clock counts instructions. */
  readonly countsInstructions?: boolean;
  /** What the command prints, as it comes. */
  readonly onOutput?: (text: string) => void;
  readonly onProgress?: (text: string) => void;
  /** Ends the guest. */
  readonly signal?: AbortSignal;
}

export interface GuestResult {
  /** The command's exit code. */
  readonly code: number;
  /** What it printed on standard output and standard error. */
  readonly output: string;
  /** The guest's release, as uname -r says it. */
  readonly release: string;
  /** On this machine; files that the command wrote to "$SKBSPAN_RESULTS". */
  readonly resultsDirectory: string;
}

/** The guest did not come to the end of the command: it crashed, took too long, or could not be started. */
export class GuestError extends Error {
  override readonly name = "GuestError";
  constructor(
    message: string,
    /** The kernel's messages and what the command printed are in it. */
    readonly directory: string,
    readonly output: string,
  ) {
    super(`${message}\nLogs: ${directory}`);
  }
}

const checkout = fileURLToPath(new URL("../../../", import.meta.url));
const guestsDirectory = join(checkout, "build/guests");
const RESULTS_PATH = "/run/skbspan/results";
const MEMORY_MIB = 3072;
const KEPT_MS = 24 * 3_600_000;
const LAST_CHARACTERS = 1_500;
const MAX_ATTEMPTS = 3;

/**
 * Boots a kernel with this machine's file system as its root (nothing is written to it), runs a command as root in the
 * checkout, and ends. The guest never outlives this process. A guest that fails by the emulator's fault is started again.
 */
export async function runInGuest(options: GuestOptions): Promise<GuestResult> {
  const kernel = await prepareKernel(options.kernel, options.onProgress);
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(options, kernel);
    } catch (error) {
      const isRetried = error instanceof GuestError && isEmulatorFault(error.message) && !options.isInteractive;
      if (!isRetried || attempt === MAX_ATTEMPTS) throw error;
      options.onProgress?.(`${error.message}\nThis is a fault of the emulator: starting the guest again.`);
    }
  }
}

async function runOnce(options: GuestOptions, kernel: PreparedKernel): Promise<GuestResult> {
  const directory = await makeDirectory(options.kernel);
  const paths = await writeGuestFiles(options, kernel, directory);
  const ending = await runQemu(options, directory, paths);
  const log = await readFile(paths.consoleLog, "utf8").catch(() => "");
  const failure = findKernelFailure(log) ?? ending.failure;
  const fail = (message: string) => new GuestError(message, directory, ending.output);
  if (failure !== undefined) throw fail(`The guest (Linux ${kernel.release}) failed: ${failure}`);
  const code = await readFile(join(paths.results, ".guest/code"), "utf8").catch(() => undefined);
  if (code === undefined)
    throw fail(`The guest (Linux ${kernel.release}) ended before the command did:\n${log.slice(-LAST_CHARACTERS)}`);
  return { code: Number(code), output: ending.output, release: kernel.release, resultsDirectory: paths.results };
}

interface GuestPaths {
  readonly results: string;
  readonly initramfs: string;
  readonly image: string;
  readonly consoleLog: string;
}

async function writeGuestFiles(options: GuestOptions, kernel: PreparedKernel, directory: string): Promise<GuestPaths> {
  const results = join(directory, "results");
  const initramfs = join(directory, "initramfs");
  await mkdir(join(results, ".guest"), { recursive: true });
  await writeFile(
    join(results, ".guest/start"),
    renderStart({ ...startOptions(options), checkout, resultsPath: RESULTS_PATH }),
  );
  await writeFile(join(results, ".guest/command"), `${options.command}\n`);
  const { modulesDirectory } = kernel;
  const startPath = `${RESULTS_PATH}/.guest/start`;
  await writeFile(initramfs, await buildInitramfs(kernel, { resultsPath: RESULTS_PATH, modulesDirectory, startPath }));
  return { results, initramfs, image: kernel.imagePath, consoleLog: join(directory, "console.log") };
}

function startOptions({ environment = {}, isInteractive = false, ports = [] }: GuestOptions) {
  const { columns = 80, rows = 24 } = process.stdout;
  const path = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  const defaults = { HOME: "/root", LANG: "C.UTF-8", PATH: path, TERM: process.env["TERM"] ?? "dumb" };
  return { environment: { ...defaults, ...environment }, isInteractive, hasNetwork: ports.length > 0, columns, rows };
}

interface Ending {
  readonly output: string;
  /** Why it ended, when it did not by itself. */
  readonly failure: string | undefined;
}

async function runQemu(options: GuestOptions, directory: string, paths: GuestPaths): Promise<Ending> {
  const { isInteractive = false, countsInstructions = false, ports = [], memoryMiB = MEMORY_MIB } = options;
  const args = qemuArguments({ ...paths, isInteractive, countsInstructions, ports, memoryMiB });
  // The kernel ends it when this process is killed.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...args], {
    stdio: isInteractive ? "inherit" : ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  let failure: string | undefined;
  const end = (why: string) => {
    failure ??= why;
    child.kill("SIGKILL");
  };
  const file = createWriteStream(join(directory, "output.log"));
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    file.write(text);
    options.onOutput?.(text);
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const { timeoutMs } = options;
  const timer = Number.isFinite(timeoutMs)
    ? setTimeout(() => end(`not done after ${timeoutMs} ms`), timeoutMs)
    : undefined;
  const onAbort = () => end("it was ended from outside");
  options.signal?.addEventListener("abort", onAbort);
  if (options.signal?.aborted) onAbort();
  await new Promise<void>((resolve) => {
    child.on("error", (error) => {
      failure ??= `cannot start qemu: ${error.message}`;
      resolve();
    });
    child.on("close", (code) => {
      if (code !== 0) failure ??= `qemu ended with code ${code}: ${errors.trim()}`;
      resolve();
    });
  });
  clearTimeout(timer);
  options.signal?.removeEventListener("abort", onAbort);
  await new Promise((resolve) => file.end(resolve));
  return { output, failure };
}

/** What guests of the last day left is kept, to be looked at. */
async function makeDirectory(kernel: string): Promise<string> {
  await mkdir(guestsDirectory, { recursive: true });
  for (const name of await readdir(guestsDirectory)) {
    const path = join(guestsDirectory, name);
    const changedMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (Date.now() - changedMs > KEPT_MS) await rm(path, { recursive: true, force: true });
  }
  return mkdtemp(join(guestsDirectory, `${kernel}-`));
}
