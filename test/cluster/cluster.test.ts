import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildImage } from "./lib/build-image.js";
import { runIsolated } from "./lib/run-isolated.js";

const inside = fileURLToPath(new URL("inside/journeys.js", import.meta.url));
const TIMEOUT_MS = 28 * 60_000;

test("in a real cluster", { timeout: TIMEOUT_MS }, async (context) => {
  const archive = await buildImage((text) => context.diagnostic(text));
  const { code, output } = await runIsolated(
    ({ folder, cgroup }) => [
      "env",
      ...[`SKBSPAN_CLUSTER_FOLDER=${folder}`, `SKBSPAN_CLUSTER_CGROUP=${cgroup}`, `SKBSPAN_CLUSTER_IMAGE=${archive}`],
      ...[process.execPath, "--test", "--test-reporter=spec", "--test-concurrency=1", inside],
    ],
    TIMEOUT_MS - 60_000,
    (line) => context.diagnostic(line),
  );
  assert.equal(code, 0, output.slice(-20_000));
});
