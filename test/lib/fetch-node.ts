import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory } from "../kernels/cache-directory.js";
import { runProgram } from "../kernels/run-program.js";

/** Another version of Node.js, from the npm package that holds the program alone; fetched once, into the cache. */
export async function fetchNode(major: number): Promise<string> {
  const place = join(cacheDirectory(), `node-${major}`);
  const packageName = `node-linux-${process.arch}`;
  const program = join(place, "node_modules", packageName, "bin/node");
  if (existsSync(program)) return program;
  await mkdir(cacheDirectory(), { recursive: true });
  const temporary = await mkdtemp(join(cacheDirectory(), ".new-node-"));
  try {
    const options = ["--no-audit", "--no-fund", "--no-save", "--loglevel=error", "--prefix", temporary];
    await runProgram("npm", ["install", ...options, `${packageName}@${major}`]);
    await rm(place, { recursive: true, force: true });
    await rename(temporary, place).catch(() => {}); // another run was faster
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return program;
}
