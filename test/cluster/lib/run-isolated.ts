import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Isolated {
  /** For what is written; it is on the machine's disk and gone in the end. */
  readonly folder: string;
  /** A control group in every hierarchy, as a path below their roots. */
  readonly cgroup: string;
}

export interface IsolatedResult {
  readonly code: number | null;
  readonly output: string;
}

const PREFIX = "skbspan-cluster-";
const CGROUPS = "/sys/fs/cgroup";
/** The kubelet sets these, and they are the whole machine's. */
const SETTINGS = ["vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops"];
const REMOVE_TRIES = 100;
const REMOVE_EVERY_MS = 100;

/**
 * Runs a program of ours in namespaces of its own for the network, mounts and processes, with an empty /run. When it ends, or is
 * killed, or this process is, the kernel ends all that it started and undoes its mounts and interfaces. What namespaces do not
 * hold, control groups and settings of the machine, is cleaned up here.
 */
export async function runIsolated(
  argv: (isolated: Isolated) => readonly string[],
  timeoutMs: number,
  onLine: (line: string) => void = () => {},
): Promise<IsolatedResult> {
  await removeAbandoned();
  const folder = join(tmpdir(), `${PREFIX}${process.pid}`);
  const cgroup = `/${PREFIX}${process.pid}`;
  await mkdir(folder);
  const settings = await readSettings();
  try {
    await makeCgroups(cgroup);
    return await run(argv({ folder, cgroup }), timeoutMs, onLine);
  } finally {
    await removeCgroups(cgroup);
    await restoreSettings(settings);
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
  }
}

/** What a run left behind that was itself killed: names end in the process that made them. */
async function removeAbandoned(): Promise<void> {
  const isAbandoned = (name: string) =>
    new RegExp(`^${PREFIX}\\d+$`).test(name) && !existsSync(`/proc/${name.slice(PREFIX.length)}`);
  for (const hierarchy of await listHierarchies())
    for (const name of (await readdir(hierarchy)).filter(isAbandoned)) await removeTree(join(hierarchy, name));
  for (const name of (await readdir(tmpdir())).filter(isAbandoned))
    await rm(join(tmpdir(), name), { recursive: true, force: true });
}

async function run(
  argv: readonly string[],
  timeoutMs: number,
  onLine: (line: string) => void,
): Promise<IsolatedResult> {
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
  // The first process collects those whose parents have gone, and cannot be replaced by the program for that.
  const script = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && "$@"; exit $?';
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "unshare", ...namespaces, "sh", "-c", script, "sh", ...argv], {
    env: withoutTestContext(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const line of text.split("\n")) if (line.trim() !== "") onLine(line);
    });
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    return { code, output };
  } finally {
    clearTimeout(timer);
  }
}

/** A test runner inside a test would speak to the outer one. */
function withoutTestContext(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  return environment;
}

/** Hierarchies of version 1 and, where it is the only one or beside them, version 2. */
async function listHierarchies(): Promise<string[]> {
  const mounts = await readFile("/proc/self/mounts", "utf8");
  const found = [...mounts.matchAll(/^\S+ (\S+) cgroup2? /gm)].map(([, path = ""]) => path);
  return found.filter((path) => path.startsWith(CGROUPS));
}

async function makeCgroups(cgroup: string): Promise<void> {
  for (const hierarchy of await listHierarchies()) await mkdir(join(hierarchy, cgroup), { recursive: true });
}

/** They are busy until the kernel has taken down the last process. */
async function removeCgroups(cgroup: string): Promise<void> {
  for (const hierarchy of await listHierarchies())
    for (let tries = 0; tries < REMOVE_TRIES; tries++) {
      if (await removeTree(join(hierarchy, cgroup))) break;
      await sleep(REMOVE_EVERY_MS);
    }
}

async function removeTree(path: string): Promise<boolean> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return true;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  return rmdir(path).then(
    () => true,
    () => false,
  );
}

async function readSettings(): Promise<Map<string, string>> {
  const values = await Promise.all(SETTINGS.map((name) => readFile(`/proc/sys/${name}`, "utf8").catch(() => "")));
  return new Map(SETTINGS.map((name, index) => [name, values[index] ?? ""]));
}

async function restoreSettings(settings: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, value] of settings) {
    const path = `/proc/sys/${name}`;
    if (value !== "" && (await readFile(path, "utf8")) !== value) await writeFile(path, value);
  }
}
