import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where cgroups are made: a folder of its own in each hierarchy of this kernel. */
export interface Cgroups {
  /** Undefined where this kernel has no memory controller of version 1, or gives it to version 2. */
  readonly v1: string | undefined;
  readonly v2: string;
  remove(): void;
}

export interface PodOptions {
  readonly cgroups: Cgroups;
  /** From the cgroups' folder on. */
  readonly path: string;
  readonly version: 1 | 2;
  /** What bash runs in the pod's network namespace, where lo is up. */
  readonly script: string;
}

/** A process in a network namespace of its own, in a cgroup as the kubelet names it: what a pod is to the kernel. */
export interface FakePod {
  readonly process: ChildProcess;
  /** A line on its standard input. */
  write(line: string): void;
  /** Resolves when the process has ended; it is ended if it is still there. */
  remove(): Promise<void>;
}

/** Mounts the hierarchies and makes the folders. The caller has to be root. */
export function openCgroups(): Cgroups {
  const mounted: string[] = [];
  const folders: string[] = [];
  const open = (type: string, options: readonly string[]): string | undefined => {
    const point = mkdtempSync(join(tmpdir(), "skbspan-cgroup-"));
    const { status } = spawnSync("mount", ["-t", type, ...options, "none", point]);
    if (status !== 0) {
      rmdirSync(point);
      return undefined;
    }
    mounted.push(point);
    const folder = join(point, `skbspan-test-${process.pid}`);
    mkdirSync(folder);
    folders.push(folder);
    return folder;
  };
  const v2 = open("cgroup2", []);
  if (v2 === undefined) throw new Error("this kernel has no cgroups of version 2");
  return {
    v2,
    v1: open("cgroup", ["-o", "memory"]),
    remove() {
      for (const folder of folders) spawnSync("find", [folder, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
      for (const point of mounted) {
        spawnSync("umount", [point]);
        rmdirSync(point);
      }
    },
  };
}

export function makePod({ cgroups, path, version, script }: PodOptions): FakePod {
  const folder = join((version === 1 ? cgroups.v1 : cgroups.v2) ?? cgroups.v2, path);
  mkdirSync(folder, { recursive: true });
  // As a runtime does it: into the cgroup, into the namespace, then the program.
  const enter = 'echo $$ > "$0/cgroup.procs" && exec unshare --net bash -c "$1"';
  const child = spawn("bash", ["-c", enter, folder, `ip link set lo up; ${script}`], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  child.stdin.on("error", () => {});
  return {
    process: child,
    write: (line) => void child.stdin.write(`${line}\n`),
    async remove() {
      child.kill("SIGKILL");
      await ended;
      // What it had started may take a moment to be gone; what stays is removed with all the rest.
      spawnSync("rmdir", [folder]);
    },
  };
}
