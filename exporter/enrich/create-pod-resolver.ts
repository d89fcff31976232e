import { ATTR_SERVICE_NAME } from "@opentelemetry/semantic-conventions";
import {
  ATTR_CONTAINER_ID,
  ATTR_K8S_NODE_NAME,
  ATTR_K8S_POD_UID,
} from "@opentelemetry/semantic-conventions/incubating";
import type { Frame, InventoryMethod, MemberFrame } from "../decode/frame.js";
import { type Identity, type IdentityResolver, type Namespace, namespaceKey } from "./identity.js";
import { type CgroupOwner, parseCgroupPath } from "./parse-cgroup-path.js";
import type { Pod, PodDirectory } from "./pod-directory.js";

export interface PodResolverOptions {
  /** Undefined: names are not known here, and a pod is known by its uid alone. */
  readonly directory?: PodDirectory;
  /** The node's name in Kubernetes. */
  readonly nodeName?: string;
  /** Resource attributes of a pod, as OpenTelemetry's rules name it. */
  readonly describePod: (pod: Pod) => Readonly<Record<string, string>>;
}

/** A network namespace that is a pod's own. */
export interface PodNamespace {
  readonly key: bigint;
  readonly uid: string;
  /** What the directory says; undefined: nothing, or nothing yet. */
  readonly pod: Pod | undefined;
}

export interface PodResolverStats {
  /** Undefined: the tracer has not told yet. */
  readonly method: InventoryMethod | undefined;
  readonly isLive: boolean;
  /** Namespaces with processes that are known now, and those of them that are a pod's. */
  readonly namespaces: number;
  readonly podNamespaces: number;
  /** Namespaces that more than one pod is at home in: they are nobody's. */
  readonly disputedNamespaces: number;
  /** Of the tracer, see WIRE_FRAME_INVENTORY. */
  readonly lostReports: number;
}

/** From network namespaces to pods, by the cgroups of the processes in them. */
export interface PodResolver extends IdentityResolver {
  apply(frame: Frame): void;
  /** Whether the owner may be known in a moment. Always the same answer for a namespace that was given up, until more is known of it. */
  isPending(namespace: Pick<Namespace, "cookie" | "inode">): boolean;
  /** It has been waited for long enough. */
  giveUp(namespace: Pick<Namespace, "cookie" | "inode">): void;
  /** False as long as there is no sign of pods here: nothing is worth waiting for. */
  readonly expectsPods: boolean;
  podNamespaces(): Iterable<PodNamespace>;
  /** Undefined: it is no pod's. */
  podNamespace(key: bigint): PodNamespace | undefined;
  stats(): PodResolverStats;
}

export function createPodResolver(options: PodResolverOptions): PodResolver {
  return new Resolver(options);
}

/** Late packets of what is gone still find their owner: it is forgotten after a while, and not before there is need for the room. */
const REMEMBER_GONE_NS = 60_000_000_000n;
const MAX_NAMESPACES = 65_536;
/** A namespace that has had processes for so long, and none of a pod, is not one that a runtime is making ready for a pod. */
const SETTLED_AFTER_NS = 10_000_000_000n;

/** A pod's processes in one namespace. */
interface Presence {
  startNs: bigint;
  /** Members that are not gone, by name and cgroup. */
  readonly live: Map<string, CgroupOwner>;
}

interface NamespaceRecord {
  readonly key: bigint;
  isNode: boolean;
  /** Members that are no pod's. */
  readonly others: Map<string, bigint>;
  readonly pods: Map<string, Presence>;
  /** The pod that was found to own it. Once found it stays, though its processes go. */
  owner: string | undefined;
  isDisputed: boolean;
  goneNs: bigint | undefined;
}

