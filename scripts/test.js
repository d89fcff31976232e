import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { build } from "./lib/build.js";
import { installPackages } from "./lib/install-packages.js";
import { demoNeeds, guestNeeds, testNeeds } from "./lib/packages.js";
import { asRoot, root, runForCode } from "./lib/run.js";
import { runScript, ScriptError, say } from "./lib/say.js";

/** Of one test: a guest needs minutes, and many on a busy machine. */
const TEST_TIMEOUT_MS = 30 * 60_000;

/** @typedef {import("./lib/outcome-reporter.js").Outcome} Outcome */

// npm test [-- PART OF A PATH ...]: all tests, or those of files whose path contains one of the parts
await runScript(async () => {
  await installPackages([...demoNeeds, ...guestNeeds, ...testNeeds]);
  await build({ withTests: true });
  const files = await findTests(process.argv.slice(2));
  say(`${files.length} test files`);
  const { code, outcome } = await runTests(files);
  return report(code, outcome);
});

/** @param {readonly string[]} parts */
async function findTests(parts) {
  const dist = join(root, "dist");
  const files = (await readdir(dist, { recursive: true })).filter(
    (file) => file.endsWith(".test.js") && (parts.length === 0 || parts.some((part) => file.includes(part))),
  );
  if (files.length === 0) throw new ScriptError(`No test file's path contains ${parts.join(" or ")}.`);
  return files.map((file) => relative(root, join(dist, file)));
}

/**
 * One file after another: they share the machine's kernel, its ports and its two or so cores.
 * @param {readonly string[]} files
 * @returns {Promise<{ code: number, outcome: Outcome | undefined }>}
 */
async function runTests(files) {
  const folder = await mkdtemp(join(tmpdir(), "skbspan-test-"));
  try {
    const outcomeFile = join(folder, "outcome.json");
    const reporters = [
      ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
      ...["--test-reporter=./scripts/lib/outcome-reporter.js", `--test-reporter-destination=${outcomeFile}`],
    ];
    const limits = ["--test-concurrency=1", `--test-timeout=${TEST_TIMEOUT_MS}`];
    const code = await runForCode(...(await asRoot(process.execPath, ["--test", ...limits, ...reporters, ...files])));
    const text = await readFile(outcomeFile, "utf8").catch(() => "");
    return { code, outcome: text === "" ? undefined : JSON.parse(text) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A test that was skipped proves nothing: unless it is allowed, that fails the run.
 * @param {number} code
 * @param {Outcome | undefined} outcome
 */
function report(code, outcome) {
  if (outcome === undefined) throw new ScriptError("The test runner ended before it said what it had found.");
  const { totals, skipped } = outcome;
  const areSkipsAllowed = Boolean(process.env.SKBSPAN_ALLOW_SKIPS);
  for (const { name, file, reason } of skipped) say(`not run: ${name} (${relative(root, file)}): ${reason}`);
  if (skipped.length > 0 && !areSkipsAllowed)
    say("A test that is not run fails the suite. SKBSPAN_ALLOW_SKIPS=1 lets it pass all the same.");
  const hasFailed = code !== 0 || (skipped.length > 0 && !areSkipsAllowed) || !totals.tests;
  for (const name of ["tests", "suites", "pass", "fail", "cancelled", "skipped", "todo", "duration_ms"])
    process.stdout.write(`# ${name} ${totals[name] ?? 0}\n`);
  return hasFailed ? code || 1 : 0;
}
