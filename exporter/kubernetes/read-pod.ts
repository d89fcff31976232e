import type { Pod, PodContainer, PodOwner } from "../enrich/pod-directory.js";
import { DEFAULT_CONTAINER_ANNOTATION, RESOURCE_ANNOTATION_PREFIX } from "./pod-resource.js";
import type { ApiItem } from "./watch-objects.js";

/** A mirror pod has the kubelet's own identifier of the static pod here: its cgroup is named after it. */
export const CONFIG_HASH_ANNOTATION = "kubernetes.io/config.hash";
const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** A pod has a dozen labels; the API lets it have a hundred thousand, and every agent's memory is for all pods of its node. */
export const MAX_LABELS = 256;
export const MAX_ANNOTATIONS = 256;
const MAX_ANNOTATION_CHARACTERS = 4_096;
const MAX_CONTAINERS = 256;

/** A pod as far as the item has it; only what is of use is kept. Undefined: it is no pod. */
export function readPod({ object, columns }: ApiItem, node: string): Pod | undefined {
  const { metadata, spec, status } = object as WholePod;
  if (!metadata?.uid || !metadata.name || !metadata.namespace) return undefined;
  const labels = readMap(metadata.labels, MAX_LABELS, () => true);
  const ip = readAddress(status?.podIP ?? columns.get("IP"));
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    ...(ip === undefined ? {} : { ip }),
    node,
    labels,
    annotations: readMap(metadata.annotations, MAX_ANNOTATIONS, isUsedAnnotation),
    owners: readOwners(metadata.ownerReferences ?? [], labels),
    ...(spec ? { hostNetwork: spec.hostNetwork === true, containers: readContainers(spec, status) } : {}),
  };
}

/** The identifier in the cgroup of a static pod, which its mirror in the API has as an annotation. */
export function readStaticUid({ annotations }: Pod): string | undefined {
  const hash = annotations.get(CONFIG_HASH_ANNOTATION);
  return annotations.has(MIRROR_ANNOTATION) && /^[0-9a-f]{32}$/.test(hash ?? "") ? hash : undefined;
}

interface WholePod {
  readonly metadata?: NonNullable<ApiItem["object"]["metadata"]>;
  readonly spec?: { readonly hostNetwork?: boolean; readonly containers?: readonly Container[] };
  readonly status?: {
    readonly podIP?: string;
    readonly hostIP?: string;
    readonly containerStatuses?: readonly { readonly name: string; readonly containerID?: string }[];
  };
}

interface Container {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

function isUsedAnnotation(name: string): boolean {
  return (
    name.startsWith(RESOURCE_ANNOTATION_PREFIX) ||
    [DEFAULT_CONTAINER_ANNOTATION, CONFIG_HASH_ANNOTATION, MIRROR_ANNOTATION].includes(name)
  );
}

function readMap(
  record: Readonly<Record<string, unknown>> | undefined,
  maxEntries: number,
  isWanted: (name: string) => boolean,
): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [name, value] of Object.entries(record ?? {})) {
    if (map.size >= maxEntries) break;
    if (typeof value === "string" && isWanted(name))
      map.set(copy(name), copy(value.slice(0, MAX_ANNOTATION_CHARACTERS)));
  }
  return map;
}

/** A part of a long text keeps all of it in memory: a whole answer of the API server. */
function copy(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}

function readAddress(value: unknown): string | undefined {
  return typeof value === "string" && /^[0-9a-fA-F.:]+$/.test(value) ? value : undefined;
}

/** The owner that the pod names, and the owner's own, concluded from names: ReplicaSets and Jobs are not read for it. */
function readOwners(
  references: readonly { readonly kind: string; readonly name: string; readonly uid: string }[],
  labels: ReadonlyMap<string, string>,
): readonly PodOwner[] {
  const owners: PodOwner[] = [];
  for (const { kind, name, uid } of references.slice(0, 16)) {
    owners.push({ kind, name, uid });
    const maker = kind === "ReplicaSet" ? readDeployment(name, labels) : kind === "Job" ? readCronJob(name) : undefined;
    if (maker) owners.push(maker);
  }
  return owners;
}

/** A Deployment gives its ReplicaSet its own name, and the hash that it gives the pods as a label. */
function readDeployment(replicaSet: string, labels: ReadonlyMap<string, string>): PodOwner | undefined {
  const ending = `-${labels.get("pod-template-hash")}`;
  return replicaSet.endsWith(ending) && replicaSet.length > ending.length
    ? { kind: "Deployment", name: replicaSet.slice(0, -ending.length) }
    : undefined;
}

/** A CronJob gives its Job its own name and the minute since 1970 for which it was due: these are of 2017 to 2046. */
function readCronJob(job: string): PodOwner | undefined {
  const [, name, minute] = /^(.+)-(\d{8})$/.exec(job) ?? [];
  return name !== undefined && Number(minute) > 25_000_000 && Number(minute) < 40_000_000
    ? { kind: "CronJob", name }
    : undefined;
}

function readContainers(spec: NonNullable<WholePod["spec"]>, status: WholePod["status"]): readonly PodContainer[] {
  const ids = new Map(status?.containerStatuses?.map(({ name, containerID }) => [name, containerID]));
  return (spec.containers ?? []).slice(0, MAX_CONTAINERS).map(({ name, image, env }) => {
    const id = ids.get(name)?.replace(/^[^:]+:\/\//, "");
    const resource = readSdkResource(env ?? []);
    return {
      name,
      ...(id ? { id } : {}),
      ...(image ? { image } : {}),
      ...(resource.size > 0 ? { resource } : {}),
    };
  });
}

/** What OpenTelemetry's SDKs take from the environment, where it is written out in the pod. */
function readSdkResource(environment: NonNullable<Container["env"]>): ReadonlyMap<string, string> {
  const values = new Map(environment.map(({ name, value }) => [name, value]));
  const written = (name: string): string => {
    const value = values.get(name) ?? "";
    // $(NAME) is filled in by the kubelet, from what is not to be read here.
    return value.length > MAX_ANNOTATION_CHARACTERS || value.includes("$(") ? "" : value;
  };
  const resource = new Map<string, string>();
  for (const pair of written("OTEL_RESOURCE_ATTRIBUTES").split(",")) {
    const [key = "", value = ""] = pair.split("=", 2).map((text) => text.trim());
    if (key !== "" && value !== "") resource.set(key, decode(value));
  }
  const service = written("OTEL_SERVICE_NAME").trim();
  if (service !== "") resource.set("service.name", service);
  return resource;
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
