import type { Pod, PodDirectory } from "../enrich/pod-directory.js";
import type { ApiClient } from "./api-client.js";
import { readPod, readStaticUid } from "./read-pod.js";
import {
  type ApiItem,
  createWatchCounts,
  type WatchCounts,
  type WatchHealth,
  type WatchListener,
  type WatchTiming,
  watchObjects,
} from "./watch-objects.js";

export interface PodDirectoryOptions {
  readonly client: ApiClient;
  readonly node: string;
  /** Whether whole pods are read, with their containers: their specifications may tell secrets, so metadata is the default. */
  readonly areWholePodsRead?: boolean;
  /** Addresses that are the node's, and with that of all pods without a network namespace of their own. */
  readonly nodeAddresses?: readonly string[];
  readonly onHealth?: (health: WatchHealth) => void;
  readonly timing?: WatchTiming;
}

export interface PodDirectoryStats extends Readonly<WatchCounts> {
  readonly health: WatchHealth;
  readonly pods: number;
  /** Not taken in: more than a node can have. */
  readonly podsLeftOut: number;
}

export interface WatchedPodDirectory extends PodDirectory {
  /** The pod that has the address. Undefined: none that is known, or several, as the node's own address. */
  findByAddress(address: string): Pod | undefined;
  stats(): PodDirectoryStats;
  close(): Promise<void>;
}

/** A node has 110 pods by default, and 500 in large installations. */
const MAX_PODS = 4_096;
const KEEP_DEAD_MS = 60_000;
const MAX_DEAD = 1_024;
/** A pod's first packet may be here before the API server tells of it. */
const PENDING_MS = 5_000;
const MAX_PENDING = 4_096;

/** Follows the pods of one node: one list, one watch, of metadata. It begins at once and works as far as the API server lets it. */
export function createPodDirectory(options: PodDirectoryOptions): WatchedPodDirectory {
  return new Directory(options);
}

class Directory implements WatchedPodDirectory, WatchListener {
  private readonly counts = createWatchCounts();
  private readonly byUid = new Map<string, Pod>();
  private readonly byStaticUid = new Map<string, Set<Pod>>();
  private readonly byAddress = new Map<string, Set<Pod>>();
  private readonly dead = new Map<string, { pod: Pod; untilMs: number }>();
  private readonly askedAtMs = new Map<string, number>();
  private readonly listeners = new Set<(uid?: string) => void>();
  private readonly nodeAddresses: ReadonlySet<string>;
  private readonly stopping = new AbortController();
  private readonly watching: Promise<void>;
  private readonly now: () => number;
  private health: WatchHealth = { state: "starting", isRefused: false };
  private podsLeftOut = 0;

  constructor(private readonly options: PodDirectoryOptions) {
    this.nodeAddresses = new Set(options.nodeAddresses);
    this.now = options.timing?.now ?? (() => performance.now());
    this.watching = watchObjects(
      {
        client: options.client,
        path: "/api/v1/pods",
        // A pod that has ended has no network namespace, and its address may be another's already.
        query: { fieldSelector: `spec.nodeName=${options.node},status.phase!=Succeeded,status.phase!=Failed` },
        form: options.areWholePodsRead ? "whole" : "table",
        listener: this,
        signal: this.stopping.signal,
        ...(options.timing ? { timing: options.timing } : {}),
      },
      this.counts,
    );
  }

  lookup(uid: string): Pod | "pending" | undefined {
    const known = this.byUid.get(uid) ?? only(this.byStaticUid.get(uid)) ?? this.lookUpDead(uid);
    if (known) return known;
    if (this.health.state === "starting") return "pending";
    return this.health.state === "reading" && this.isNew(uid) ? "pending" : undefined;
  }

  pods(): Iterable<Pod> {
    return this.byUid.values();
  }

  findByAddress(address: string): Pod | undefined {
    if (this.nodeAddresses.has(address)) return undefined;
    const pod = only(this.byAddress.get(address));
    return pod?.hostNetwork ? undefined : pod;
  }

