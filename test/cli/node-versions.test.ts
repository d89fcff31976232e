import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram } from "../kernels/run-program.js";
import { fetchNode } from "../lib/fetch-node.js";
import { skbspanPath } from "../lib/run-skbspan.js";

const recording = fileURLToPath(new URL("../../../test/fixtures/recordings/6.1-kprobe.skbspan", import.meta.url));

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
