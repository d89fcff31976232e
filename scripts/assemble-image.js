import { chmod, cp, mkdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { read, root } from "./lib/run.js";
import { runScript, ScriptError, say } from "./lib/say.js";

const app = [
  "bin/skbspan.js",
  "package.json",
  "node_modules",
  "dist/exporter",
  "build/skbspan-tracer",
  "LICENSE",
  "bpf/LICENSE-GPL-2.0",
];

/** Nothing reads these while the agent runs: types, tests, source maps and texts, half of all packages' bytes. */
const needless = /\.(ts|[cm]ts|map|md|test\.js)$|\/node_modules\/(@types|\.bin|\.cache)(\/|$)/;

/** As far as an agent needs them: names are looked up in files, then by DNS. */
const files = {
  "etc/passwd": "root:x:0:0:root:/:/nonexistent\nnonroot:x:65532:65532:nonroot:/:/nonexistent\n",
  "etc/group": "root:x:0:\nnonroot:x:65532:\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
};

// node scripts/assemble-image.js FOLDER: what the agent needs to run, as the root of an image. Used by the Dockerfile, after a build.
await runScript(async () => {
  const [target] = process.argv.slice(2);
  if (target === undefined) throw new ScriptError("Name the folder that the image's files go to.");
  await rm(target, { recursive: true, force: true });
  const filter = (/** @type {string} */ path) => !needless.test(path) || isLicence(path);
  for (const path of app) await cp(join(root, path), join(target, "app", path), { recursive: true, filter });
  for (const [path, text] of Object.entries(files)) await put(join(target, path), text);
  await addProgram(target, process.execPath, "usr/local/bin/node");
  // For the first line of bin/skbspan.js.
  await addProgram(target, "/usr/bin/env", "usr/bin/env");
  for (const library of await listLibraries(join(root, "build/skbspan-tracer"))) await addFile(target, library);
  await symlink("/app/bin/skbspan.js", join(target, "usr/local/bin/skbspan"));
  await mkdir(join(target, "tmp"));
  await chmod(join(target, "tmp"), 0o1777);
});

/** @param {string} path */
function isLicence(path) {
  return /\/(licen[cs]e|notice|copying|copyright)[^/]*$/i.test(path);
}

/** @param {string} path @param {string} text */
async function put(path, text) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** A program and the libraries that it is linked with. @param {string} target @param {string} program @param {string} place */
async function addProgram(target, program, place) {
  await mkdir(dirname(join(target, place)), { recursive: true });
  await cp(await realpath(program), join(target, place));
  for (const library of await listLibraries(program)) await addFile(target, library);
}

/** Where the loader looks for it: at the same path. @param {string} target @param {string} path */
async function addFile(target, path) {
  await mkdir(dirname(join(target, path)), { recursive: true });
  await cp(await realpath(path), join(target, path));
  await addCopyright(target, path);
}

/** A licence travels with what it is of. @param {string} target @param {string} path */
async function addCopyright(target, path) {
  // The package may list the file as it was before /lib became a link to /usr/lib.
  const names = [path, await realpath(path), path.replace(/^\/usr/, ""), (await realpath(path)).replace(/^\/usr/, "")];
  for (const name of names) {
    const owner = (await read("dpkg-query", ["-S", name]))?.split(":")[0];
    if (owner === undefined) continue;
    const text = await readFile(`/usr/share/doc/${owner}/copyright`, "utf8").catch(() => undefined);
    if (text !== undefined) return put(join(target, `usr/share/doc/${owner}/copyright`), text);
  }
  say(`no copyright file for ${path}`);
}

/** What the loader finds for a program, itself included. @param {string} program */
async function listLibraries(program) {
  const text = await read("ldd", [program]);
  if (text === undefined) throw new ScriptError(`\`ldd ${program}\` does not say which libraries it needs.`);
  if (/not found/.test(text)) throw new ScriptError(`${program} lacks libraries:\n${text}`);
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
}
