import { fileURLToPath } from "node:url";
import { buildGoPrograms, type GoProgram } from "../../backends/lib/go-programs.js";

const helm: GoProgram = {
  name: "helm",
  version: "4.3.1",
  source: fileURLToPath(new URL("../../../../test/cluster/programs/helm", import.meta.url)),
  package: "helm.sh/helm/v4/cmd/helm",
};

/** Gives Helm from the cache, or builds it: a minute or two of two cores. */
export async function installHelm(onProgress: (text: string) => void = () => {}): Promise<string> {
  const [path = ""] = await buildGoPrograms([helm], onProgress);
  return path;
}
