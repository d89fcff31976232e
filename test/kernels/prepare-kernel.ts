import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory } from "./cache-directory.js";
import { downloadKernel } from "./download-kernel.js";
import { findKernelSeries } from "./kernel-series.js";
import { runProgram } from "./run-program.js";

/** A kernel that a guest can boot. */
export interface PreparedKernel {
  /** As `uname -r` says it. */
  readonly release: string;
  readonly imagePath: string;
  /** What is /lib/modules/<release> in the guest: modules with their dependency lists. */
  readonly modulesDirectory: string;
}

const COMPLETE_FILE = "complete.json";
const TEMPORARY_PREFIX = ".new-";
const ABANDONED_AFTER_MS = 6 * 3_600_000;

/** Drivers of devices that a guest does not have: most of a kernel's modules. Kept are those of drivers/net itself. */
const UNUSED_FOLDERS = [
  ...["sound", "drivers/gpu", "drivers/media", "drivers/scsi", "drivers/infiniband", "drivers/staging", "drivers/usb"],
  ...["drivers/hwmon", "drivers/iio", "drivers/input", "drivers/hid", "drivers/mtd", "drivers/ata", "drivers/md"],
  ...["drivers/net/wireless", "drivers/net/ethernet", "drivers/net/wwan", "drivers/net/wan", "drivers/net/usb"],
  ...[
    "drivers/net/can",
    "drivers/net/dsa",
    "drivers/net/fddi",
    "drivers/net/hamradio",
    "drivers/net/phy",
    "drivers/edac",
  ],
];

/**
 * Gives the newest Debian kernel of a series from the cache, or fetches it. What is in the cache is complete: it was
 * renamed into place; of several that prepare the same kernel at once, one wins. Delete its folder to fetch it anew.
 */
export async function prepareKernel(
  name: string,
  onProgress: (text: string) => void = () => {},
): Promise<PreparedKernel> {
  const series = findKernelSeries(name);
  const kernels = join(cacheDirectory(), "kernels");
  const place = join(kernels, series.name);
  const cached = await readPrepared(place);
  if (cached) return cached;
  if (process.arch !== "x64") throw new Error(`Guests are x86-64 machines; this one is ${process.arch}.`);
  onProgress(`Fetching the newest Debian kernel ${series.name} to ${place} ...`);
  await mkdir(kernels, { recursive: true });
  await removeAbandoned(kernels);
  const temporary = await mkdtemp(join(kernels, `${TEMPORARY_PREFIX}${series.name}-`));
  try {
    await downloadKernel(series, temporary);
    await arrange(temporary);
    await moveIntoPlace(temporary, place);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  const prepared = await readPrepared(place);
  if (prepared === undefined)
    throw new Error(`The kernel in ${place} is not complete: delete this folder and try again.`);
  return prepared;
}

async function readPrepared(place: string): Promise<PreparedKernel | undefined> {
  const text = await readFile(join(place, COMPLETE_FILE), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const { release } = JSON.parse(text) as { release: string };
  return { release, imagePath: join(place, "vmlinuz"), modulesDirectory: join(place, "lib/modules", release) };
}

/** From the packages' trees to: vmlinuz, lib/modules/<release>, complete.json. */
async function arrange(directory: string): Promise<void> {
  const root = join(directory, "root");
  const modules = await firstThatExists([join(root, "usr/lib/modules"), join(root, "lib/modules")]);
  const [release] = await readdir(modules);
  if (release === undefined) throw new Error(`The kernel's packages have no modules in ${modules}.`);
  const image = await firstThatExists([
    join(root, "boot", `vmlinuz-${release}`),
    join(modules, release, "vmlinuz"),
    join(modules, release, "vmlinuz.unsigned"),
  ]);
  await copyFile(image, join(directory, "vmlinuz"));
  await mkdir(join(directory, "lib/modules"), { recursive: true });
  await rename(join(modules, release), join(directory, "lib/modules", release));
  for (const folder of UNUSED_FOLDERS)
    await rm(join(directory, "lib/modules", release, "kernel", folder), { recursive: true, force: true });
  await mkdir(join(directory, "usr")); // some versions of depmod look below usr
  await symlink("../lib", join(directory, "usr/lib"));
  await runProgram("depmod", ["-b", directory, release], {
    environment: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
  });
  for (const leftover of ["root", "packages", "apt"])
    await rm(join(directory, leftover), { recursive: true, force: true });
  await writeFile(join(directory, COMPLETE_FILE), `${JSON.stringify({ release })}\n`);
}

async function moveIntoPlace(temporary: string, place: string): Promise<void> {
  if ((await readPrepared(place)) === undefined) await rm(place, { recursive: true, force: true });
  await rename(temporary, place).catch(async (error: unknown) => {
    if ((await readPrepared(place)) === undefined) throw error;
  });
}

async function firstThatExists(paths: readonly string[]): Promise<string> {
  for (const path of paths) if (await stat(path).catch(() => undefined)) return path;
  throw new Error(`The kernel's packages have none of ${paths.join(", ")}.`);
}

/** What a run that was killed left behind. */
async function removeAbandoned(kernels: string): Promise<void> {
  for (const name of await readdir(kernels)) {
    const path = join(kernels, name);
    const changedMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (name.startsWith(TEMPORARY_PREFIX) && Date.now() - changedMs > ABANDONED_AFTER_MS)
      await rm(path, { recursive: true, force: true });
  }
}
