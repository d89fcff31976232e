import type { Frame, HelloFrame, KernelAddress, ProbeFrame } from "../decode/frame.js";
import { wireStat } from "../wire/layout.js";
import { createClockHistory } from "./create-clock-history.js";
import type { FarEnd, FarEnds } from "./far-end.js";
import { formatAddress } from "./format-address.js";
import { identifyNamespace } from "./identify-namespace.js";
import type { Identity, IdentityResolver, Namespace } from "./identity.js";

export interface KernelSymbol {
  /** As the kernel lists it, e.g. "__netif_receive_skb_core.constprop.0". */
  readonly name: string;
  /** Without the compiler's suffix. */
  readonly functionName: string;
  /** Of the function. */
  readonly start: KernelAddress;
  /** `name+0xoffset`. */
  readonly text: string;
}

export type TracerStats = Readonly<Record<Exclude<keyof typeof wireStat, "count">, number>>;

/** All that the stream has told so far about the node: names for the numbers in journeys. */
export interface NodeState {
  apply(frame: Frame): void;
  readonly hello: HelloFrame | undefined;
  /** The newest; all 0 before the first STATS frame. */
  readonly stats: TracerStats;
  readonly probes: ReadonlyMap<number, ProbeFrame>;
  probe(index: number): ProbeFrame | undefined;
  /** Without `SKB_DROP_REASON_`, e.g. "NETFILTER_DROP". */
  dropReason(value: number): string;
  /** The names of all reasons that the running kernel has. */
  dropReasons(): Iterable<string>;
  /** Undefined when the kernel's symbol table did not know it. */
  symbol(address: KernelAddress): KernelSymbol | undefined;
  /** `function+0xoffset`, or the number when it has no name. */
  symbolText(address: KernelAddress): string;
  /** The same object as long as the owner is the same. `cookie` 0: unknown. */
  identity(inode: number, cookie: bigint): Identity;
  /** Whose the address is, when it is known. */
  farEnd(address: string, port: number | undefined): FarEnd | undefined;
  toRealtimeNs(monotonicNs: bigint): bigint;
}

const MAX_SYMBOLS = 262_144;
const MAX_NAMESPACES = 65_536;

export interface NodeStateOptions {
  readonly resolver?: IdentityResolver;
  readonly farEnds?: FarEnds;
}

export function createNodeState(options: NodeStateOptions = {}): NodeState {
  return new State(options);
}

class State implements NodeState {
  hello: HelloFrame | undefined;
  stats: TracerStats = readStats([]);
  readonly probes = new Map<number, ProbeFrame>();
  private readonly resolver: IdentityResolver | undefined;
  private readonly farEnds: FarEnds | undefined;
  private readonly reasons = new Map<number, string>();
  private readonly symbols = new Map<KernelAddress, KernelSymbol>();
  private readonly namespaces = new Map<number, Omit<Namespace, "cookie">>();
  private readonly identities = new Map<bigint, Identity>();
  /** Inodes come back: which namespace had this one last. */
  private readonly lastKeys = new Map<number, bigint>();
  private readonly clock = createClockHistory();

  constructor({ resolver, farEnds }: NodeStateOptions) {
    this.resolver = resolver;
    this.farEnds = farEnds;
    resolver?.onChange?.((key) => this.forgetIdentity(key));
  }

  apply(frame: Frame): void {
    switch (frame.type) {
      case "hello":
        this.hello = frame;
        this.clock.add(frame.startMonotonicNs, frame.startRealtimeNs);
        return;
      case "probe":
        this.probes.set(frame.index, frame);
        return;
      case "symbol":
        if (frame.name === "") return;
        if (this.symbols.size >= MAX_SYMBOLS) this.symbols.clear();
        this.symbols.set(frame.address, {
          name: frame.name,
          functionName: frame.name.replace(/\..*$/, ""),
          start: frame.start,
          text: frame.start === 0 ? frame.name : `${frame.name}+0x${(frame.address - frame.start).toString(16)}`,
        });
        return;
      case "drop-reason":
        this.reasons.set(frame.value, frame.name.replace(/^SKB_(DROP_REASON_)?/, ""));
        return;
      case "namespace":
        if (this.namespaces.size >= MAX_NAMESPACES) this.namespaces.clear();
        this.namespaces.set(frame.inode, frame);
        this.forgetIdentity(this.lastKeys.get(frame.inode) ?? BigInt(frame.inode));
        return;
      case "member":
      case "inventory":
        this.resolver?.apply?.(frame);
        return;
      case "stats":
        this.stats = readStats(frame.values);
        return;
      case "clock":
        this.clock.add(frame.monotonicNs, frame.realtimeNs);
        this.resolver?.apply?.(frame);
        return;
    }
  }

  probe(index: number): ProbeFrame | undefined {
    return this.probes.get(index);
  }

  dropReason(value: number): string {
    return this.reasons.get(value) ?? (value === 0 ? "NOT_DROPPED_YET" : `REASON_${value}`);
  }

  dropReasons(): Iterable<string> {
    return this.reasons.values();
  }

  symbol(address: KernelAddress): KernelSymbol | undefined {
    return this.symbols.get(address);
  }

  symbolText(address: KernelAddress): string {
    return this.symbols.get(address)?.text ?? formatAddress(address);
  }

  identity(inode: number, cookie: bigint): Identity {
    const key = cookie === 0n ? (this.lastKeys.get(inode) ?? BigInt(inode)) : cookie;
    const known = this.identities.get(key);
    if (known) return known;
    const namespace = this.namespace(inode, cookie);
    const answer = this.resolver?.identify(namespace);
    const extra = this.resolver?.nodeAttributes?.() ?? {};
    const identity =
      answer === undefined || answer === "node"
        ? identifyNamespace(answer === "node" ? { ...namespace, isNode: true } : namespace, this.hello, extra)
        : answer;
    if (this.identities.size >= MAX_NAMESPACES) this.forgetIdentity(undefined);
    this.identities.set(key, identity);
    if (inode !== 0) this.lastKeys.set(inode, key);
    return identity;
  }

  private forgetIdentity(key: bigint | undefined): void {
    if (key !== undefined) return void this.identities.delete(key);
    this.identities.clear();
    this.lastKeys.clear();
  }

  farEnd(address: string, port: number | undefined): FarEnd | undefined {
    return this.farEnds?.find(address, port);
  }

  toRealtimeNs(monotonicNs: bigint): bigint {
    return this.clock.toRealtimeNs(monotonicNs);
  }

  private namespace(inode: number, cookie: bigint): Namespace {
    const known = this.namespaces.get(inode);
    return {
      inode,
      cookie,
      isNode: known?.isNode === true || (inode !== 0 && inode === this.hello?.nodeNetnsInode),
      isGone: known?.isGone ?? false,
      name: known?.name ?? "",
    };
  }
}

function readStats(values: readonly number[]): TracerStats {
  const stats: Record<string, number> = {};
  for (const [name, index] of Object.entries(wireStat)) if (name !== "count") stats[name] = values[index] ?? 0;
  return stats as TracerStats;
}
