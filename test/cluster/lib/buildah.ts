import { rm } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../../kernels/run-program.js";

/** A builder of images, with its storage in a folder of its own. */
export interface Buildah {
  run(...args: readonly string[]): Promise<string>;
  /** Unmounts and removes what it stored. */
  remove(): Promise<void>;
}

/** Builds take minutes on a busy machine. */
const TIMEOUT_MS = 40 * 60_000;

export function createBuildah(folder: string): Buildah {
  const [root, runRoot] = [join(folder, "storage"), join(folder, "run")];
  const storage = ["--root", root, "--runroot", runRoot, "--storage-driver", "overlay"];
  const run = (...args: readonly string[]) =>
    runProgram("buildah", [...storage, ...args], { timeoutMs: TIMEOUT_MS, environment: { TMPDIR: folder } });
  return {
    run,
    async remove() {
      await run("rm", "--all").catch(() => "");
      // The storage driver binds its own folder.
      await runProgram("umount", ["--lazy", join(root, "overlay")]).catch(() => "");
      await rm(root, { recursive: true, force: true });
      await rm(runRoot, { recursive: true, force: true });
    },
  };
}
