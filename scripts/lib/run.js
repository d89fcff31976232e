import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { ScriptError } from "./say.js";

/** The checkout. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** npm puts its own folders first; programs for root may not be on the path at all. */
const path = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;

/**
 * Runs a program in the checkout, on this terminal, and gives its exit code. Ctrl-C reaches it too, so this process waits
 * until it has cleaned up.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, stdio?: import("node:child_process").StdioOptions }} [options]
 * @returns {Promise<number>}
 */
export async function runForCode(program, args, { env = {}, stdio = "inherit" } = {}) {
  const child = spawn(program, args, { cwd: root, env: { ...process.env, PATH: path, ...env }, stdio });
  const pass = (/** @type {NodeJS.Signals} */ signal) => void (process.stdin.isTTY || child.kill(signal));
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM"]);
  for (const signal of signals) process.on(signal, pass);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", (error) => reject(new ScriptError(`Cannot run ${program}: ${error.message}.`)));
      child.on("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
    });
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}

/**
 * As runForCode; throws when the program did not succeed.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, stdio?: import("node:child_process").StdioOptions }} [options]
 */
export async function run(program, args, options) {
  const code = await runForCode(program, args, options);
  if (code !== 0) throw new ScriptError(`\`${[program, ...args].join(" ")}\` ended with code ${code}.`);
}

/**
 * Gives what a program prints on standard output, or undefined when it does not succeed.
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<string | undefined>}
 */
export function read(program, args) {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, PATH: path, LC_ALL: "C.UTF-8" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  return new Promise((resolve) => {
    child.on("error", () => resolve(undefined));
    child.on("close", (code) => resolve(code === 0 ? output : undefined));
  });
}

/** The command line that runs something as root: itself, or with sudo before it.
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<[string, string[]]>} */
export async function asRoot(program, args) {
  if (process.getuid?.() === 0) return [program, [...args]];
  if ((await read("sudo", ["-V"])) === undefined)
    throw new ScriptError(`\`${program}\` has to run as root: run this as root, or install sudo.`);
  // sudo's own path may lack the Node.js that runs this.
  const environment = [`PATH=${dirname(process.execPath)}:${path}`];
  const kept = Object.entries(process.env).filter(([name]) => /^(SKBSPAN_|OTEL_|HOME$|CI$|TERM$)/.test(name));
  return ["sudo", ["env", ...environment, ...kept.map(([name, value]) => `${name}=${value}`), program, ...args]];
}
