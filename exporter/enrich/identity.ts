import type { Frame } from "../decode/frame.js";

/** What is known of a network namespace from the stream. */
export interface Namespace {
  /** 0: unknown. */
  readonly inode: number;
  /** Unlike the inode, never used again; 0: unknown. */
  readonly cookie: bigint;
  readonly isNode: boolean;
  readonly isGone: boolean;
  /** Empty when it has none. */
  readonly name: string;
}

/** To whom a network namespace belongs: the resource of the spans in it. One object for one owner. */
export interface Identity {
  readonly kind: "node" | "pod" | "named" | "unknown";
  /** For people: short, e.g. "node", "shop/checkout-7d4". */
  readonly label: string;
  /** Resource attributes by OpenTelemetry's names. */
  readonly attributes: Readonly<Record<string, string | number>>;
}

/** Knows whose processes are in a namespace: pods, or the node. */
export interface IdentityResolver {
  /** Undefined: neither a pod's nor the node's, as far as it knows. */
  identify(namespace: Namespace): Identity | "node" | undefined;
  /** What it learns from. */
  apply?(frame: Frame): void;
  /** Resource attributes of everything on the node, such as its name in Kubernetes. */
  nodeAttributes?(): Readonly<Record<string, string>>;
  /** Calls `listener` when what it would answer for a namespace (undefined: for any) may have changed. */
  onChange?(listener: (key: bigint | undefined) => void): void;
}

/** What a namespace is known by: its cookie, which is never used again as its inode is; the inode on kernels without cookies. */
export function namespaceKey({ cookie, inode }: Pick<Namespace, "cookie" | "inode">): bigint {
  return cookie === 0n ? BigInt(inode) : cookie;
}
