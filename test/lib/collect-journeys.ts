import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { createPipeline, type PipelineOptions } from "../../exporter/pipeline.js";
import { quietSink } from "./quiet-sink.js";

/** The journeys of a recording, as any sink would get them. */
export function collectJourneys(recording: Uint8Array, options: Pick<PipelineOptions, "farEnds"> = {}): JourneySpans[] {
  const journeys: JourneySpans[] = [];
  const sink = { ...quietSink, accept: (journeySpans: JourneySpans) => void journeys.push(journeySpans) };
  const pipeline = createPipeline({ ...options, sinks: [sink] });
  pipeline.push(recording);
  pipeline.end();
  return journeys;
}
