import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_NAMESPACE,
  ATTR_SERVICE_VERSION,
} from "@opentelemetry/semantic-conventions";
import {
  ATTR_CONTAINER_ID,
  ATTR_K8S_CONTAINER_NAME,
  ATTR_K8S_NAMESPACE_NAME,
  ATTR_K8S_NODE_NAME,
  ATTR_K8S_POD_IP,
  ATTR_K8S_POD_NAME,
  ATTR_K8S_POD_UID,
} from "@opentelemetry/semantic-conventions/incubating";
import type { Pod, PodContainer } from "../enrich/pod-directory.js";
import { cutValue } from "../map/cut-value.js";

export interface PodResourceOptions {
  /** Whether the labels app.kubernetes.io/instance, /name and /version may name the service: off in OpenTelemetry's rules. */
  readonly areLabelsUsed: boolean;
}

/** Annotations that start so are attributes: what comes after is the key. */
export const RESOURCE_ANNOTATION_PREFIX = "resource.opentelemetry.io/";
/** Names the container that matters, among several. */
export const DEFAULT_CONTAINER_ANNOTATION = "kubectl.kubernetes.io/default-container";

/** A pod's own words are its users': no more of them, and no longer ones, than a resource can bear. */
export const MAX_OWN_ATTRIBUTES = 64;
export const MAX_KEY_BYTES = 256;

/** What the API or the kernel tells is not for a pod to say of itself, but the cluster's name is nobody else's. */
const reservedKeys = /^(?:k8s\.(?!cluster\.)|container\.|host\.|netns\.|telemetry\.)/;

/** Kinds of owners that have an attribute, `k8s.KIND.name`, in the order in which one names the service. */
const ownerKinds = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "CronJob", "Job"] as const;

/**
 * Resource attributes of a pod by OpenTelemetry's rules for Kubernetes, so that a packet's spans stand under the service of the
 * application's own. What the process's environment says of its service comes first, when it is known, for the application's SDK
 * takes that; then annotations, labels if they are used, owners, the pod.
 */
export function describePodResource(pod: Pod, { areLabelsUsed }: PodResourceOptions): Readonly<Record<string, string>> {
  const container = chooseContainer(pod);
  const attributes = new Map<string, string>();
  for (const [key, value] of ownAttributes(pod, container)) attributes.set(key, value);
  const setUnlessOwn = (key: string, ...values: readonly (string | undefined)[]): void => {
    const value = values.find(Boolean);
    if (value !== undefined && !attributes.has(key)) attributes.set(key, value);
  };
  const label = (name: string) => (areLabelsUsed ? pod.labels.get(`app.kubernetes.io/${name}`) : undefined);
  setUnlessOwn(ATTR_SERVICE_NAME, label("instance"), label("name"), ownerName(pod), pod.name);
  setUnlessOwn(ATTR_SERVICE_NAMESPACE, pod.namespace);
  setUnlessOwn(ATTR_SERVICE_VERSION, label("version"), imageVersion(container?.image));
  if (container) setUnlessOwn(ATTR_SERVICE_INSTANCE_ID, `${pod.namespace}.${pod.name}.${container.name}`);
  for (const [key, value] of placeAttributes(pod, container)) if (value) attributes.set(key, value);
  // fromEntries makes properties of its own even of `__proto__`.
  return Object.fromEntries([...attributes].map(([key, value]) => [key, cutValue(value) as string]));
}

/** Where the pod is: said by the API alone. */
function placeAttributes(pod: Pod, container: PodContainer | undefined): [string, string | undefined][] {
  const owners = ownerKinds.map((kind): [string, string | undefined] => [
    `k8s.${kind.toLowerCase()}.name`,
    pod.owners.find((owner) => owner.kind === kind)?.name,
  ]);
  return [
    [ATTR_K8S_NAMESPACE_NAME, pod.namespace],
    [ATTR_K8S_POD_NAME, pod.name],
    [ATTR_K8S_POD_UID, pod.uid],
    [ATTR_K8S_POD_IP, pod.ip],
    [ATTR_K8S_NODE_NAME, pod.node],
    ...owners,
    [ATTR_K8S_CONTAINER_NAME, container?.name],
    [ATTR_CONTAINER_ID, container?.id],
  ];
}

/** What the pod's authors say themselves; what comes later holds. */
function* ownAttributes(pod: Pod, container: PodContainer | undefined): Iterable<[string, string]> {
  let count = 0;
  for (const [name, value] of [...annotatedAttributes(pod), ...(container?.resource ?? [])]) {
    const isUsable =
      name !== "" && value !== "" && Buffer.byteLength(name) <= MAX_KEY_BYTES && !reservedKeys.test(name);
    if (!isUsable || count >= MAX_OWN_ATTRIBUTES) continue;
    count++;
    yield [name, value];
  }
}

function* annotatedAttributes({ annotations }: Pod): Iterable<[string, string]> {
  for (const [name, value] of annotations)
    if (name.startsWith(RESOURCE_ANNOTATION_PREFIX)) yield [name.slice(RESOURCE_ANNOTATION_PREFIX.length), value];
}

function ownerName({ owners }: Pod): string | undefined {
  for (const kind of ownerKinds) {
    const owner = owners.find((candidate) => candidate.kind === kind);
    if (owner) return owner.name;
  }
  return undefined;
}

/** All containers of a pod share its network namespace: a packet is one's only when there is one, or when the pod says so. */
function chooseContainer({ containers = [], annotations }: Pod): PodContainer | undefined {
  const preferred = annotations.get(DEFAULT_CONTAINER_ANNOTATION);
  const [only, ...others] = containers;
  return containers.find(({ name }) => name === preferred) ?? (others.length === 0 ? only : undefined);
}

/** `tag@digest`, `digest` or `tag`. */
function imageVersion(image: string | undefined): string | undefined {
  if (image === undefined) return undefined;
  const [name = "", digest] = image.split("@", 2);
  const tag = /:([^:/]+)$/.exec(name)?.[1];
  return [tag, digest].filter(Boolean).join("@") || undefined;
}
