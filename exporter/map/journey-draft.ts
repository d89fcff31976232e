import type { Journey, ProbeFrame } from "../decode/frame.js";
import type { NodeState } from "../enrich/create-node-state.js";
import { wireReturnKind } from "../wire/layout.js";
import type { AttributePool } from "./create-attribute-pool.js";
import type { SpanIds } from "./create-span-ids.js";
import type { IdentityShapes, ReturnedValue } from "./create-span-shapes.js";
import { isSenderName } from "./derive-trace-id.js";
import type { PlaceFinder } from "./locate-hops.js";
import type { Attribute, AttributeGroup, SpanShape } from "./packet-span.js";
import { findProbeRole, type ProbeRole } from "./queues.js";
import { SpanDraft } from "./span-draft.js";

export const ROOT = 0;

/** What is known of a probe for mapping, found once. */
export interface MappedProbe {
  readonly frame: ProbeFrame | undefined;
  readonly name: string;
  readonly isTracepoint: boolean;
  readonly role: ProbeRole;
  /** A journey that begins there was sent by this node. */
  readonly isSender: boolean;
  /** Whether the type of what it returns says something to a person. */
  readonly saysWhatItReturns: boolean;
  /** In words, by what it returned. */
  readonly returned: Map<number, ReturnedValue>;
}

/** Probes by index. A stream has few; they are looked up at every hop. */
export interface ProbeCache {
  get(index: number): MappedProbe;
}

export function createProbeCache(state: NodeState): ProbeCache {
  const known: (MappedProbe | undefined)[] = [];
  return {
    get(index) {
      const cached = known[index];
      if (cached && (cached.frame || !state.probe(index))) return cached;
      const frame = state.probe(index);
      const name = frame?.name ?? `probe ${index}`;
      const probe = {
        frame,
        name,
        isTracepoint: frame?.kind === "tracepoint",
        role: findProbeRole(name),
        isSender: isSenderName(name),
        saysWhatItReturns: isSaying(frame?.returnKind ?? wireReturnKind.unknown),
        returned: new Map<number, ReturnedValue>(),
      };
      known[index] = probe;
      return probe;
    },
  };
}

function isSaying(returnKind: number): boolean {
  const { unknown, void: nothing, pointer } = wireReturnKind;
  return returnKind !== unknown && returnKind !== nothing && returnKind !== pointer;
}

/** A journey on its way to spans. `spans[0]` is kept for the root. */
export interface JourneyDraft {
  readonly journey: Journey;
  readonly state: NodeState;
  readonly pool: AttributePool;
  readonly ids: SpanIds;
  readonly probes: ProbeCache;
  readonly places: PlaceFinder;
  /** Attributes of the process that sent the packet; none when it was no process. */
  readonly process: readonly Attribute[];
  readonly spans: SpanDraft[];
  /** The span of each hop, by its place in the journey's record. */
  readonly spanOfHop: number[];
}

/** Adds a span and gives its place. */
export function addSpan(
  draft: JourneyDraft,
  shape: SpanShape,
  parent: number,
  startOffsetNs: number,
  durationNs: number,
  group: AttributeGroup | undefined,
): number {
  draft.ids.draw();
  return (
    draft.spans.push(new SpanDraft(shape, draft.ids.high, draft.ids.low, parent, startOffsetNs, durationNs, group)) - 1
  );
}

export function addWait(
  draft: JourneyDraft,
  shapes: IdentityShapes,
  queueName: string,
  startOffsetNs: number,
  endOffsetNs: number,
  isInferred: boolean,
): void {
  const durationNs = Math.max(0, endOffsetNs - startOffsetNs);
  addSpan(draft, shapes.wait(queueName, isInferred), ROOT, startOffsetNs, durationNs, undefined);
}

/** The hops in the order of their entries: their places in the record. */
export function orderHops(journey: Journey): number[] {
  const order: number[] = [];
  let isSorted = true;
  let before = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < journey.hops.length; index++) {
    const enterOffsetNs = journey.hops[index]?.enterOffsetNs ?? 0;
    if (enterOffsetNs < before) isSorted = false;
    before = enterOffsetNs;
    order.push(index);
  }
  // Several CPUs write into one record, and functions that were entered before first sight are added after it.
  if (!isSorted)
    order.sort((a, b) => (journey.hops[a]?.enterOffsetNs ?? 0) - (journey.hops[b]?.enterOffsetNs ?? 0) || a - b);
  return order;
}
