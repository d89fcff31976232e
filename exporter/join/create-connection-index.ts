import type { RequestFrame } from "../decode/frame.js";
import { Direction } from "./direction.js";

/** A connection as one network namespace sees it. */
export interface Connection {
  readonly key: Endpoints;
  /** From the key's source to its destination, and back. */
  readonly forward: Direction;
  readonly backward: Direction;
  /** When a request was told of it last, and when anything was seen of it. */
  toldNs: bigint;
  touchedNs: bigint;
  /** By a RST. */
  closedNs: bigint | undefined;
  /** Whether anything was told of it; otherwise only its SYN was seen. */
  isTold: boolean;
  /** Its first bytes went by and nothing was told of them: whatever opened it belongs to nobody. */
  isPlain: boolean;
}

/** Addresses and ports in one direction, and the network namespace in which they are seen. */
export type Endpoints = Pick<
  RequestFrame,
  "netnsCookie" | "netnsInode" | "sourceAddress" | "destinationAddress" | "sourcePort" | "destinationPort"
>;

/** A connection, and the direction in which the packet goes or the request was told. */
export interface Way {
  readonly connection: Connection;
  readonly direction: Direction;
  readonly other: Direction;
  /** In the network namespace in which the packet was seen. */
  readonly isOwn: boolean;
}

/** Connections of which requests are known. Those that nothing was heard of for longest are forgotten first. */
export interface ConnectionIndex {
  readonly connections: number;
  /** In all directions together. */
  readonly ranges: number;
  /** The connection of these endpoints, made when there is none. */
  open(endpoints: Endpoints): Way;
  /**
   * The connections of these endpoints, that in their own network namespace first. Those in others are the other end's, or where the packet
   * was sent before it was seen; or they are of pods that have the same addresses, and something else.
   */
  find(endpoints: Endpoints): readonly Way[];
  /** Something was seen or told of it. */
  touch(connection: Connection, nowNs: bigint): void;
  /** A request was told on it. */
  tell(connection: Connection, nowNs: bigint): void;
  /** `more`: by how many ranges it has grown. */
  grow(more: number): void;
  /** Ranges that were forgotten because there were too many. */
  readonly forgottenRanges: number;
}

const PORTS = 65_536;
/** A SYN waits for about a second; more connections are hardly opened in one. */
const MAX_UNTOLD = 4_096;
const NONE: readonly Way[] = [];

export function createConnectionIndex(limits: {
  readonly ranges: number;
  readonly connections: number;
}): ConnectionIndex {
  return new Index(limits);
}

class Index implements ConnectionIndex {
  ranges = 0;
  forgottenRanges = 0;
  /** By the ports of the key: numbers are cheaper to look up than texts, and few connections share both ports. */
  private readonly byPorts = new Map<number, Connection[]>();
  /** In the order in which they were touched. */
  private readonly told = new Set<Connection>();
  /** Apart, so that a flood of SYNs does not drive out what is known. */
  private readonly untold = new Set<Connection>();
  private newest: Connection | undefined;

  constructor(private readonly limits: { readonly ranges: number; readonly connections: number }) {}

  get connections(): number {
    return this.told.size;
  }

  open(endpoints: Endpoints): Way {
    const known = this.inNamespace(endpoints);
    if (known) return known;
    const connection: Connection = {
      key: endpoints,
      forward: new Direction(),
      backward: new Direction(),
      toldNs: 0n,
      touchedNs: 0n,
      closedNs: undefined,
      isTold: false,
      isPlain: false,
    };
    const ports = portsOf(endpoints);
    const bucket = this.byPorts.get(ports);
    if (bucket) bucket.push(connection);
    else this.byPorts.set(ports, [connection]);
    this.untold.add(connection);
    if (this.untold.size > MAX_UNTOLD) this.forgetOldest(this.untold);
    return wayOf(connection, "forward", endpoints);
  }

  find(endpoints: Endpoints): readonly Way[] {
    if (this.byPorts.size === 0) return NONE;
    const ways = this.among(endpoints);
    const own = ways.filter(({ isOwn }) => isOwn);
    if (ways.length === own.length || isLocal(endpoints)) return own;
    return [...own, ...ways.filter(({ isOwn }) => !isOwn)];
  }

  touch(connection: Connection, nowNs: bigint): void {
    if (nowNs > connection.touchedNs) connection.touchedNs = nowNs;
    if (connection === this.newest || !connection.isTold) return;
    this.newest = connection;
    if (this.told.delete(connection)) this.told.add(connection);
  }

  tell(connection: Connection, nowNs: bigint): void {
    if (nowNs > connection.toldNs) connection.toldNs = nowNs;
    if (!connection.isTold && this.untold.delete(connection)) {
      connection.isTold = true;
      this.told.add(connection);
      if (this.told.size > this.limits.connections) this.forgetOldest(this.told);
    }
    this.touch(connection, nowNs);
  }

  grow(more: number): void {
    this.ranges += more;
    while (this.ranges > this.limits.ranges && this.told.size > 1) this.forgetOldest(this.told);
  }

  private inNamespace(endpoints: Endpoints): Way | undefined {
    return this.among(endpoints).find(({ isOwn }) => isOwn);
  }

  private among(endpoints: Endpoints): Way[] {
    const ways: Way[] = [];
    for (const connection of this.byPorts.get(portsOf(endpoints)) ?? [])
      if (isForward(connection.key, endpoints)) ways.push(wayOf(connection, "forward", endpoints));
    for (const connection of this.byPorts.get(backwardPortsOf(endpoints)) ?? [])
      if (isBackward(connection.key, endpoints)) ways.push(wayOf(connection, "backward", endpoints));
    return ways;
  }

  private forgetOldest(connections: Set<Connection>): void {
    const [connection] = connections;
    if (!connection) return;
    connections.delete(connection);
    if (connection === this.newest) this.newest = undefined;
    const ranges = connection.forward.size + connection.backward.size;
    this.ranges -= ranges;
    this.forgottenRanges += ranges;
    const ports = portsOf(connection.key);
    const rest = (this.byPorts.get(ports) ?? []).filter((other) => other !== connection);
    if (rest.length > 0) this.byPorts.set(ports, rest);
    else this.byPorts.delete(ports);
  }
}

function wayOf(connection: Connection, way: "forward" | "backward", endpoints: Endpoints): Way {
  const isOwn = isSameNamespace(connection.key, endpoints);
  const { forward, backward } = connection;
  return way === "forward"
    ? { connection, direction: forward, other: backward, isOwn }
    : { connection, direction: backward, other: forward, isOwn };
}

function portsOf({ sourcePort, destinationPort }: Endpoints): number {
  return sourcePort * PORTS + destinationPort;
}

function backwardPortsOf({ sourcePort, destinationPort }: Endpoints): number {
  return destinationPort * PORTS + sourcePort;
}

function isForward(key: Endpoints, { sourceAddress, destinationAddress }: Endpoints): boolean {
  return key.sourceAddress === sourceAddress && key.destinationAddress === destinationAddress;
}

function isBackward(key: Endpoints, { sourceAddress, destinationAddress }: Endpoints): boolean {
  return key.sourceAddress === destinationAddress && key.destinationAddress === sourceAddress;
}

function isSameNamespace(a: Endpoints, b: Endpoints): boolean {
  if (a.netnsCookie !== 0n && b.netnsCookie !== 0n) return a.netnsCookie === b.netnsCookie;
  return a.netnsInode === b.netnsInode;
}

/** Every namespace has its own loopback. */
function isLocal({ sourceAddress }: Endpoints): boolean {
  return sourceAddress.startsWith("127.") || sourceAddress === "::1";
}
