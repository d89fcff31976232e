import type { Hop } from "../decode/frame.js";
import { attributes } from "./attributes.js";
import { MAX_RETURNED_VALUES, type ReturnedValue } from "./create-span-shapes.js";
import { WaitTracker } from "./create-wait-tracker.js";
import { describeReturnValue } from "./describe-return-value.js";
import { addSpan, addWait, type JourneyDraft, type MappedProbe, orderHops, ROOT } from "./journey-draft.js";
import { createAttribute } from "./packet-span.js";

/**
 * A span per hop. A hop stands under the innermost one that was entered before and left after it on the same CPU, as
 * long as they belong to one call chain: taking the packet out of a queue begins a new one.
 */
export function nestHops(draft: JourneyDraft): void {
  const { hops } = draft.journey;
  const order = orderHops(draft.journey);
  const waits = new WaitTracker();
  /** Hops that may enclose the next one, by their places in the record. */
  let open: number[] = [];
  let isWithSender = true;
  for (let position = 0; position < order.length; position++) {
    const index = order[position] as number;
    const hop = hops[index] as Hop;
    const probe = draft.probes.get(hop.probe);
    const place = draft.places.placeOf(index);
    const wait = waits.take(probe.role, hop);
    if (wait) {
      addWait(draft, place.shapes, wait.queueName, wait.startOffsetNs, hop.enterOffsetNs, wait.isInferred);
      open = [];
    }
    if (wait || probe.role.isReceiver) isWithSender = false;
    const encloser = findEncloser(open, hops, hop);
    const isInferred = !hop.returned && !probe.isTracepoint;
    const returned = hop.returned ? describeReturn(draft, probe, hop.returnValue) : undefined;
    const span = addSpan(
      draft,
      place.shapes.hop(probe.frame, hop.probe, hop.cpu, isInferred, returned),
      encloser === NONE ? ROOT : (draft.spanOfHop[encloser] as number),
      hop.enterOffsetNs,
      durationOf(draft, hop, isInferred, order[position + 1]),
      isWithSender ? place.groupInProcess : place.group,
    );
    draft.spanOfHop[index] = span;
    if (hop.returned) open.push(index);
    if (hop.returned && !returned && probe.saysWhatItReturns) addReturnValue(draft, span, probe, hop.returnValue);
    waits.put(probe.role, hop, encloser === NONE ? undefined : hops[encloser]);
  }
}

/** Never an index: V8 looks a negative one up as the name of a property, in every list and its prototypes. */
const NONE = -1;

/** The place in the record of the hop that encloses this one, or NONE. */
function findEncloser(open: number[], hops: readonly Hop[], hop: Hop): number {
  while (open.length > 0 && hopAt(hops, open, open.length - 1).leaveOffsetNs < hop.enterOffsetNs) open.pop();
  for (let depth = open.length - 1; depth >= 0; depth--) {
    const candidate = hopAt(hops, open, depth);
    if (candidate.cpu === hop.cpu && candidate.leaveOffsetNs >= hop.leaveOffsetNs) return open[depth] as number;
  }
  return NONE;
}

function hopAt(hops: readonly Hop[], open: readonly number[], depth: number): Hop {
  return hops[open[depth] as number] as Hop;
}

function durationOf(draft: JourneyDraft, hop: Hop, isInferred: boolean, nextIndex: number | undefined): number {
  if (!isInferred) return Math.max(0, hop.leaveOffsetNs - hop.enterOffsetNs);
  const next = nextIndex === undefined ? undefined : draft.journey.hops[nextIndex];
  return Math.max(0, (next?.enterOffsetNs ?? draft.journey.durationNs) - hop.enterOffsetNs);
}

/** Functions return few values: each is put into words once. Undefined: it says nothing, or it has too many of them. */
function describeReturn(draft: JourneyDraft, probe: MappedProbe, value: number): ReturnedValue | undefined {
  if (!probe.saysWhatItReturns) return undefined;
  const { returned } = probe;
  let described = returned.get(value);
  if (described || returned.size >= MAX_RETURNED_VALUES) return described;
  const text = describeReturnValue(probe.frame?.returnKind ?? 0, value, draft.state) ?? String(value);
  described = { attribute: draft.pool.get(attributes.hopReturnValue, text), number: returned.size };
  returned.set(value, described);
  return described;
}

function addReturnValue(draft: JourneyDraft, span: number, probe: MappedProbe, value: number): void {
  const text = describeReturnValue(probe.frame?.returnKind ?? 0, value, draft.state);
  if (text !== undefined) draft.spans[span]?.add(createAttribute(attributes.hopReturnValue, text));
}
