import { readFile } from "node:fs/promises";
import { clangVersions } from "./packages.js";
import { asRoot, read, run } from "./run.js";
import { ScriptError, say } from "./say.js";

/** @typedef {import("./packages.js").Need} Need */

/**
 * Installs what is missing, and says what and why. On another distribution than Debian or Ubuntu it says what to install.
 * @param {readonly Need[]} needs
 */
export async function installPackages(needs) {
  const missing = await findMissing(needs);
  if (missing.length === 0) return;
  say("These packages are missing and are installed with apt-get:");
  for (const { names, why } of missing) say(`  ${names[0]}: ${why}`);
  await requireApt(missing);
  await runAsRoot("apt-get", ["-q", "update"]);
  const chosen = await Promise.all(missing.map(chooseAvailable));
  const options = ["-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"];
  await runAsRoot("apt-get", ["install", ...options, ...chosen]);
  const still = await findMissing(needs);
  if (still.length > 0) throw new ScriptError(`Still missing: ${still.map(({ names }) => names[0]).join(", ")}.`);
}

/** The compiler of the tracer, when none that is new enough is installed: the preferred one, or the newest that there is. */
export async function installClang() {
  if ((await findClang()) !== undefined) return;
  await requireApt([{ names: ["clang"], why: "compiles the tracer" }]);
  await runAsRoot("apt-get", ["-q", "update"]);
  const versions = await availableVersions("clang");
  const { preferred } = clangVersions;
  const version = versions.includes(preferred) ? preferred : versions.at(-1);
  if (version === undefined) throw new ScriptError(`There is no package clang-N, N at least ${clangVersions.oldest}.`);
  await installPackages([{ names: [`clang-${version}`], why: "compiles the tracer" }]);
}

/** @returns {Promise<string | undefined>} the name of the newest clang that is installed and new enough */
export async function findClang() {
  const { oldest, newest } = clangVersions;
  for (let version = newest; version >= oldest; version--)
    if ((await read(`clang-${version}`, ["--version"])) !== undefined) return `clang-${version}`;
  const version = Number.parseInt((await read("clang", ["-dumpversion"])) ?? "0", 10);
  return version >= oldest ? "clang" : undefined;
}

/**
 * The versions N, oldest first, of a package called PREFIX-N.
 * @param {string} prefix
 */
export async function availableVersions(prefix) {
  const lines = (await read("apt-cache", ["search", "--names-only", `^${prefix}-[0-9]+$`])) ?? "";
  const { oldest, newest } = clangVersions;
  return [...lines.matchAll(new RegExp(`^${prefix}-(\\d+) `, "gm"))]
    .map(([, version]) => Number(version))
    .filter((version) => version >= oldest && version <= newest)
    .sort((a, b) => a - b);
}

/** @param {readonly Need[]} needs */
async function findMissing(needs) {
  const names = needs.flatMap((need) => need.names);
  // It fails when one of them is not known, and lists the others all the same.
  const lines =
    (await read("sh", ["-c", `dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' ${names.join(" ")}; true`])) ?? "";
  const installed = new Set([...lines.matchAll(/^(\S+) installed$/gm)].map(([, name]) => name));
  return needs.filter((need) => !need.names.some((name) => installed.has(name)));
}

/** @param {Need} need */
async function chooseAvailable({ names }) {
  for (const name of names)
    if (/Candidate: (?!\(none\))/.test((await read("apt-cache", ["policy", name])) ?? "")) return name;
  throw new ScriptError(`There is no package ${names.join(" or ")} in this machine's apt sources.`);
}

/** @param {readonly Need[]} missing */
async function requireApt(missing) {
  if ((await read("apt-get", ["--version"])) !== undefined) return;
  const release = (await readFile("/etc/os-release", "utf8").catch(() => "")).match(/^PRETTY_NAME="?([^"\n]*)/m)?.[1];
  throw new ScriptError(
    `There is no apt-get on ${release ?? "this system"}; the scripts are for Debian and Ubuntu. ` +
      `Install what matches these packages: ${missing.map(({ names }) => names[0]).join(" ")}.`,
  );
}

/** @param {string} program @param {readonly string[]} args */
async function runAsRoot(program, args) {
  const [first, rest] = await asRoot("env", ["DEBIAN_FRONTEND=noninteractive", program, ...args]);
  // What apt-get prints is for people: standard output belongs to what the user asked for.
  await run(first, rest, { stdio: ["ignore", process.stderr, process.stderr] });
}
