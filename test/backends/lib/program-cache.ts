import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory } from "../../kernels/cache-directory.js";

const TEMPORARY_PREFIX = ".new-";
const ABANDONED_AFTER_MS = 6 * 3_600_000;

/**
 * Gives the folder `name` of the cache of programs; when it is not there, `make` fills it. What is in the cache is complete: it
 * was renamed into place. Of several that make the same at once, one wins. Delete a folder to have it made anew.
 */
export async function fromProgramCache(name: string, make: (directory: string) => Promise<void>): Promise<string> {
  const place = programPlace(name);
  if (await isThere(place)) return place;
  await inTemporaryFolder(async (temporary) => {
    const result = join(temporary, "result");
    await mkdir(result);
    await make(result);
    await rename(result, place).catch(async (error: unknown) => {
      if (!(await isThere(place))) throw error;
    });
  });
  return place;
}

/** Whether the cache has it already. */
export function isInProgramCache(name: string): Promise<boolean> {
  return isThere(programPlace(name));
}

/** A folder in the cache for what a build needs and nobody needs after it: it is gone when `work` has ended. */
export async function inTemporaryFolder<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const programs = join(cacheDirectory(), "programs");
  await mkdir(programs, { recursive: true });
  await removeAbandoned(programs);
  const temporary = await mkdtemp(join(programs, TEMPORARY_PREFIX));
  try {
    return await work(temporary);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function programPlace(name: string): string {
  return join(cacheDirectory(), "programs", name);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** What a run that was killed left behind. */
async function removeAbandoned(programs: string): Promise<void> {
  for (const name of await readdir(programs)) {
    const path = join(programs, name);
    const changedMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (name.startsWith(TEMPORARY_PREFIX) && Date.now() - changedMs > ABANDONED_AFTER_MS)
      await rm(path, { recursive: true, force: true });
  }
}
