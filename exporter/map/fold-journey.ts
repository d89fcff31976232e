import { attributes } from "./attributes.js";
import { encloseChildren } from "./enclose-children.js";
import { extendRoot } from "./extend-root.js";
import { foldLayers } from "./fold-layers.js";
import { createAttribute, type Detail, details, type JourneySpans } from "./packet-span.js";
import { summarise } from "./summarise-spans.js";

const detailAttributes = {
  layers: createAttribute(attributes.journeyDetail, "layers"),
  summary: createAttribute(attributes.journeyDetail, "summary"),
};

/** The journey in less detail, if it is not in that or less already. What dropped, what changed and waits stay. */
export function foldJourney(journeySpans: JourneySpans, detail: Detail): JourneySpans {
  const [root, ...rest] = journeySpans.spans;
  if (!root || details.indexOf(detail) <= details.indexOf(journeySpans.detail)) return journeySpans;
  if (detail === "layers") {
    const spans = [extendRoot(root, [detailAttributes.layers]), ...foldLayers(rest)];
    encloseChildren(spans);
    return { ...journeySpans, spans, detail };
  }
  return { ...journeySpans, spans: [extendRoot(root, [detailAttributes.summary, ...summarise(root, rest)])], detail };
}