class Resolver implements PodResolver {
  private readonly namespaces = new Map<bigint, NamespaceRecord>();
  /** In which namespaces a pod's processes are. */
  private readonly presences = new Map<string, Map<bigint, Presence>>();
  private readonly givenUp = new Set<bigint>();
  private readonly listeners: ((key: bigint | undefined) => void)[] = [];
  private readonly identities = new Map<string, { readonly pod: Pod | undefined; readonly identity: Identity }>();
  private readonly directory: PodDirectory | undefined;
  private method: InventoryMethod | undefined;
  private isLive = false;
  private lostReports = 0;
  private hasSeenPods = false;
  private nowNs = 0n;

  constructor(private readonly options: PodResolverOptions) {
    this.directory = options.directory;
    this.directory?.onChange((uid) => this.onDirectoryChange(uid));
  }

  get expectsPods(): boolean {
    return this.method !== undefined && this.method !== "none" && (this.hasSeenPods || this.directory !== undefined);
  }

  apply(frame: Frame): void {
    if (frame.type === "member") {
      if (frame.isGone) this.removeMember(frame);
      else this.addMember(frame);
    } else if (frame.type === "inventory") {
      const hasChanged = this.method !== frame.method;
      this.method = frame.method;
      this.isLive = frame.isLive;
      this.lostReports = frame.lost;
      this.nowNs = frame.endMonotonicNs;
      if (hasChanged) this.tell(undefined);
    } else if (frame.type === "clock") {
      this.nowNs = frame.monotonicNs;
    }
  }

  identify(namespace: Namespace): Identity | "node" | undefined {
    const record = this.namespaces.get(namespaceKey(namespace));
    if (!record) return undefined;
    if (record.isNode) return "node";
    return record.owner === undefined ? undefined : this.identityOf(record.owner, record);
  }

  nodeAttributes(): Readonly<Record<string, string>> {
    const { nodeName } = this.options;
    return nodeName === undefined ? {} : { [ATTR_K8S_NODE_NAME]: nodeName };
  }

  onChange(listener: (key: bigint | undefined) => void): void {
    this.listeners.push(listener);
  }

  isPending(namespace: Pick<Namespace, "cookie" | "inode">): boolean {
    const key = namespaceKey(namespace);
    if (key === 0n || !this.expectsPods || this.givenUp.has(key)) return false;
    const record = this.namespaces.get(key);
    if (!record) return true;
    if (record.isNode || record.isDisputed) return false;
    if (record.owner !== undefined) return this.directory?.lookup(record.owner) === "pending";
    return !this.isSettled(record);
  }

  giveUp(namespace: Pick<Namespace, "cookie" | "inode">): void {
    if (this.givenUp.size >= MAX_NAMESPACES) this.givenUp.clear();
    this.givenUp.add(namespaceKey(namespace));
  }

  *podNamespaces(): Iterable<PodNamespace> {
    for (const key of this.namespaces.keys()) {
      const namespace = this.podNamespace(key);
      if (namespace) yield namespace;
    }
  }

  podNamespace(key: bigint): PodNamespace | undefined {
    const owner = this.namespaces.get(key)?.owner;
    return owner === undefined ? undefined : { key, uid: owner, pod: this.podOf(owner) };
  }

  stats(): PodResolverStats {
    let podNamespaces = 0;
    let disputedNamespaces = 0;
    for (const { owner, isDisputed } of this.namespaces.values()) {
      if (owner !== undefined) podNamespaces++;
      if (isDisputed) disputedNamespaces++;
    }
    const { method, isLive, lostReports } = this;
    return { method, isLive, namespaces: this.namespaces.size, podNamespaces, disputedNamespaces, lostReports };
  }

  // ---- members

  private addMember(frame: MemberFrame): void {
    const record = this.recordOf(frame);
    const owner = parseCgroupPath(frame.cgroupPath) ?? parseCgroupPath(frame.cgroupV1Path);
    const member = memberKey(frame);
    record.goneNs = undefined;
    if (owner) {
      this.hasSeenPods = true;
      const presence = this.presenceOf(owner.podUid, record);
      if (frame.startMonotonicNs < presence.startNs) presence.startNs = frame.startMonotonicNs;
      presence.live.set(member, owner);
    } else {
      record.others.set(member, frame.startMonotonicNs);
    }
    // Under kind and the like the node is a container: its kubelet tells which namespace is the node's, as the kernel's first does.
    if (frame.isNode || (!owner && frame.processName === "kubelet")) record.isNode = true;
    this.givenUp.delete(record.key);
    this.settle(record, owner?.podUid);
  }

