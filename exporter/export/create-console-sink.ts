import type { Writable } from "node:stream";
import type { JourneySpans } from "../map/packet-span.js";
import { createTextOutput } from "./create-text-output.js";
import { plainStyle, renderJourneyTree, type TextStyle } from "./render-journey-tree.js";
import type { Sink } from "./sink.js";

/** Colours that can be read on light and dark, drops excepted: they alone are red. */
const NAMESPACE_COLOURS = [36, 33, 35, 32, 34, 96, 93, 95, 92, 94];

/** A readable tree a journey. `colour` undefined: as the terminal and NO_COLOR say. */
export function createConsoleSink(options: { readonly output: Writable; readonly colour?: boolean }): Sink {
  const output = createTextOutput(options.output);
  const style = (options.colour ?? wantsColour(options.output)) ? createColourStyle() : plainStyle;
  let journeys = 0;
  let spans = 0;
  let sentJourneys = 0;
  let sentSpans = 0;
  return {
    accept(journeySpans: JourneySpans) {
      journeys++;
      spans += journeySpans.spans.length;
      if (output.isClosed) return;
      output.write(`${renderJourneyTree(journeySpans, style)}\n`);
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

/** https://no-color.org: any value that is not empty means no. */
export function wantsColour(output: Writable, environment: NodeJS.ProcessEnv = process.env): boolean {
  if (environment["NO_COLOR"]) return false;
  return (output as Writable & { isTTY?: boolean }).isTTY === true && environment["TERM"] !== "dumb";
}

function createColourStyle(): TextStyle {
  const colours = new Map<string, number>();
  const paint = (code: string | number, text: string): string => `\u001b[${code}m${text}\u001b[0m`;
  return {
    strong: (text) => paint(1, text),
    faint: (text) => paint(2, text),
    bad: (text) => paint("1;31", text),
    changed: (text) => paint("3;33", text),
    namespace(label, text) {
      let colour = colours.get(label);
      if (colour === undefined) {
        colour = NAMESPACE_COLOURS[colours.size % NAMESPACE_COLOURS.length] ?? 0;
        if (colours.size < 1024) colours.set(label, colour);
      }
      return paint(colour, text);
    },
  };
}
