import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

/** The tracer's user space is C, tested by build/tests/tracer-test (bpf/tracer/test/): each of its tests is run here. */
const binary = fileURLToPath(new URL("../../../build/tests/tracer-test", import.meta.url));

function run(argument: string) {
  assert.ok(existsSync(binary), `${binary} is not built: run \`make -C bpf tests\``);
  return spawnSync(binary, [argument], { encoding: "utf8", timeout: 60_000 });
}

describe("tracer parts", () => {
  const isRoot = process.getuid?.() === 0;
  const tests = run("--list").stdout.trim().split("\n");

  it("has tests", () => assert.ok(tests.length > 10, tests.join(", ")));

  for (const line of tests) {
    const [name = "", needs] = line.split(" ");
    const skip = needs === "root" && !isRoot ? "needs root: run the tests as root" : false;
    it(name.replaceAll("-", " "), { skip }, () => {
      const { status, stdout, stderr, signal } = run(name);
      assert.equal(status, 0, `${stdout}${stderr}${signal ?? ""}`);
    });
  }
});
