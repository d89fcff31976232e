import type { Hop } from "../decode/frame.js";
import { attributes } from "./attributes.js";
import { type DropVerdict, judgeDrop } from "./drop-advice.js";
import { type JourneyDraft, ROOT } from "./journey-draft.js";
import { type Attribute, createAttribute, type SpanFault } from "./packet-span.js";
import { withoutTracer } from "./trim-stack.js";

/** A drop in words. */
export interface Drop {
  readonly verdict: DropVerdict;
  readonly fault: SpanFault | undefined;
  /** For the root and the hop that dropped. */
  readonly attributes: readonly Attribute[];
}

/** Functions that free a packet for somebody else. */
const freers =
  /^(__)?(kfree_skb|consume_skb|sk_skb_reason_drop|skb_release_|sk_drop_reason|napi_consume_skb|kfree_skbmem|dev_kfree_skb)/;

/** Finds out what the drop means and marks the hop that dropped. Undefined when the packet was not dropped. */
export function markDrop(draft: JourneyDraft): Drop | undefined {
  const { journey, state } = draft;
  if (journey.end !== "dropped") return undefined;
  const reason = state.dropReason(journey.dropReason);
  const dropFunction = state.symbol(journey.dropLocation)?.functionName ?? "";
  const drop = describeDrop(draft, reason, dropFunction);
  const span = draft.spans[findDroppingSpan(draft, dropFunction)];
  if (!span) return drop;
  for (const attribute of drop.attributes) span.add(attribute);
  const stack = journey.stacks[journey.stacks.length - 1];
  if (stack)
    span.add(
      createAttribute(
        attributes.codeStacktrace,
        withoutTracer(stack.addresses, state)
          .map((address) => state.symbolText(address))
          .join("\n"),
      ),
    );
  span.fault = drop.fault;
  return drop;
}

function describeDrop(draft: JourneyDraft, reason: string, dropFunction: string): Drop {
  const { journey, state, pool } = draft;
  const destination = journey.contexts.at(-1)?.destinationAddress ?? "";
  const verdict = judgeDrop(reason, dropFunction, destination);
  const list = [pool.get(attributes.dropReason, reason)];
  if (journey.dropLocation !== 0) list.push(pool.get(attributes.dropLocation, state.symbolText(journey.dropLocation)));
  if (verdict.advice) list.push(pool.get(attributes.dropAdvice, verdict.advice));
  if (!verdict.isFault) return { verdict, fault: undefined, attributes: list };
  list.push(pool.get(attributes.errorType, reason));
  const where = dropFunction === "" ? "" : ` in ${dropFunction}`;
  const meaning = verdict.meaning ? `: ${verdict.meaning}` : "";
  return { verdict, fault: { description: `${reason}${where}${meaning}` }, attributes: list };
}

/** The function that dropped it, or what encloses the moment of the drop, or the moment itself. -1: there are no hops. */
function findDroppingSpan(draft: JourneyDraft, dropFunction: string): number {
  const { spans, journey, spanOfHop } = draft;
  for (let index = spans.length - 1; index > ROOT; index--) {
    const shape = spans[index]?.shape;
    if (shape?.kind === "hop" && dropFunction !== "" && shape.name === dropFunction) return index;
  }
  for (let index = journey.hops.length - 1; index >= 0; index--) {
    const hop = journey.hops[index] as Hop;
    if (!hop.returned || hop.enterOffsetNs > journey.durationNs || hop.leaveOffsetNs < journey.durationNs) continue;
    if (!freers.test(draft.probes.get(hop.probe).name)) return spanOfHop[index] ?? -1;
  }
  return outOfMoment(draft, spanOfHop[journey.hops.length - 1] ?? -1);
}

/** From the moment of the drop to the function around it, if one is known. */
function outOfMoment({ spans }: JourneyDraft, start: number): number {
  let index = start;
  for (;;) {
    const span = spans[index];
    if (!span || span.parent <= ROOT) return index;
    const isMoment = index === start && span.durationNs === 0;
    if (!isMoment && !freers.test(span.shape.name)) return index;
    index = span.parent;
  }
}
