import { createHash } from "node:crypto";
import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "../../kernels/run-program.js";
import { findGo } from "./find-go.js";
import { fromProgramCache, inTemporaryFolder, isInProgramCache } from "./program-cache.js";

export interface GoProgram {
  readonly name: string;
  readonly version: string;
  /** A folder with go.mod and go.sum, which pin every module. */
  readonly source: string;
  /** Run before the build, in a copy of the folder: arguments of go. */
  readonly prepare?: readonly string[];
  /** What is built: a package. */
  readonly package: string;
  /** Values of variables of its packages that its own build sets, such as its version. */
  readonly variables?: Readonly<Record<string, string>>;
}

const BUILD_TIMEOUT_MS = 60 * 60_000;
/** Raise it when the commands below change what comes out. */
const RECIPE = "1";

const programsDirectory = fileURLToPath(new URL("../../../../test/backends/programs", import.meta.url));

export const collectorProgram: GoProgram = {
  name: "otelcol",
  version: "0.155.0",
  source: join(programsDirectory, "collector"),
  // It only writes the sources: the modules it would fetch include some that only their tests need.
  prepare: [
    ...["run", "go.opentelemetry.io/collector/cmd/builder@v0.155.0"],
    ...["--config", "builder.yaml", "--skip-compilation", "--skip-get-modules"],
  ],
  package: ".",
};

export const jaegerProgram: GoProgram = {
  name: "jaeger",
  version: "2.13.0",
  source: join(programsDirectory, "jaeger"),
  package: "github.com/jaegertracing/jaeger/cmd/jaeger",
};

/**
 * Builds what is not in the cache, one after the other, and gives where each program is. Modules and Go's build cache are
 * in the cache only while it builds: they are twenty times as large as the programs.
 */
export async function buildGoPrograms(
  programs: readonly GoProgram[],
  onProgress: (text: string) => void = () => {},
): Promise<string[]> {
  const places = await Promise.all(programs.map(placeOf));
  const areThere = await Promise.all(places.map(isInProgramCache));
  if (areThere.includes(false)) {
    const go = await findGo(onProgress);
    await inTemporaryFolder(async (workspace) => {
      for (const program of programs)
        await fromProgramCache(await placeOf(program), (result) =>
          build({ go, program, workspace, result, onProgress }),
        );
    });
  }
  return Promise.all(
    programs.map(async ({ name }, index) => join(await fromProgramCache(places[index] ?? "", neverMade), name)),
  );
}

/** Whether it is in the cache: it takes minutes to build. */
export async function isBuilt(program: GoProgram): Promise<boolean> {
  return isInProgramCache(await placeOf(program));
}

interface Build {
  readonly go: string;
  readonly program: GoProgram;
  readonly workspace: string;
  readonly result: string;
  readonly onProgress: (text: string) => void;
}

async function build({ go, program, workspace, result, onProgress }: Build): Promise<void> {
  onProgress(`building ${program.name} ${program.version} from its Go modules (minutes, once) ...`);
  const cwd = join(workspace, program.name);
  await cp(program.source, cwd, { recursive: true });
  const environment = {
    GOMODCACHE: join(workspace, "modules"),
    GOCACHE: join(workspace, "build"),
    // A plain module cache cannot be deleted; a build of ours is no commit of a repository.
    GOFLAGS: "-modcacherw -buildvcs=false",
    GOTOOLCHAIN: "local",
    CGO_ENABLED: "0",
  };
  const run = (args: readonly string[]) => runProgram(go, args, { cwd, environment, timeoutMs: BUILD_TIMEOUT_MS });
  if (program.prepare) await run(program.prepare);
  const output = join(result, program.name);
  const variables = Object.entries(program.variables ?? {}).map(([name, value]) => ` -X ${name}=${value}`);
  await run([
    "build",
    "-mod=readonly",
    "-trimpath",
    `-ldflags=-s -w${variables.join("")}`,
    "-o",
    output,
    program.package,
  ]);
}

/** The folder in the cache: another one for every other input. */
async function placeOf({ name, version, source, variables }: GoProgram): Promise<string> {
  const hash = createHash("sha256").update(RECIPE);
  if (variables) hash.update(JSON.stringify(variables));
  for (const file of (await readdir(source)).sort()) hash.update(file).update(await readFile(join(source, file)));
  return `${name}-${version}-${process.arch}-${hash.digest("hex").slice(0, 12)}`;
}

function neverMade(): Promise<void> {
  throw new Error("The program has just been built and is gone again: does somebody clear the cache?");
}
