import { type LabelSelector, labelsMatch } from "./parse-label-selector.js";
import type { Pod } from "./pod-directory.js";

/** What makes pods, e.g. `deployment/web`; without a kind any that is named so. */
export interface Workload {
  readonly kind?: string;
  readonly name: string;
}

/** Which pods are wanted: of each list one has to fit, of the lists all that are there. */
export interface PodSelection {
  /** `NAME`, `NAMESPACE/NAME`, or a uid. */
  readonly pods: readonly string[];
  readonly namespaces: readonly string[];
  readonly selector: LabelSelector;
  readonly workloads: readonly Workload[];
}

const UID = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})$/;

/** Whether it can be told by pods' uids alone, without what the API server says of them. */
export function needsNames({ pods, namespaces, selector, workloads }: PodSelection): boolean {
  return namespaces.length > 0 || selector.length > 0 || workloads.length > 0 || !pods.every((pod) => UID.test(pod));
}

export function selectsAll({ pods, namespaces, selector, workloads }: PodSelection): boolean {
  return pods.length === 0 && namespaces.length === 0 && selector.length === 0 && workloads.length === 0;
}

/** `uid`: of the pod's cgroup. `pod`: undefined while nothing more is known; then only a uid can fit. */
export function isPodSelected(selection: PodSelection, uid: string, pod: Pod | undefined): boolean {
  const { pods, namespaces, selector, workloads } = selection;
  if (pods.length > 0 && !pods.some((wanted) => isNamed(wanted, uid, pod))) return false;
  if (!pod) return !needsNames(selection);
  if (namespaces.length > 0 && !namespaces.includes(pod.namespace)) return false;
  if (!labelsMatch(selector, pod.labels)) return false;
  return workloads.length === 0 || workloads.some((workload) => isOf(workload, pod));
}

function isNamed(wanted: string, uid: string, pod: Pod | undefined): boolean {
  if (wanted === uid) return true;
  return pod !== undefined && [pod.uid, pod.name, `${pod.namespace}/${pod.name}`].includes(wanted);
}

function isOf({ kind, name }: Workload, pod: Pod): boolean {
  return pod.owners.some((owner) => owner.name === name && (kind === undefined || owner.kind.toLowerCase() === kind));
}
