import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromProgramCache, inTemporaryFolder } from "../../backends/lib/program-cache.js";
import { runProgram } from "../../kernels/run-program.js";
import { makeBaseImage } from "./make-base-image.js";

export const AGENT_IMAGE = "localhost/skbspan:test";

const checkout = fileURLToPath(new URL("../../../../", import.meta.url));
const BASE = "localhost/skbspan-test-base:latest";
/** What the build reads, as in .dockerignore. */
const CONTEXT = ["Dockerfile", ".dockerignore", "package.json", "package-lock.json", "tsconfig.json"];
const CONTEXT_FOLDERS = ["bin", "bpf", "exporter", "scripts"];
const PREFIX = "agent-image-";
const TIMEOUT_MS = 40 * 60_000;
const KEPT_MS = 6 * 3_600_000;

/**
 * The image of this checkout's Dockerfile as a docker archive, built with buildah unless it is in the cache. The base image is
 * the test's own; all else is as for a user.
 */
export async function buildImage(onProgress: (text: string) => void = () => {}): Promise<string> {
  const base = await makeBaseImage(onProgress);
  const directory = await fromProgramCache(`${PREFIX}${process.arch}-${await hashContext()}`, async (result) => {
    onProgress("building the agent's image from the Dockerfile (minutes) ...");
    await inTemporaryFolder((folder) => build(folder, base, join(result, "image.tar")));
  });
  await removeOlder(directory);
  return join(directory, "image.tar");
}

/** Debian with Node.js as an image, then the Dockerfile. The isolation of an OCI runtime would leave a bridge and firewall rules behind. */
const SCRIPT = `set -eu
run() { buildah --root "$FOLDER/storage" --runroot "$FOLDER/run" --storage-driver overlay "$@"; }
container=$(run from scratch)
run add "$container" "$BASE_ROOT" /
run config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
run commit --rm "$container" "$BASE"
run bud --isolation chroot --pull-never --build-arg "NODE_IMAGE=$BASE" -t "$NAME" -f "$CHECKOUT/Dockerfile" "$CHECKOUT"
run push "$NAME" "docker-archive:$ARCHIVE:$NAME"
`;

/** In namespaces of its own: what it mounts and starts is gone when it ends, however it does. */
async function build(folder: string, base: string, archive: string): Promise<void> {
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
  await runProgram("setpriv", ["--pdeathsig", "KILL", "unshare", ...namespaces, "sh", "-c", SCRIPT], {
    timeoutMs: TIMEOUT_MS,
    environment: {
      ...{ FOLDER: folder, TMPDIR: folder, BASE_ROOT: base, BASE, NAME: AGENT_IMAGE, CHECKOUT: checkout },
      ARCHIVE: archive,
    },
  });
}

async function hashContext(): Promise<string> {
  const hash = createHash("sha256");
  const files = await Promise.all(
    CONTEXT_FOLDERS.map(async (folder) => {
      const entries = await readdir(join(checkout, folder), { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    }),
  );
  for (const file of [...CONTEXT.map((name) => join(checkout, name)), ...files.flat().sort()])
    hash.update(file.slice(checkout.length)).update(await readFile(file));
  return hash.digest("hex").slice(0, 12);
}

/** Every change makes another one; those that nobody can be using any more go. */
async function removeOlder(directory: string): Promise<void> {
  const parent = dirname(directory);
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const changedMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (name.startsWith(PREFIX) && path !== directory && Date.now() - changedMs > KEPT_MS)
      await rm(path, { recursive: true, force: true });
  }
}
