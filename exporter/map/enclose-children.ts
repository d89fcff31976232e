import type { PacketSpan } from "./packet-span.js";
import type { SpanDraft } from "./span-draft.js";

/**
 * Lets every span last until its last child has ended; parents stand before their children. A function around the end returns after
 * it, a moment lasts 1 ns, a stack shows who called but not for how long. Jaeger takes a child that outlasts its parent for
 * another machine's clock and warns. Exact durations stand in attributes and stay.
 */
export function encloseChildren(spans: readonly PacketSpan[]): void {
  for (let index = spans.length - 1; index > 0; index--) {
    const span = spans[index] as PacketSpan;
    // Whatever has children is a draft.
    const parent = spans[span.parent] as SpanDraft | undefined;
    if (parent && parent.endOffsetNs < span.endOffsetNs) parent.endOffsetNs = span.endOffsetNs;
  }
}
