import type { Hop } from "../decode/frame.js";
import { attributes } from "./attributes.js";
import { WaitTracker } from "./create-wait-tracker.js";
import { describeReturnValue } from "./describe-return-value.js";
import { addSpan, addWait, type JourneyDraft, type MappedProbe, orderHops, ROOT } from "./journey-draft.js";

const MAX_RETURN_VALUES = 1024;

interface OpenHop {
  readonly hop: Hop;
  readonly span: number;
}

/**
 * A span per hop. A hop stands under the innermost one that was entered before and left after it on the same CPU, as
 * long as they belong to one call chain: taking the packet out of a queue begins a new one.
 */
export function nestHops(draft: JourneyDraft): void {
  const { hops } = draft.journey;
  const order = orderHops(draft.journey);
  const waits = new WaitTracker();
  let open: OpenHop[] = [];
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
    const encloser = findEncloser(open, hop);
    const isInferred = !hop.returned && !probe.isTracepoint;
    const span = addSpan(
      draft,
      place.shapes.hop(probe.frame, hop.probe, hop.cpu, isInferred),
      encloser?.span ?? ROOT,
      hop.enterOffsetNs,
      durationOf(draft, hop, isInferred, order[position + 1]),
      isWithSender ? place.groupInProcess : place.group,
    );
    draft.spanOfHop[index] = span;
    if (hop.returned) {
      addReturnValue(draft, span, probe, hop.returnValue);
      open.push({ hop, span });
    }
    waits.put(probe.role, hop, encloser?.hop);
  }
}

function findEncloser(open: OpenHop[], hop: Hop): OpenHop | undefined {
  while (open.length > 0 && (open[open.length - 1] as OpenHop).hop.leaveOffsetNs < hop.enterOffsetNs) open.pop();
  for (let index = open.length - 1; index >= 0; index--) {
    const candidate = open[index] as OpenHop;
    if (candidate.hop.cpu === hop.cpu && candidate.hop.leaveOffsetNs >= hop.leaveOffsetNs) return candidate;
  }
  return undefined;
}

function durationOf(draft: JourneyDraft, hop: Hop, isInferred: boolean, nextIndex: number | undefined): number {
  if (!isInferred) return Math.max(0, hop.leaveOffsetNs - hop.enterOffsetNs);
  const next = nextIndex === undefined ? undefined : draft.journey.hops[nextIndex];
  return Math.max(0, (next?.enterOffsetNs ?? draft.journey.durationNs) - hop.enterOffsetNs);
}

/** Functions return few values: each is put into words once. */
function addReturnValue(draft: JourneyDraft, span: number, probe: MappedProbe, value: number): void {
  let attribute = probe.returned.get(value);
  if (attribute === undefined && !probe.returned.has(value)) {
    const text = describeReturnValue(probe.frame?.returnKind ?? 0, value, draft.state);
    attribute = text === undefined ? undefined : draft.pool.get(attributes.hopReturnValue, text);
    if (probe.returned.size < MAX_RETURN_VALUES) probe.returned.set(value, attribute);
  }
  if (attribute) draft.spans[span]?.add(attribute);
}
