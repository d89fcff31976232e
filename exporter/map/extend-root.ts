import type { Attribute, PacketSpan } from "./packet-span.js";
import { SpanDraft } from "./span-draft.js";

/** The root with more attributes; one that it has already is replaced. */
export function extendRoot(root: PacketSpan, more: readonly Attribute[]): SpanDraft {
  const { shape, idHigh, idLow, parent, startOffsetNs, durationNs, group } = root;
  const extended = new SpanDraft(shape, idHigh, idLow, parent, startOffsetNs, durationNs, group);
  const isReplaced = ({ definition }: Attribute): boolean => more.some((other) => other.definition === definition);
  extended.extra = [...(root.extra ?? []).filter((attribute) => !isReplaced(attribute)), ...more];
  extended.fault = root.fault;
  return extended;
}
