import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cacheDirectory } from "../kernels/cache-directory.js";
import { runProgram } from "../kernels/run-program.js";
import { skbspanPath } from "../lib/run-skbspan.js";

const recording = fileURLToPath(new URL("../../../test/fixtures/recordings/6.1-kprobe.skbspan", import.meta.url));

/** From the npm package that holds the program alone; fetched once, into the cache. */
async function fetchNode(major: number): Promise<string> {
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

/** They are random. */
function withoutSpanIds(text: string): string {
  return text.replace(/panId":"[0-9a-f]{16}"/g, 'panId":"..."');
}

for (const major of [22, 24])
  test(`Node.js ${major} gives what ${process.version} gives`, { timeout: 600_000 }, async () => {
    const other = await fetchNode(major);
    assert.match(await runProgram(other, ["--version"]), new RegExp(`^v${major}\\.`));
    for (const args of [
      ["--help"],
      ["replay", recording, "--export", "console", "--colour", "never"],
      ["replay", recording, "--export", "json"],
    ]) {
      const expected = withoutSpanIds(await runProgram(process.execPath, [skbspanPath, ...args]));
      const given = withoutSpanIds(await runProgram(other, [skbspanPath, ...args]));
      assert.ok(expected.length > 500);
      assert.ok(given === expected, `what \`skbspan ${args.join(" ")}\` prints differs`);
    }
  });
