import type { Writable } from "node:stream";
import type { JourneySpans } from "../map/packet-span.js";
import { createTextOutput } from "./create-text-output.js";
import { renderOtlpJson } from "./render-otlp-json.js";
import type { Sink } from "./sink.js";

/** A line a journey: an ExportTraceServiceRequest in OTLP's JSON encoding. */
export function createJsonSink(options: { readonly output: Writable }): Sink {
  const output = createTextOutput(options.output);
  let journeys = 0;
  let spans = 0;
  let sentJourneys = 0;
  let sentSpans = 0;
  return {
    accept(journeySpans: JourneySpans) {
      journeys++;
      spans += journeySpans.spans.length;
      if (output.isClosed) return;
      output.write(`${JSON.stringify(renderOtlpJson(journeySpans))}\n`);
      sentJourneys++;
      sentSpans += journeySpans.spans.length;
    },
    drained: () => output.drained(),
    flush: () => output.flush(),
    close: () => output.flush(),
    stats: () => ({
      acceptedJourneys: journeys,
      acceptedSpans: spans,
      sentJourneys,
      sentSpans,
      lostJourneys: { reader_gone: journeys - sentJourneys },
      lostSpans: { reader_gone: spans - sentSpans },
    }),
  };
}
