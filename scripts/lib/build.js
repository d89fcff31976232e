import { existsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { installClang, installPackages } from "./install-packages.js";
import { buildNeeds } from "./packages.js";
import { root, run } from "./run.js";
import { ScriptError, say } from "./say.js";

const MIN_NODE = [20, 11];

/** What a build prints is for people. */
const quiet = /** @type {import("node:child_process").StdioOptions} */ (["ignore", process.stderr, process.stderr]);

/**
 * Installs what building needs and builds everything: dist/ (TypeScript), build/skbspan-tracer (C), build/web (the page).
 * @param {{ withTests?: boolean }} [options] withTests: the test programs in C too
 */
export async function build({ withTests = false } = {}) {
  requireNode();
  await installPackages(buildNeeds);
  await installClang();
  await installNodeModules();
  await removeStaleOutputs();
  say("building ...");
  await run(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.json"], { stdio: quiet });
  await run("make", ["-C", "bpf", "-s", `-j${availableParallelism()}`, "all", ...(withTests ? ["tests"] : [])], {
    stdio: quiet,
  });
  const { bundlePage } = await import("../../exporter/web/bundle.mjs");
  await bundlePage(join(root, "build/web"));
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return;
  throw new ScriptError(`Node.js ${MIN_NODE.join(".")} or newer is needed; this is ${process.versions.node}.`);
}

/** Fetches the packages of package-lock.json when they are not there or were fetched for an older one. */
export async function installNodeModules() {
  const modifiedMs = async (/** @type {string} */ file) =>
    (await stat(join(root, file)).catch(() => undefined))?.mtimeMs ?? 0;
  const fetchedMs = await modifiedMs("node_modules/.package-lock.json");
  if (fetchedMs > 0 && fetchedMs >= (await modifiedMs("package-lock.json"))) return;
  say("fetching Node.js packages (npm ci) ...");
  await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { stdio: quiet });
}

/** Removes what was compiled from files that are gone: a test among them would still be run. */
async function removeStaleOutputs() {
  const dist = join(root, "dist");
  if (!existsSync(dist)) return;
  for (const file of await readdir(dist, { recursive: true })) {
    const source = file.replace(/\.(c?)js(\.map)?$/, ".$1ts");
    if (source !== file && !existsSync(join(root, source))) await rm(join(dist, file));
  }
}
