/** The object that made a pod, e.g. a DaemonSet, and the one that made that: nearest first. */
export interface PodOwner {
  /** As in the API, e.g. "ReplicaSet", "Deployment", "CronJob". */
  readonly kind: string;
  readonly name: string;
  readonly uid?: string;
}

export interface PodContainer {
  readonly name: string;
  /** Without the runtime's `containerd://`; absent until the container runs. */
  readonly id?: string;
  readonly image?: string;
  /** What its environment tells OpenTelemetry's SDK of the service; known only when whole pods are read. */
  readonly resource?: ReadonlyMap<string, string>;
}

/** What Kubernetes says of a pod. All texts are the users': of any length, with any characters. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  /** As in the API. A static pod's cgroup has another: that of its annotation `kubernetes.io/config.hash`. */
  readonly uid: string;
  readonly ip?: string;
  readonly node: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly owners: readonly PodOwner[];
  /** Whether it has no network namespace of its own. */
  readonly hostNetwork?: boolean;
  readonly containers?: readonly PodContainer[];
}

/** Knows the pods of this node by what their cgroups are named after. */
export interface PodDirectory {
  /**
   * `uid`: as a cgroup's path has it, with dashes, or the 32 digits of a static pod's configuration. "pending": it may be known in a
   * moment, for the API has not been read that far. Undefined: there is none, or the API will not tell. A pod that is deleted is
   * still found for a minute, for its last packets.
   */
  lookup(uid: string): Pod | "pending" | undefined;
  /** All that are known and not deleted. */
  pods(): Iterable<Pod>;
  /**
   * Calls `listener` after a pod came, changed or went, with its uid (a static pod: with that of its cgroup), and after everything
   * may have changed, without. Returns what ends that.
   */
  onChange(listener: (uid?: string) => void): () => void;
}
