import type { Hop, Stack } from "../decode/frame.js";
import { WaitTracker } from "./create-wait-tracker.js";
import { ETHERTYPE_ARP } from "./describe-packet.js";
import { addSpan, addWait, type JourneyDraft, type MappedProbe, orderHops, ROOT } from "./journey-draft.js";
import type { Place } from "./locate-hops.js";
import { findProbeRole, NEIGHBOUR_QUEUE, queues, SOCKET_QUEUE } from "./queues.js";
import { type StackFrame, type StackSubject, trimStack } from "./trim-stack.js";

interface OpenFrame {
  frame: StackFrame;
  readonly span: number;
}

/** The chain of functions that the packet is in, from one moment to the next. */
interface Chain {
  readonly open: readonly OpenFrame[];
  readonly cpu: number;
  readonly place: Place;
  readonly hop: Hop;
}

/**
 * Tracepoints are moments; the functions between them come from the stacks that were taken there. Successive stacks share
 * a function's span as long as all frames around it are at the same call: it cannot have been left in between. Its bounds
 * are observations: it was entered no later and left no earlier.
 */
export function nestStacks(draft: JourneyDraft): void {
  const { hops, stacks } = draft.journey;
  const stackOfHop = new Map<number, Stack>(stacks.map((stack) => [stack.hopsBefore - 1, stack]));
  const waits = new WaitTracker();
  const order = orderHops(draft.journey);
  const first = hops[order[0] ?? 0];
  const isMadeHere = first !== undefined && !draft.probes.get(first.probe).role.isReceiver;
  let isWithSender = true;
  let chain: Chain | undefined;
  for (const index of order) {
    const hop = hops[index] as Hop;
    const probe = draft.probes.get(hop.probe);
    const place = draft.places.placeOf(index);
    const subject = {
      isSending: isMadeHere && isWithSender && !probe.role.isReceiver,
      isNeighbourDiscovery: isDiscovery(place),
    };
    const frames = framesAt(draft, stackOfHop.get(index), subject);
    const hasWaited = addWaitBefore(draft, waits, probe, hop, chain, place, frames);
    if (hasWaited || probe.role.isReceiver) isWithSender = false;
    const before = hasWaited || chain?.cpu !== hop.cpu ? undefined : chain;
    const open = frames ? openFrames(draft, before, frames, hop, place, isWithSender) : (before?.open ?? []);
    const parent = frames ? (open[open.length - 1]?.span ?? ROOT) : ROOT;
    const shape = place.shapes.hop(probe.frame, hop.probe, hop.cpu, false, undefined);
    const group = isWithSender ? place.groupInProcess : place.group;
    draft.spanOfHop[index] = addSpan(draft, shape, parent, hop.enterOffsetNs, 0, group);
    waits.put(probe.role, hop, undefined);
    chain = { open, cpu: hop.cpu, place, hop };
  }
}

function framesAt(draft: JourneyDraft, stack: Stack | undefined, subject: StackSubject): StackFrame[] | undefined {
  return stack && trimStack(stack.addresses, draft.state, subject);
}

const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;

function isDiscovery({ context }: Place): boolean {
  if (!context) return false;
  if (context.ethertype === ETHERTYPE_ARP) return true;
  return (
    context.transport === 58 &&
    (context.icmpType === NEIGHBOUR_SOLICITATION || context.icmpType === NEIGHBOUR_ADVERTISEMENT)
  );
}

function openFrames(
  draft: JourneyDraft,
  before: Chain | undefined,
  frames: readonly StackFrame[],
  hop: Hop,
  place: Place,
  isWithSender: boolean,
): OpenFrame[] {
  const now: OpenFrame[] = [];
  let isShared = true;
  // When the packet has just come into another namespace, functions were entered in the one before, until it was handed over.
  let framePlace = before && before.place.identity !== place.identity ? before.place : place;
  for (const frame of frames) {
    const name = frame.symbol.functionName;
    if (framePlace !== place && isHandingOver(name)) framePlace = place;
    const same: OpenFrame | undefined = isShared ? before?.open[now.length] : undefined;
    if (same && same.frame.symbol.start === frame.symbol.start && same.frame.symbol.name === frame.symbol.name) {
      // Further inside it is the same call only if this function has not gone on since.
      isShared = same.frame.address === frame.address;
      draft.spans[same.span]?.extendTo(hop.enterOffsetNs);
      now.push({ frame, span: same.span });
      continue;
    }
    isShared = false;
    const parent = now[now.length - 1]?.span ?? ROOT;
    const group = isWithSender ? framePlace.groupInProcess : framePlace.group;
    now.push({
      frame,
      span: addSpan(draft, framePlace.shapes.stack(name, hop.cpu), parent, hop.enterOffsetNs, 0, group),
    });
  }
  return now;
}

/** A function that works for the receiver, called by the sender's. */
function isHandingOver(functionName: string): boolean {
  const role = findProbeRole(functionName);
  return role.isReceiver || (role.putsInto >= 0 && !functionName.endsWith("_xmit"));
}

function addWaitBefore(
  draft: JourneyDraft,
  waits: WaitTracker,
  probe: MappedProbe,
  hop: Hop,
  before: Chain | undefined,
  place: Place,
  frames: readonly StackFrame[] | undefined,
): boolean {
  const wait = waits.take(probe.role, hop);
  if (wait) {
    addWait(draft, place.shapes, wait.queueName, wait.startOffsetNs, hop.enterOffsetNs, wait.isInferred);
    return true;
  }
  const queue = before ? findUnseenQueue(draft, probe, before, frames) : undefined;
  if (!before || !queue) return false;
  addWait(draft, place.shapes, queue, before.hop.enterOffsetNs, hop.enterOffsetNs, true);
  return true;
}

/** No tracepoint tells that a packet was put into these queues, only that it was taken out. */
function findUnseenQueue(
  draft: JourneyDraft,
  probe: MappedProbe,
  before: Chain,
  frames: readonly StackFrame[] | undefined,
): string | undefined {
  const outermost = frames?.[0]?.symbol.functionName ?? "";
  const isReleased = outermost === "__neigh_update" || outermost === "neigh_update";
  if (isReleased && before.open[0]?.frame.symbol.functionName !== outermost) return queues[NEIGHBOUR_QUEUE]?.name;
  const hasBeenRead = draft.probes.get(before.hop.probe).role.takesFrom.includes(SOCKET_QUEUE);
  return probe.role.takesFrom.includes(SOCKET_QUEUE) && !hasBeenRead ? queues[SOCKET_QUEUE]?.name : undefined;
}
