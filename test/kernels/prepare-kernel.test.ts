import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { prepareKernel } from "./prepare-kernel.js";

/** Runs with a cache of its own, and a mirror that is not there: nothing can be fetched. */
async function withEmptyCache(work: (kernels: string) => Promise<void>): Promise<void> {
  const cache = await mkdtemp(join(tmpdir(), "skbspan-cache-"));
  const before = { ...process.env };
  Object.assign(process.env, { SKBSPAN_CACHE: cache, SKBSPAN_DEBIAN_MIRROR: "http://127.0.0.1:9/debian" });
  try {
    await mkdir(join(cache, "kernels"), { recursive: true });
    await work(join(cache, "kernels"));
  } finally {
    process.env = before;
    await rm(cache, { recursive: true });
  }
}

test("says which kernels there are when one is asked for that is not there", async () => {
  await assert.rejects(prepareKernel("4.19"), /no guest kernel "4\.19"; there are: 6\.1, 6\.12, 7\.3/);
});

test("takes what is complete from the cache, and fetches again what is not", async () => {
  await withEmptyCache(async (kernels) => {
    await mkdir(join(kernels, "6.12/lib/modules/6.12.1-test"), { recursive: true });
    await assert.rejects(prepareKernel("6.12"), /apt-get .* ended with code 100/s);
    await mkdir(join(kernels, "6.12"), { recursive: true });
    await writeFile(join(kernels, "6.12/complete.json"), '{"release":"6.12.1-test"}');
    assert.deepEqual(await prepareKernel("6.12"), {
      release: "6.12.1-test",
      imagePath: join(kernels, "6.12/vmlinuz"),
      modulesDirectory: join(kernels, "6.12/lib/modules/6.12.1-test"),
    });
  });
});
