import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { packCpio } from "./pack-cpio.js";

test("packs what cpio unpacks: folders, empty files, contents of every length modulo four", async () => {
  const folder = await mkdtemp(join(tmpdir(), "skbspan-cpio-"));
  try {
    const contents = [0, 1, 2, 3, 4, 5, 1000].map((bytes) => Buffer.alloc(bytes, `${bytes}`));
    const files = contents.map((content, index) => ({ path: `some/file-${"n".repeat(index)}`, content }));
    const archive = packCpio([{ path: "some" }, { path: "empty" }, ...files]);
    const { status, stderr } = spawnSync("busybox", ["cpio", "-i"], { cwd: folder, input: archive, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.ok((await stat(join(folder, "empty"))).isDirectory());
    for (const { path, content } of files) assert.deepEqual(await readFile(join(folder, path)), content);
    assert.equal((await stat(join(folder, "some/file-"))).mode & 0o111, 0o111);
  } finally {
    await rm(folder, { recursive: true });
  }
});
