import { access } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { describeSystemError } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { Credentials } from "./api-client.js";

/** Where Kubernetes puts what a pod needs to talk to the API server. */
const TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** Whether this runs in a pod that may talk to the API server. */
export async function hasServiceAccount(environment: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  if (!environment["KUBERNETES_SERVICE_HOST"]) return false;
  return access(TOKEN_FILE).then(
    () => true,
    () => false,
  );
}

/**
 * Credentials of the file, else of the pod's service account, else of KUBECONFIG or ~/.kube/config. Kubernetes' own client reads
 * them, and renews tokens; it is imported only here, since it takes 80 MB. Throws UserError.
 */
export async function loadCredentials(kubeconfigFile: string | undefined): Promise<Credentials> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const configuration = new KubeConfig();
  try {
    if (kubeconfigFile !== undefined) configuration.loadFromFile(kubeconfigFile);
    else if (await hasServiceAccount(process.env)) configuration.loadFromCluster();
    else configuration.loadFromDefault();
  } catch (error) {
    const what = kubeconfigFile ?? "the configuration of Kubernetes";
    throw new UserError(exitCode.usage, `Cannot read ${what}: ${describeSystemError(error)}.`, {
      hint: "--kubeconfig names the file; in a pod its service account is taken.",
      cause: error,
    });
  }
  const server = configuration.getCurrentCluster()?.server;
  if (server === undefined)
    throw new UserError(exitCode.usage, `${kubeconfigFile ?? "The configuration of Kubernetes"} names no cluster.`, {
      hint: "`kubectl config current-context` shows which one is chosen.",
    });
  return { server, apply: (options: RequestOptions) => configuration.applyToHTTPSOptions(options) };
}
