import type { Config } from "../config/options.js";
import { nodeNameType } from "../config/value-type.js";
import type { FarEnd, FarEnds } from "../enrich/far-end.js";
import type { Pod } from "../enrich/pod-directory.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import { type ApiClient, createApiClient } from "./api-client.js";
import { type AddressBookStats, createAddressBook } from "./create-address-book.js";
import { createPodDirectory, type WatchedPodDirectory } from "./create-pod-directory.js";
import { hasServiceAccount, loadCredentials } from "./load-credentials.js";
import type { WatchHealth } from "./watch-objects.js";

/** The API server, as far as this agent asks it. */
export interface Kubernetes {
  readonly node: string;
  readonly client: ApiClient;
  readonly directory: WatchedPodDirectory;
  readonly farEnds: FarEnds;
  /** Of what is watched besides this node's pods; empty when nothing is. */
  farEndStats(): ReadonlyMap<string, AddressBookStats>;
  close(): Promise<void>;
}

export interface KubernetesOptions {
  readonly config: Pick<Config, "kubernetes" | "nodeName" | "kubeconfigFile" | "areWholePodsRead" | "farEnds">;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly say: (text: string) => void;
  readonly warn: (text: string) => void;
}

/**
 * Begins to follow this node's pods; undefined when Kubernetes is not wanted, or not there. It does not wait for the API server,
 * which may be away. Throws UserError when it is told to do what cannot be done.
 */
export async function openKubernetes(options: KubernetesOptions): Promise<Kubernetes | undefined> {
  const { config, environment } = options;
  if (config.kubernetes === "off") return undefined;
  const isWanted = config.kubernetes === "on" || config.kubeconfigFile !== undefined;
  if (!isWanted && !(await hasServiceAccount(environment))) return undefined;
  const node = config.nodeName ?? readNodeName(environment["NODE_NAME"]);
  if (node === undefined) {
    if (isWanted)
      throw new UserError(exitCode.usage, "Which of the cluster's nodes this is, is not known.", {
        hint: "--node-name or the variable NODE_NAME says it; in a pod set that from the field spec.nodeName.",
      });
    options.warn("pods are not named: NODE_NAME does not say which node this is (--kubernetes off is silent about it)");
    return undefined;
  }
  const client = createApiClient(await loadCredentials(config.kubeconfigFile));
  const directory = createPodDirectory({
    client,
    node,
    areWholePodsRead: config.areWholePodsRead,
    nodeAddresses: (environment["HOST_IP"] ?? "").split(",").filter(Boolean),
    onHealth: (health) => tellHealth(health, `${client.server} about the pods of ${node}`, "pods", options),
  });
  const book =
    config.farEnds === "node"
      ? undefined
      : createAddressBook({
          client,
          extent: config.farEnds,
          onHealth: (what, health) => tellHealth(health, `${client.server} about the cluster's ${what}`, what, options),
        });
  return {
    node,
    client,
    directory,
    farEnds: { find: (address, port) => nameOf(directory.findByAddress(address)) ?? book?.find(address, port) },
    farEndStats: () => book?.stats() ?? new Map(),
    async close() {
      await Promise.all([directory.close(), book?.close()]);
    },
  };
}

function nameOf(pod: Pod | undefined): FarEnd | undefined {
  return pod && { namespace: pod.namespace, pod: pod.name };
}

function readNodeName(text: string | undefined): string | undefined {
  if (!text) return undefined;
  const parsed = nodeNameType.parse(text);
  if ("rule" in parsed) throw new UserError(exitCode.usage, `NODE_NAME ${parsed.rule}.`);
  return parsed.value;
}

function tellHealth(
  { state, reason, isRefused }: WatchHealth,
  what: string,
  resource: string,
  { say, warn }: KubernetesOptions,
): void {
  if (state === "reading") return say(`skbspan: reading ${what}`);
  const hint = isRefused ? `; its role needs list and watch of ${resource}` : "";
  warn(`cannot read ${what}, those that it has not told of yet stay unnamed: ${reason}${hint}`);
}
