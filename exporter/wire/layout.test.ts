import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test("layout.ts is what bpf/wire.h gives", (context) => {
  const clang = spawnSync("sh", ["-c", "command -v clang || ls /usr/bin/clang-[0-9]*"], { encoding: "utf8" });
  if (clang.stdout.trim() === "") return context.skip("clang is not installed, so that the layout cannot be generated");
  const directory = mkdtempSync(join(tmpdir(), "skbspan-layout-"));
  try {
    const generated = join(directory, "layout.ts");
    const make = spawnSync("make", ["-C", join(root, "bpf"), "generate", `LAYOUT=${generated}`], { encoding: "utf8" });
    assert.equal(make.status, 0, make.stderr);
    assert.equal(
      readFileSync(join(root, "exporter/wire/layout.ts"), "utf8"),
      readFileSync(generated, "utf8"),
      "exporter/wire/layout.ts differs from bpf/wire.h: run `npm run generate` and commit the result",
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