  private removeMember(frame: MemberFrame): void {
    const record = this.namespaces.get(keyOf(frame));
    if (!record) return;
    const member = memberKey(frame);
    record.others.delete(member);
    let pod: string | undefined;
    for (const [uid, presence] of record.pods) if (presence.live.delete(member)) pod = uid;
    if (record.others.size === 0 && [...record.pods.values()].every(({ live }) => live.size === 0))
      record.goneNs = frame.observedMonotonicNs;
    this.settle(record, pod);
  }

  private recordOf(frame: MemberFrame): NamespaceRecord {
    const key = keyOf(frame);
    const known = this.namespaces.get(key);
    if (known) return known;
    if (this.namespaces.size >= MAX_NAMESPACES) this.forgetGone(frame.observedMonotonicNs);
    const record: NamespaceRecord = {
      key,
      isNode: false,
      others: new Map(),
      pods: new Map(),
      owner: undefined,
      isDisputed: false,
      goneNs: undefined,
    };
    this.namespaces.set(key, record);
    return record;
  }

  private presenceOf(uid: string, record: NamespaceRecord): Presence {
    const known = record.pods.get(uid);
    if (known) return known;
    const presence: Presence = { startNs: 2n ** 64n, live: new Map() };
    record.pods.set(uid, presence);
    const places = this.presences.get(uid);
    if (places) places.set(record.key, presence);
    else this.presences.set(uid, new Map([[record.key, presence]]));
    return presence;
  }

  private forgetGone(nowNs: bigint): void {
    for (const record of this.namespaces.values())
      if (record.goneNs !== undefined && nowNs - record.goneNs >= REMEMBER_GONE_NS) this.forget(record);
    // All of them alive or just gone: the oldest make room, and are told of again when the tracer sees them anew.
    for (const record of this.namespaces.values()) {
      if (this.namespaces.size < MAX_NAMESPACES) return;
      if (!record.isNode) this.forget(record);
    }
  }

  private forget(record: NamespaceRecord): void {
    this.namespaces.delete(record.key);
    for (const uid of record.pods.keys()) {
      const places = this.presences.get(uid);
      places?.delete(record.key);
      if (places?.size === 0) this.presences.delete(uid);
    }
    this.tell(record.key);
  }

  // ---- owners

  /** Decides anew for a namespace, and for the others that the pod is in: where it is at home depends on all of them. */
  private settle(record: NamespaceRecord, uid: string | undefined): void {
    this.decide(record);
    if (uid === undefined) return;
    for (const key of this.presences.get(uid)?.keys() ?? []) {
      const other = this.namespaces.get(key);
      if (other && other !== record) this.decide(other);
    }
  }

  private decide(record: NamespaceRecord): void {
    const before = record.owner;
    const wasDisputed = record.isDisputed;
    const atHome = [...record.pods].filter(([uid, { live }]) => live.size > 0 && this.isAtHome(uid, record));
    const owners = new Set(atHome.map(([uid]) => uid));
    // A namespace cannot be handed on, so the first owner counts as well, though its processes be gone.
    if (before !== undefined && owners.size > 0) owners.add(before);
    record.isDisputed = !record.isNode && owners.size > 1;
    const [owner] = owners;
    if (record.isNode || record.isDisputed) record.owner = undefined;
    else if (owner !== undefined) record.owner = owner;
    else if (before !== undefined && record.pods.get(before)?.live.size) record.owner = undefined;
    if (record.owner !== before || record.isDisputed !== wasDisputed) this.tell(record.key);
    else if (record.owner !== undefined) this.tell(record.key); // its containers may be others
  }

