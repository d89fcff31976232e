import type { JourneySpans } from "../map/packet-span.js";
import { createRequestBuilder } from "./create-request-builder.js";

/** A builder keeps memory for every resource that it has seen: not for ever. */
const MAX_WEIGHINGS = 1_000;

let builder = createRequestBuilder();
let weighings = 0;

/** The bytes of a request with this journey alone: a little more than its part of a larger one, which shares resources. */
export function weighJourney(journeySpans: JourneySpans): number {
  if (weighings++ >= MAX_WEIGHINGS) {
    builder = createRequestBuilder();
    weighings = 1;
  }
  builder.add(journeySpans);
  const { bytes } = builder;
  builder.removeLast();
  return bytes;
}
