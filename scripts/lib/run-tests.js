import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { asRoot, root, runForCode } from "./run.js";
import { ScriptError, say } from "./say.js";

/** Of one test: a guest needs minutes, and many on a busy machine. */
const TEST_TIMEOUT_MS = 30 * 60_000;

/** @typedef {import("./outcome-reporter.js").Outcome} Outcome */

/**
 * Runs the test files of dist/ that are wanted, and gives the exit code. A test that is skipped fails the run.
 * @param {(file: string) => boolean} isWanted of a path below dist/
 */
export async function runTests(isWanted) {
  const files = await findTests(isWanted);
  say(`${files.length} test files`);
  const { code, outcome } = await runFiles(files);
  return report(code, outcome);
}

/** Whether a path contains one of the parts; without parts every path does. @param {readonly string[]} parts */
export function containsOneOf(parts) {
  return (/** @type {string} */ file) => parts.length === 0 || parts.some((part) => file.includes(part));
}

/** @param {(file: string) => boolean} isWanted */
async function findTests(isWanted) {
  const dist = join(root, "dist");
  const files = (await readdir(dist, { recursive: true })).filter(
    (file) => file.endsWith(".test.js") && isWanted(file),
  );
  if (files.length === 0) throw new ScriptError("No test file's path contains what was asked for.");
  return files.map((file) => relative(root, join(dist, file)));
}

/**
 * One file after another: they share the machine's kernel, its ports and its two or so cores.
 * @param {readonly string[]} files
 * @returns {Promise<{ code: number, outcome: Outcome | undefined }>}
 */
async function runFiles(files) {
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
