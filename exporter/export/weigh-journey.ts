import type { JourneySpans } from "../map/packet-span.js";
import { createRequestBuilder } from "./create-request-builder.js";

const builder = createRequestBuilder();

/** The bytes of a request with this journey alone: a little more than its part of a larger one, which shares resources. */
export function weighJourney(journeySpans: JourneySpans): number {
  builder.add(journeySpans);
  const { bytes } = builder;
  builder.removeLast();
  return bytes;
}
