import type { PodSelection } from "../enrich/select-pod.js";
import type { Config } from "./options.js";

/** The pods that the user wants packets of. */
export function readPodSelection({ pods, podNamespaces, podSelector, workloads }: Config): PodSelection {
  return { pods, namespaces: podNamespaces, selector: podSelector, workloads };
}
