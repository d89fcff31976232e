import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { installNodeModules } from "./lib/build.js";
import { availableVersions, findClang, installClang, installPackages } from "./lib/install-packages.js";
import { buildNeeds, clangFormatVersion } from "./lib/packages.js";
import { read, root, run, runForCode } from "./lib/run.js";
import { runScript, ScriptError, say } from "./lib/say.js";

const bin = (/** @type {string} */ name) => join(root, "node_modules/.bin", name);

/** Each gives its exit code. @type {readonly { title: string, mend: string, check: () => Promise<number> }[]} */
const checks = [
  {
    title: "format and lint TypeScript and JavaScript",
    mend: "npx biome check --write .",
    check: () => runForCode(bin("biome"), ["check", "."]),
  },
  { title: "types", mend: "", check: () => runForCode(bin("tsc"), ["-p", "tsconfig.json", "--noEmit"]) },
  { title: "types of the page", mend: "", check: () => runForCode(bin("tsc"), ["-p", "exporter/web/tsconfig.json"]) },
  { title: "format C", mend: "", check: checkClangFormat },
  {
    title: "compile C with all warnings",
    mend: "",
    check: () => runForCode("make", ["-C", "bpf", "-s", "all", "tests"]),
  },
  { title: "analyse C", mend: "", check: analyse },
  { title: "the layout is the one of bpf/wire.h", mend: "npm run generate", check: checkLayout },
];

async function listC() {
  const files = await read("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.c", "*.h"]);
  if (!files) throw new ScriptError("`git ls-files` lists no C files: this is to be run in a clone of the repository.");
  return files.trim().split("\n");
}

async function checkClangFormat() {
  const program = await findClangFormat();
  const code = await runForCode(program, ["--dry-run", "-Werror", ...(await listC())]);
  if (code !== 0) say(`mend with: ${program} -i $(git ls-files '*.c' '*.h')`);
  return code;
}

/** The version that decides, or the newest that can be had. */
async function findClangFormat() {
  const versions = await availableVersions("clang-format");
  const version = versions.includes(clangFormatVersion) || versions.length === 0 ? clangFormatVersion : versions.at(-1);
  await installPackages([{ names: [`clang-format-${version}`], why: "formats C" }]);
  return `clang-format-${version}`;
}

/**
 * clang's static analyser, on everything but the BPF programs, whose code paths the kernel's verifier checks. Without
 * unix.Errno: it cannot know that no inode is 0.
 */
async function analyse() {
  const clang = (await findClang()) ?? "clang";
  const files = (await listC()).filter((file) => /^bpf\/.*(?<!\.bpf)\.c$/.test(file));
  const analyser = ["--analyze", "--analyzer-output", "text", "-Xclang", "-analyzer-werror"];
  const flags = [...analyser, "-Xclang", "-analyzer-disable-checker", "-Xclang", "unix.Errno"];
  // The Makefile says where the objects are; here it is enough that the names stand for something.
  const embedded = ["OBJECT", "ITERATOR", "WALK"].map((name) => `-DEMBEDDED_${name}_PATH="/dev/null"`);
  const language = ["-std=gnu11", "-D_GNU_SOURCE", "-Ibpf", ...embedded];
  const codes = await inParallel(files, (file) => runForCode(clang, [...flags, ...language, file]));
  return codes.find((code) => code !== 0) ?? 0;
}

/**
 * @param {readonly string[]} files
 * @param {(file: string) => Promise<number>} work
 */
async function inParallel(files, work) {
  const left = [...files];
  /** @type {number[]} */
  const codes = [];
  const takeTurns = async () => {
    for (let file = left.pop(); file !== undefined; file = left.pop()) codes.push(await work(file));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, takeTurns));
  return codes;
}

async function checkLayout() {
  const folder = await mkdtemp(join(tmpdir(), "skbspan-check-"));
  try {
    const layout = join(folder, "layout.ts");
    await run("make", ["-C", "bpf", "-s", "generate", `LAYOUT=${layout}`]);
    return (await readFile(layout, "utf8")) === (await readFile(join(root, "exporter/wire/layout.ts"), "utf8")) ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// npm run check: all of it, even after one that failed
await runScript(async () => {
  await installPackages(buildNeeds);
  await installClang();
  await installNodeModules();
  const failed = [];
  for (const { title, mend, check } of checks) {
    say(`check: ${title}`);
    if ((await check()) === 0) continue;
    failed.push(mend === "" ? title : `${title} (mend with: ${mend})`);
  }
  for (const line of failed) say(`not as it should be: ${line}`);
  if (failed.length === 0) say("everything is as it should be");
  return failed.length === 0 ? 0 : 1;
});
