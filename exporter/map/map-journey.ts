import type { Context, Journey } from "../decode/frame.js";
import type { NodeState } from "../enrich/create-node-state.js";
import { attributes } from "./attributes.js";
import { buildRoot } from "./build-root.js";
import { type AttributePool, createAttributePool } from "./create-attribute-pool.js";
import { createSpanIds, type SpanIds } from "./create-span-ids.js";
import { createSpanShapes, type SpanShapes } from "./create-span-shapes.js";
import { chooseWireContext, deriveTraceId } from "./derive-trace-id.js";
import { describeChanges } from "./describe-changes.js";
import { encloseChildren } from "./enclose-children.js";
import { createProbeCache, type JourneyDraft, type ProbeCache, ROOT } from "./journey-draft.js";
import { locateHops } from "./locate-hops.js";
import { markDrop } from "./mark-drop.js";
import { nestHops } from "./nest-hops.js";
import { nestStacks } from "./nest-stacks.js";
import { type Attribute, createAttribute, type JourneySpans, noLinks } from "./packet-span.js";
import type { SpanDraft } from "./span-draft.js";
import { isInterruptStack } from "./trim-stack.js";

/** What is worked out once for a stream and used by all of its journeys. */
interface Workshop {
  readonly pool: AttributePool;
  readonly shapes: SpanShapes;
  readonly probes: ProbeCache;
  readonly ids: SpanIds;
}

const workshops = new WeakMap<NodeState, Workshop>();

/** A journey as spans, by the span model: the root, its hops, the waits between them. Never throws. */
export function mapJourney(journey: Journey, state: NodeState): JourneySpans {
  const workshop = workshopOf(state);
  const process = processAttributes(journey, state, workshop.pool);
  const draft: JourneyDraft = {
    journey,
    state,
    pool: workshop.pool,
    ids: workshop.ids,
    probes: workshop.probes,
    process,
    places: locateHops(journey, process, state, workshop.shapes, workshop.pool),
    spans: [undefined as unknown as SpanDraft],
    spanOfHop: [],
  };
  const backend = state.hello?.backend;
  if (backend === "tracepoint" || backend === "drops") nestStacks(draft);
  else nestHops(draft);
  const drop = markDrop(draft);
  draft.spans[ROOT] = buildRoot(draft, drop);
  if (journey.contexts.length > 1) addChanges(draft);
  encloseChildren(draft.spans);
  return {
    journey,
    traceId: readTraceId(journey, state),
    parentSpanId: undefined,
    links: noLinks,
    startRealtimeNs: state.toRealtimeNs(journey.startMonotonicNs),
    spans: draft.spans,
    isFault: drop?.fault !== undefined,
    detail: "functions",
  };
}

/** The trace id that the journey's spans have: known without mapping it. */
export function readTraceId(journey: Journey, state: NodeState): Uint8Array {
  const wireContext = chooseWireContext(journey, isSentHere(journey, state));
  return deriveTraceId(journey, wireContext, state.hello?.hostId ?? "");
}

/** Whether this node made the packet. */
export function isSentHere(journey: Journey, state: NodeState): boolean {
  return journey.isInProcess || beginsWithSender(journey, workshopOf(state).probes);
}

function beginsWithSender({ hops: [first] }: Journey, probes: ProbeCache): boolean {
  return first !== undefined && probes.get(first.probe).isSender;
}

function workshopOf(state: NodeState): Workshop {
  let workshop = workshops.get(state);
  if (!workshop) {
    const pool = createAttributePool();
    workshop = { pool, shapes: createSpanShapes(pool), probes: createProbeCache(state), ids: createSpanIds() };
    workshops.set(state, workshop);
  }
  return workshop;
}

function processAttributes(journey: Journey, state: NodeState, pool: AttributePool): Attribute[] {
  if (!journey.isInProcess) return [];
  const [stack] = journey.stacks;
  // An interrupt that hits a process in user mode runs on that process's stack: the tracer cannot tell, the stack can.
  if (stack && isInterruptStack(stack.addresses, state)) return [];
  const list = [pool.get(attributes.processPid, journey.processId)];
  if (journey.processName !== "") list.push(pool.get(attributes.processExecutableName, journey.processName));
  return list;
}

/** Puts what changed on the hop where it was seen. */
function addChanges(draft: JourneyDraft): void {
  const { contexts } = draft.journey;
  const changesOfSpan = new Map<number, string[]>();
  for (let at = 1; at < contexts.length; at++) {
    const before = contexts[at - 1];
    const after = contexts[at];
    if (!before || !after || after.changed === 0) continue;
    const span = draft.spanOfHop[findObservingHop(draft.journey, after)] ?? ROOT;
    const changes = describeChanges(before, after, draft.state);
    const known = changesOfSpan.get(span);
    if (known) known.push(...changes);
    else changesOfSpan.set(span, changes);
  }
  for (const [span, changes] of changesOfSpan) draft.spans[span]?.add(createAttribute(attributes.skbChanged, changes));
}

/** A look is noted after the entry into the function or before it, by the backend. -1: no hop stands before it. */
function findObservingHop(journey: Journey, context: Context): number {
  const { hops } = journey;
  if (hops[context.hopsBefore]?.probe === context.atProbe && hops[context.hopsBefore - 1]?.probe !== context.atProbe)
    return context.hopsBefore;
  for (let index = context.hopsBefore - 1; index >= 0; index--)
    if (hops[index]?.probe === context.atProbe) return index;
  return context.hopsBefore - 1;
}
