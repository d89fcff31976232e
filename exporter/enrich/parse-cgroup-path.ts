/** Whose a cgroup is, by its path. */
export interface CgroupOwner {
  /** As the API has it, with dashes; or the 32 digits of a static pod's configuration, which are its uid for the kubelet alone. */
  readonly podUid: string;
  /** 64 digits; undefined: the pod's own cgroup, or one in it that is no container's. */
  readonly containerId?: string;
  /** It holds what the runtime itself runs for the container, in the machine's network namespace: CRI-O's `conmon`. */
  readonly isRuntime: boolean;
}

const UID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}";

/** The cgroupfs driver: a level for all pods, one for the class (none for guaranteed), `pod<uid>`. */
const plainPod = new RegExp(`^pod(${UID})$`);
/**
 * The systemd driver: a slice's name repeats those above it, and dashes in a uid, which would be further levels, are underscores
 * (ConvertCgroupNameToSystemd in the kubelet). Before `kubepods` stands what the kubelet's root cgroup is named, as in kind.
 */
const slicePod = new RegExp(
  `^(?:[a-z0-9_.]+-)*kubepods(?:-burstable|-besteffort)?-pod(${UID.replaceAll("-[0-9a-f]{", "_[0-9a-f]{")})\\.slice$`,
);
/** What pods stand in; a `pod<uid>` somewhere else is a name like any other. */
const podsRoot = /^(?:[a-z0-9_.]+-)*kubepods(?:-burstable|-besteffort)?(?:\.slice)?$/;
const classes = new Set(["burstable", "besteffort"]);
/** `<id>` with cgroupfs; `cri-containerd-<id>.scope`, `crio-<id>.scope`, `docker-<id>.scope`, `libpod-<id>.scope`; `kata_<id>`. */
const container = /^(?:[a-z][a-z0-9_.-]*?[-_])?([0-9a-f]{64})(?:\.scope)?$/;

/**
 * Reads the path of a cgroup, of version 1 or 2, from the root of its hierarchy. Undefined: no pod's.
 *
 * The innermost pod counts: the "node" of a cluster in containers may itself be a pod of another cluster.
 */
export function parseCgroupPath(path: string): CgroupOwner | undefined {
  const levels = path.split("/");
  for (let at = levels.length - 1; at > 0; at--) {
    const podUid = readPod(levels, at);
    if (podUid === undefined) continue;
    const level = levels[at + 1] ?? "";
    const containerId = container.exec(level)?.[1];
    const isRuntime = /(?:^|-)conmon-/.test(level);
    return { podUid, ...(containerId === undefined || isRuntime ? {} : { containerId }), isRuntime };
  }
  return undefined;
}

function readPod(levels: readonly string[], at: number): string | undefined {
  const level = levels[at] ?? "";
  const slice = slicePod.exec(level)?.[1];
  if (slice !== undefined) return slice.replaceAll("_", "-");
  const plain = plainPod.exec(level)?.[1];
  if (plain === undefined) return undefined;
  const above = levels[at - 1] ?? "";
  const root = classes.has(above) ? (levels[at - 2] ?? "") : above;
  return podsRoot.test(root) ? plain : undefined;
}
