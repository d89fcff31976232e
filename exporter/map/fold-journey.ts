import { attributes } from "./attributes.js";
import { encloseChildren } from "./enclose-children.js";
import { foldLayers } from "./fold-layers.js";
import { type Attribute, createAttribute, type Detail, type JourneySpans, type PacketSpan } from "./packet-span.js";
import { SpanDraft } from "./span-draft.js";
import { summarise } from "./summarise-spans.js";

const detailAttributes = {
  layers: createAttribute(attributes.journeyDetail, "layers"),
  summary: createAttribute(attributes.journeyDetail, "summary"),
};

/** The journey, given by functions, in less detail. What dropped, what changed and waits stay. */
export function foldJourney(journeySpans: JourneySpans, detail: Detail): JourneySpans {
  const [root, ...rest] = journeySpans.spans;
  if (detail === "functions" || journeySpans.detail !== "functions" || !root) return journeySpans;
  if (detail === "layers") {
    const spans = [extendRoot(root, [detailAttributes.layers]), ...foldLayers(rest)];
    encloseChildren(spans);
    return { ...journeySpans, spans, detail };
  }
  return { ...journeySpans, spans: [extendRoot(root, [detailAttributes.summary, ...summarise(root, rest)])], detail };
}

/** An attribute that the root has already is replaced. */
function extendRoot(root: PacketSpan, more: readonly Attribute[]): SpanDraft {
  const { shape, idHigh, idLow, parent, startOffsetNs, durationNs, group } = root;
  const extended = new SpanDraft(shape, idHigh, idLow, parent, startOffsetNs, durationNs, group);
  const isReplaced = ({ definition }: Attribute): boolean => more.some((other) => other.definition === definition);
  extended.extra = [...(root.extra ?? []).filter((attribute) => !isReplaced(attribute)), ...more];
  extended.fault = root.fault;
  return extended;
}
