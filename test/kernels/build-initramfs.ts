import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type ArchiveEntry, packCpio } from "./pack-cpio.js";
import type { PreparedKernel } from "./prepare-kernel.js";

/** What the root file system and the shares are mounted with; the rest is loaded by the guest's own modprobe. */
const MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];
const BUSYBOX_PATHS = ["/bin/busybox", "/usr/bin/busybox"];
const MAX_MODULE_BYTES = 64 << 20;

export interface SharedFolders {
  /** In the guest; the folder that the host shares as "results" is mounted there. */
  readonly resultsPath: string;
  /** In the guest's view of the host's file system. */
  readonly modulesDirectory: string;
  /** The script that the guest runs as its first process. */
  readonly startPath: string;
}

/** A first file system in memory that mounts the host's one as the guest's root and starts `startPath` in it. */
export async function buildInitramfs(kernel: PreparedKernel, folders: SharedFolders): Promise<Buffer> {
  const busybox = BUSYBOX_PATHS.find((path) => existsSync(path));
  if (busybox === undefined) throw new Error("busybox is not installed: apt install busybox-static");
  const modules = await readModules(kernel);
  const entries: ArchiveEntry[] = [
    ...["bin", "dev", "proc", "sys", "modules", "lower", "upper", "root"].map((path) => ({ path })),
    { path: "bin/busybox", content: await readFile(busybox) },
    ...modules,
    { path: "init", content: Buffer.from(renderInit(kernel, modules, folders)) },
  ];
  return packCpio(entries);
}

/** With everything that they depend on, in the order in which they can be loaded. */
async function readModules(kernel: PreparedKernel): Promise<ArchiveEntry[]> {
  const read = async (file: string) => (await readFile(join(kernel.modulesDirectory, file), "utf8")).split("\n");
  const dependencies = new Map(
    (await read("modules.dep")).map((line) => {
      const [file = "", after = ""] = line.split(":");
      return [moduleName(file), { file, after: after.trim().split(" ").filter(Boolean) }] as const;
    }),
  );
  const builtIn = new Set((await read("modules.builtin")).map(moduleName));
  const files = new Set<string>();
  for (const name of MODULES) {
    const found = dependencies.get(name);
    if (found) for (const file of [...found.after.toReversed(), found.file]) files.add(file);
    else if (!builtIn.has(name)) throw new Error(`The kernel ${kernel.release} has no module ${name}.`);
  }
  return Promise.all([...files].map((file) => readModule(kernel, file)));
}

async function readModule(kernel: PreparedKernel, file: string): Promise<ArchiveEntry> {
  const path = join(kernel.modulesDirectory, file);
  return { path: `modules/${moduleName(file)}.ko`, content: decompress(path, await readFile(path)) };
}

function moduleName(file: string): string {
  return basename(file)
    .replace(/\.ko(\..*)?$/, "")
    .replaceAll("-", "_");
}

/** busybox's insmod takes only what is not compressed. */
function decompress(path: string, bytes: Buffer): Buffer {
  const program = path.endsWith(".xz") ? "xz" : path.endsWith(".zst") ? "zstd" : undefined;
  if (program === undefined) return bytes;
  const result = spawnSync(program, ["-dc"], { input: bytes, maxBuffer: MAX_MODULE_BYTES });
  if (result.status === 0) return result.stdout;
  throw new Error(`Cannot decompress ${path} with ${program}: ${result.error?.message ?? result.stderr}`);
}

/**
 * The guest sees the host's file system as it is and may write anywhere: what it writes lies above it in memory. Folders of
 * the host that are about its own state are replaced.
 */
function renderInit(kernel: PreparedKernel, modules: readonly ArchiveEntry[], folders: SharedFolders): string {
  const mount9p = (tag: string, options: string) =>
    `mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,${options} ${tag}`;
  return `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
fail() { echo "skbspan-guest: $*" > /dev/console; sync; reboot -f; }
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
${modules.map(({ path }) => `insmod /${path} || fail "cannot load ${path}"`).join("\n")}
${mount9p("host", "cache=loose,ro")} /lower || fail "cannot mount the host's file system"
mount -t tmpfs -o mode=755 upper /upper
mkdir /upper/data /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work root /root || fail "cannot mount the root"
cd /root
mount -t tmpfs -o mode=755 run run
mount -t proc proc proc
mount -t sysfs sys sys
mount -t bpf bpf sys/fs/bpf
mount -t cgroup2 cgroup sys/fs/cgroup
mount -t debugfs debug sys/kernel/debug
mount -t tracefs trace sys/kernel/tracing
mount -t devtmpfs dev dev
mkdir -p dev/pts dev/shm run/lock run/netns .${folders.resultsPath} lib/modules/${kernel.release}
mount -t devpts -o mode=620,ptmxmode=666 pts dev/pts
mount -t tmpfs shm dev/shm
ln -sf /proc/self/fd dev/fd
${mount9p("results", "cache=none,access=any")} .${folders.resultsPath} || fail "cannot mount the results"
mount --bind .${folders.modulesDirectory} lib/modules/${kernel.release} || fail "cannot mount the modules"
hostname skbspan-guest
ip link set lo up
exec switch_root /root /bin/sh ${folders.startPath}
fail "cannot start"
`;
}
