import type { NodeState } from "../enrich/create-node-state.js";
import type { Identity } from "../enrich/identity.js";
import { formatSpanId, listAttributes } from "../map/list-attributes.js";
import type { JourneySpans, PacketSpan } from "../map/packet-span.js";

/** Where a packet was dropped and whose it was: labels of a counter. */
export interface DropLabels {
  readonly reason: string;
  /** The kernel function that dropped. */
  readonly location: string;
  /** Where that was: the service name of the network namespace. */
  readonly place: string;
  /** Of the packet's first sight: its Kubernetes namespace, if any, and its service name. */
  readonly namespace: string;
  readonly workload: string;
  /** Address that it came from; no port, for senders take another one each time. */
  readonly source: string;
  /** Address and port that it went to. */
  readonly destination: string;
}

/** The newest drop of a series: a trace to look at. */
export interface Exemplar {
  /** Hexadecimal. */
  readonly traceId: string;
  readonly spanId: string;
  readonly unixMs: number;
}

export interface DropSeries {
  readonly labels: DropLabels;
  readonly count: number;
  readonly exemplar: Exemplar | undefined;
}

/** Counts dropped packets from what the tracer sends, before anything is sampled or exported. */
export interface DropCounter {
  count(spans: JourneySpans, state: NodeState): void;
  /** Every drop, by reason, faults or not. The kernel's reasons stand there with 0 before their first drop. */
  byReason(state: Pick<NodeState, "dropReasons">): ReadonlyMap<string, number>;
  /**
   * Drops that are faults. A series stands at 0 the first time it is read: a rate over two scrapes then has its first drop too.
   * Bounded: see DROP_SERIES_LIMITS.
   */
  series(): readonly DropSeries[];
}

export const DROP_SERIES_LIMITS = {
  /** Series with both ends. One that counted nothing for `idleMs` makes room; further ones have ends called "other". */
  detailed: 1_000,
  /** Series without the ends; further ones have every label but the reason called "other". */
  withoutEnds: 500,
  idleMs: 3_600_000,
} as const;

/** The kernel has some two hundred reasons; this is for a stream that does not come from one. */
const MAX_REASONS = 1_000;
const OTHER = "other";

interface Counted {
  readonly labels: DropLabels;
  count: number;
  exemplar: Exemplar | undefined;
  lastMs: number;
  wasRead: boolean;
}

/** `nowMs` is of any clock that does not go back. */
export function createDropCounter(nowMs: () => number): DropCounter {
  const reasons = new Map<string, number>();
  const detailed = new Map<string, Counted>();
  const withoutEnds = new Map<string, Counted>();
  const byReasonAlone = new Map<string, Counted>();

  const find = (labels: DropLabels): Counted => {
    const now = nowMs();
    const isRoom = (): boolean => detailed.size < DROP_SERIES_LIMITS.detailed || removeIdle(detailed, now);
    const exact = take(detailed, labels, isRoom);
    if (exact) return exact;
    const shorter = { ...labels, source: OTHER, destination: OTHER };
    const rough = take(withoutEnds, shorter, () => withoutEnds.size < DROP_SERIES_LIMITS.withoutEnds);
    if (rough) return rough;
    const rest = { ...shorter, location: OTHER, place: OTHER, namespace: OTHER, workload: OTHER };
    return take(byReasonAlone, rest, () => true) as Counted;
  };

  return {
    count(spans, state) {
      if (spans.journey.end !== "dropped") return;
      const name = state.dropReason(spans.journey.dropReason);
      const reason = reasons.has(name) || reasons.size < MAX_REASONS ? name : OTHER;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      if (!spans.isFault) return;
      const counted = find(readLabels(spans, state, reason));
      counted.count++;
      counted.lastMs = nowMs();
      counted.exemplar = readExemplar(spans);
    },
    byReason(state) {
      for (const reason of state.dropReasons())
        if (!reasons.has(reason) && reasons.size < MAX_REASONS) reasons.set(reason, 0);
      return reasons;
    },
    series: () => [detailed, withoutEnds, byReasonAlone].flatMap((map) => [...map.values()].map(readSeries)),
  };
}

/** The series of these labels, put last; made when there is room. */
function take(map: Map<string, Counted>, labels: DropLabels, isRoom: () => boolean): Counted | undefined {
  const key = Object.values(labels).join("\n");
  const known = map.get(key);
  if (known) map.delete(key);
  else if (!isRoom()) return undefined;
  const counted = known ?? { labels, count: 0, exemplar: undefined, lastMs: 0, wasRead: false };
  map.set(key, counted);
  return counted;
}

/** The first is the one that counted longest ago. */
function removeIdle(map: Map<string, Counted>, now: number): boolean {
  const [oldest] = map;
  return oldest !== undefined && now - oldest[1].lastMs >= DROP_SERIES_LIMITS.idleMs && map.delete(oldest[0]);
}

function readSeries(counted: Counted): DropSeries {
  const { labels, count, exemplar, wasRead } = counted;
  counted.wasRead = true;
  return wasRead ? { labels, count, exemplar } : { labels, count: 0, exemplar: undefined };
}

function readLabels({ journey, spans }: JourneySpans, state: NodeState, reason: string): DropLabels {
  const [root] = spans;
  const owner = root?.shape.identity;
  return {
    reason,
    location: state.symbol(journey.dropLocation)?.functionName ?? "unknown",
    place: serviceName((findDrop(spans) ?? root)?.shape.identity),
    namespace: attribute(owner, "k8s.namespace.name"),
    workload: serviceName(owner),
    ...readEnds(root),
  };
}

/** The innermost span with a fault: the hop that dropped. */
function findDrop(spans: readonly PacketSpan[]): PacketSpan | undefined {
  return spans.findLast(({ fault }) => fault !== undefined);
}

function readEnds(root: PacketSpan | undefined): Pick<DropLabels, "source" | "destination"> {
  const list = root ? listAttributes(root) : [];
  const value = (key: string): string => String(list.find(({ definition }) => definition.key === key)?.value ?? "");
  const [address, port] = [value("destination.address"), value("destination.port")];
  const host = address.includes(":") ? `[${address}]` : address;
  return { source: value("source.address"), destination: port === "" ? address : `${host}:${port}` };
}

function readExemplar({ traceId, spans: [root], journey, startRealtimeNs }: JourneySpans): Exemplar {
  return {
    traceId: Buffer.from(traceId).toString("hex"),
    spanId: root ? formatSpanId(root) : "",
    unixMs: Number((startRealtimeNs + BigInt(Math.max(0, journey.durationNs))) / 1_000_000n),
  };
}

function serviceName(identity: Identity | undefined): string {
  return attribute(identity, "service.name");
}

function attribute(identity: Identity | undefined, key: string): string {
  return String(identity?.attributes[key] ?? "");
}
