import assert from "node:assert/strict";
import { copyFile, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inTemporaryFolder } from "../backends/lib/program-cache.js";
import { runProgram } from "../kernels/run-program.js";
import { buildImage } from "./lib/build-image.js";

const recording = fileURLToPath(new URL("../../../test/fixtures/recordings/6.18-tracepoint.skbspan", import.meta.url));
/** Node.js alone has 121 MB. */
const MAX_IMAGE_BYTES = 240_000_000;

test("the image is small, has no shell, and what needs no rights runs in it as anybody", async () => {
  const archive = await buildImage();
  await inTemporaryFolder(async (folder) => {
    const root = await unpack(archive, folder);
    const files = await readdir(root, { recursive: true, withFileTypes: true });
    const sizes = await Promise.all(
      files.filter((file) => file.isFile()).map(async (file) => (await stat(join(file.parentPath, file.name))).size),
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(bytes < MAX_IMAGE_BYTES, `${bytes} bytes`);
    const programs = files.filter(({ parentPath }) => /\/s?bin$/.test(parentPath) && !/node_modules/.test(parentPath));
    assert.deepEqual(programs.map(({ name }) => name).sort(), ["env", "node", "skbspan", "skbspan.js"]);
    for (const name of ["typescript", "@biomejs/biome", "playwright-core"])
      await assert.rejects(stat(join(root, "app/node_modules", name)), name);
    await copyFile(recording, join(root, "tmp/recording"));
    const skbspan = ["/usr/local/bin/skbspan", "replay", "/tmp/recording", "--quiet"];
    assert.match(await runProgram("chroot", ["--userspec=65532:65532", root, ...skbspan]), /\d+ hops in /);
  });
});

/** The image's files, as they are laid over one another. */
async function unpack(archive: string, folder: string): Promise<string> {
  const root = join(folder, "root");
  await mkdir(root);
  await runProgram("tar", ["-xf", archive, "-C", folder]);
  const [{ Layers: layers }] = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
  for (const layer of layers) await runProgram("tar", ["-xf", join(folder, layer), "-C", root]);
  return root;
}