  onChange(listener: (uid?: string) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  stats(): PodDirectoryStats {
    return { ...this.counts, health: this.health, pods: this.byUid.size, podsLeftOut: this.podsLeftOut };
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.watching;
  }

  replace(items: readonly ApiItem[]): void {
    const uids = new Set(items.map(({ object }) => object.metadata?.uid));
    for (const pod of [...this.byUid.values()]) if (!uids.has(pod.uid)) this.remove(pod);
    for (const item of items) this.add(item);
    this.tell();
  }

  put(item: ApiItem): void {
    const pod = this.add(item);
    if (pod) this.tell(pod);
  }

  delete({ object }: ApiItem): void {
    const pod = this.byUid.get(object.metadata?.uid ?? "");
    if (!pod) return;
    this.remove(pod);
    this.tell(pod);
  }

  onHealth(health: WatchHealth): void {
    const wasStarting = this.health.state === "starting";
    this.health = health;
    this.options.onHealth?.(health);
    // Whoever waits for a name learns that none will come.
    if (wasStarting && health.state === "failing") this.tell();
  }

  private add(item: ApiItem): Pod | undefined {
    const pod = readPod(item, this.options.node);
    if (!pod) return undefined;
    const old = this.byUid.get(pod.uid);
    if (!old && this.byUid.size >= MAX_PODS) {
      this.podsLeftOut++;
      return undefined;
    }
    if (old) this.unlink(old);
    this.byUid.set(pod.uid, pod);
    link(this.byStaticUid, readStaticUid(pod), pod);
    link(this.byAddress, pod.ip, pod);
    this.askedAtMs.delete(pod.uid);
    return pod;
  }

  private remove(pod: Pod): void {
    this.byUid.delete(pod.uid);
    this.unlink(pod);
    const nowMs = this.now();
    for (const [uid, { untilMs }] of this.dead)
      if (untilMs <= nowMs || this.dead.size >= MAX_DEAD) this.dead.delete(uid);
    for (const uid of [pod.uid, readStaticUid(pod)])
      if (uid !== undefined) this.dead.set(uid, { pod, untilMs: nowMs + KEEP_DEAD_MS });
  }

  private unlink(pod: Pod): void {
    unlink(this.byStaticUid, readStaticUid(pod), pod);
    unlink(this.byAddress, pod.ip, pod);
  }

  private lookUpDead(uid: string): Pod | undefined {
    const dead = this.dead.get(uid);
    return dead && dead.untilMs > this.now() ? dead.pod : undefined;
  }

  /** Whether nobody has asked for it until a moment ago. */
  private isNew(uid: string): boolean {
    const nowMs = this.now();
    const askedAtMs = this.askedAtMs.get(uid);
    if (askedAtMs !== undefined) return nowMs - askedAtMs < PENDING_MS;
    if (this.askedAtMs.size >= MAX_PENDING) this.askedAtMs.clear();
    this.askedAtMs.set(uid, nowMs);
    return true;
  }

  private tell(pod?: Pod): void {
    for (const listener of [...this.listeners]) listener(pod && (readStaticUid(pod) ?? pod.uid));
  }
}

/** Two that claim the same are both doubtful. */
function only(pods: ReadonlySet<Pod> | undefined): Pod | undefined {
  if (pods?.size !== 1) return undefined;
  const [pod] = pods;
  return pod;
}

function link(index: Map<string, Set<Pod>>, key: string | undefined, pod: Pod): void {
  if (key === undefined) return;
  const pods = index.get(key);
  if (pods) pods.add(pod);
  else index.set(key, new Set([pod]));
}

function unlink(index: Map<string, Set<Pod>>, key: string | undefined, pod: Pod): void {
  const pods = key === undefined ? undefined : index.get(key);
  if (!pods || key === undefined) return;
  pods.delete(pod);
  if (pods.size === 0) index.delete(key);
}