  /**
   * A pod is at home where it has been longest. Programs of pods visit other pods' namespaces, above all plugins of the network,
   * which a runtime calls before the pod has a process of its own; and those have a home elsewhere, mostly the node's namespace.
   */
  private isAtHome(uid: string, record: NamespaceRecord): boolean {
    const here = record.pods.get(uid);
    if (!here) return false;
    const pod = this.podOf(uid);
    if (pod?.hostNetwork === true) return false;
    for (const [key, there] of this.presences.get(uid) ?? []) {
      if (key === record.key || there.startNs >= here.startNs) continue;
      if (this.namespaces.get(key)?.isNode && pod?.hostNetwork === false) continue;
      // What a runtime keeps beside a container (conmon, shims) is in the pod's cgroup and in the node's namespace.
      if ([...there.live.values()].some(({ containerId }) => containerId !== undefined)) return false;
    }
    return true;
  }

  private isSettled(record: NamespaceRecord): boolean {
    for (const startNs of record.others.values()) if (this.nowNs - startNs >= SETTLED_AFTER_NS) return true;
    return false;
  }

  // ---- identities

  private podOf(uid: string): Pod | undefined {
    const pod = this.directory?.lookup(uid);
    return pod === "pending" ? undefined : pod;
  }

  private identityOf(uid: string, record: NamespaceRecord): Identity {
    const pod = this.podOf(uid);
    const containerId = pod ? "" : onlyContainer(record.pods.get(uid));
    const cacheKey = `${uid} ${containerId}`;
    const known = this.identities.get(cacheKey);
    if (known && known.pod === pod) return known.identity;
    const identity = pod ? this.describe(pod) : describeUid(uid, containerId);
    if (this.identities.size >= MAX_NAMESPACES) this.identities.clear();
    this.identities.set(cacheKey, { pod, identity });
    return identity;
  }

  private describe(pod: Pod): Identity {
    return { kind: "pod", label: `${pod.namespace}/${pod.name}`, attributes: this.options.describePod(pod) };
  }

  private onDirectoryChange(uid: string | undefined): void {
    if (uid === undefined) {
      this.givenUp.clear();
      for (const record of this.namespaces.values()) this.decide(record);
      this.tell(undefined);
      return;
    }
    for (const key of this.presences.get(uid)?.keys() ?? []) {
      const record = this.namespaces.get(key);
      if (!record) continue;
      this.givenUp.delete(key);
      this.decide(record);
      this.tell(key);
    }
  }

  private tell(key: bigint | undefined): void {
    for (const listener of this.listeners) listener(key);
  }
}

function keyOf({ netnsCookie, netnsInode }: MemberFrame): bigint {
  return namespaceKey({ cookie: netnsCookie, inode: netnsInode });
}

function memberKey({ cgroupId, cgroupV1Id, processName }: MemberFrame): string {
  return `${cgroupId} ${cgroupV1Id} ${processName}`;
}

/** The program that holds a pod's namespaces has a container of its own, but is nobody's application. */
const PAUSE = /(?:^| )pause$/;

/** The container's id when there is one, empty when there are several or none. */
function onlyContainer(presence: Presence | undefined): string {
  const ids = new Set<string>();
  const paused = new Set<string>();
  for (const [member, { containerId }] of presence?.live ?? []) {
    if (containerId === undefined) continue;
    ids.add(containerId);
    if (PAUSE.test(member)) paused.add(containerId);
  }
  for (const id of paused) ids.delete(id);
  const [first] = ids;
  return ids.size === 1 && first !== undefined ? first : "";
}

function describeUid(uid: string, containerId: string): Identity {
  return {
    kind: "pod",
    label: `pod ${uid.slice(0, 8)}`,
    attributes: {
      [ATTR_SERVICE_NAME]: "unknown-pod",
      [ATTR_K8S_POD_UID]: uid,
      ...(containerId === "" ? {} : { [ATTR_CONTAINER_ID]: containerId }),
    },
  };
}
