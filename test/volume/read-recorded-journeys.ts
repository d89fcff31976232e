import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { collectJourneys } from "../lib/collect-journeys.js";

const directory = fileURLToPath(new URL("../../../test/fixtures/recordings/", import.meta.url));

export interface RecordedJourneys {
  /** Of the recording, without its suffix. */
  readonly name: string;
  readonly journeys: readonly JourneySpans[];
}

/** The journeys of the recordings of real kernels. */
export function readRecordedJourneys(): RecordedJourneys[] {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith(".skbspan"))
    .toSorted();
  if (files.length === 0) throw new Error(`no recording in ${directory}`);
  return files.map((file) => ({
    name: file.replace(/\.skbspan$/, ""),
    journeys: collectJourneys(readFileSync(`${directory}${file}`)),
  }));
}
