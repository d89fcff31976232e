import type { JourneySpans } from "../../exporter/map/packet-span.js";

/** Journeys that a receiver can tell apart: the given one again and again, each with a trace id of its own. */
export function numberJourneys(journey: JourneySpans, count: number, first = 0): JourneySpans[] {
  return Array.from({ length: count }, (_, index) => {
    const traceId = new Uint8Array(16);
    const view = new DataView(traceId.buffer);
    view.setUint32(0, journey.isFault ? 2 : 1);
    view.setUint32(12, first + index);
    return { ...journey, traceId };
  });
}

export function traceIdOf(journey: JourneySpans): string {
  return Buffer.from(journey.traceId).toString("hex");
}
