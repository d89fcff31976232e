import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "../../kernels/run-program.js";
import { installCluster } from "../lib/install-cluster.js";

const bin = fileURLToPath(new URL("../../../../bin", import.meta.url));

/** `kubectl skbspan` as a user runs it, with everything that it needs on the path. Gives its standard output. */
export async function runKubectlSkbspan(kubeconfig: string, argv: readonly string[]): Promise<string> {
  const { kubectl } = await installCluster(["kubectl"]);
  const path = [dirname(kubectl), bin, dirname(process.execPath), process.env["PATH"]].join(":");
  return runProgram(kubectl, ["skbspan", ...argv, "--kubeconfig", kubeconfig], { environment: { PATH: path } });
}
