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

/** Knows owners that the stream does not: pods. Undefined: not this one's. */
export interface IdentityResolver {
  identify(namespace: Namespace): Identity | undefined;
}
