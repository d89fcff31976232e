import type { Sink } from "../../exporter/export/sink.js";
import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { createPipeline, type PipelineOptions } from "../../exporter/pipeline.js";

/** The journeys of a recording, as any sink would get them. */
export function collectJourneys(recording: Uint8Array, options: Pick<PipelineOptions, "farEnds"> = {}): JourneySpans[] {
  const journeys: JourneySpans[] = [];
  const done = Promise.resolve();
  const sink: Sink = {
    accept: (journeySpans) => journeys.push(journeySpans),
    drained: () => undefined,
    flush: () => done,
    close: () => done,
    stats: () => ({
      acceptedJourneys: 0,
      acceptedSpans: 0,
      sentJourneys: 0,
      sentSpans: 0,
      lostJourneys: {},
      lostSpans: {},
    }),
  };
  const pipeline = createPipeline({ ...options, sinks: [sink] });
  pipeline.push(recording);
  pipeline.end();
  return journeys;
}
