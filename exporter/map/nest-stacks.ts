import type { Hop, Stack } from "../decode/frame.js";
import { WaitTracker } from "./create-wait-tracker.js";
import { addSpan, addWait, type JourneyDraft, type MappedProbe, orderHops, ROOT } from "./journey-draft.js";
import type { Place } from "./locate-hops.js";
import { queues } from "./queues.js";
import { type StackFrame, trimStack } from "./trim-stack.js";

interface OpenFrame {
  frame: StackFrame;
  readonly span: number;
}

const SOCKET_QUEUE = queues.findIndex((queue) => queue.name === "socket receive queue");

/**
 * Tracepoints are moments; the functions between them come from the stacks that were taken there. Successive stacks share
 * a function's span as long as all frames around it are at the same call: it cannot have been left in between. Its bounds
 * are observations: it was entered no later and left no earlier.
 */
export function nestStacks(draft: JourneyDraft): void {
  const { hops, stacks } = draft.journey;
  const stackOfHop = new Map<number, Stack>(stacks.map((stack) => [stack.hopsBefore - 1, stack]));
  const waits = new WaitTracker();
  let open: OpenFrame[] = [];
  let openCpu = -1;
  let before: Hop | undefined;
  let isWithSender = true;
  const order = orderHops(draft.journey);
  const first = hops[order[0] ?? 0];
  const isMadeHere = first !== undefined && !draft.probes.get(first.probe).role.isReceiver;
  for (const index of order) {
    const hop = hops[index] as Hop;
    const probe = draft.probes.get(hop.probe);
    const place = draft.places.placeOf(index);
    const hasWaited = addWaitBefore(draft, waits, probe, hop, before, place);
    if (hasWaited || openCpu !== hop.cpu) open = [];
    if (hasWaited || probe.role.isReceiver) isWithSender = false;
    openCpu = hop.cpu;
    const stack = stackOfHop.get(index);
    if (stack) {
      const frames = trimStack(stack.addresses, draft.state, isMadeHere && isWithSender);
      open = openStack(draft, open, frames, hop, place, isWithSender);
    }
    const parent = stack ? (open[open.length - 1]?.span ?? ROOT) : ROOT;
    const shape = place.shapes.hop(probe.frame, hop.probe, hop.cpu, false);
    const group = isWithSender ? place.groupInProcess : place.group;
    draft.spanOfHop[index] = addSpan(draft, shape, parent, hop.enterOffsetNs, 0, group);
    waits.put(probe.role, hop, undefined);
    before = hop;
  }
}

function openStack(
  draft: JourneyDraft,
  open: readonly OpenFrame[],
  frames: readonly StackFrame[],
  hop: Hop,
  place: Place,
  isWithSender: boolean,
): OpenFrame[] {
  const now: OpenFrame[] = [];
  let isShared = true;
  for (const frame of frames) {
    const same: OpenFrame | undefined = isShared ? open[now.length] : undefined;
    if (same && same.frame.symbol.start === frame.symbol.start && same.frame.symbol.name === frame.symbol.name) {
      // Further inside it is the same call only if this function has not gone on since.
      isShared = same.frame.address === frame.address;
      draft.spans[same.span]?.extendTo(hop.enterOffsetNs);
      now.push({ frame, span: same.span });
      continue;
    }
    isShared = false;
    const parent = now[now.length - 1]?.span ?? ROOT;
    const shape = place.shapes.stack(frame.symbol.functionName, hop.cpu);
    const group = isWithSender ? place.groupInProcess : place.group;
    now.push({ frame, span: addSpan(draft, shape, parent, hop.enterOffsetNs, 0, group) });
  }
  return now;
}

function addWaitBefore(
  draft: JourneyDraft,
  waits: WaitTracker,
  probe: MappedProbe,
  hop: Hop,
  before: Hop | undefined,
  place: Place,
): boolean {
  const wait = waits.take(probe.role, hop);
  if (wait) {
    addWait(draft, place.shapes, wait.queueName, wait.startOffsetNs, hop.enterOffsetNs, wait.isInferred);
    return true;
  }
  // No tracepoint tells that a packet was put into a socket's queue, only that it was taken out.
  if (!before || !probe.role.takesFrom.includes(SOCKET_QUEUE)) return false;
  const queueName = queues[SOCKET_QUEUE]?.name ?? "";
  if (draft.probes.get(before.probe).role.takesFrom.includes(SOCKET_QUEUE)) return false;
  addWait(draft, place.shapes, queueName, before.enterOffsetNs, hop.enterOffsetNs, true);
  return true;
}
