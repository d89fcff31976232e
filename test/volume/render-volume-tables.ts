import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isWanted } from "../../exporter/cli/is-wanted.js";
import { profileNames } from "../../exporter/config/profiles.js";
import { weighJourney } from "../../exporter/export/weigh-journey.js";
import { foldJourney } from "../../exporter/map/fold-journey.js";
import { type Detail, details, type JourneySpans } from "../../exporter/map/packet-span.js";
import { collectJourneys } from "../lib/collect-journeys.js";
import { readRecordedJourneys } from "./read-recorded-journeys.js";
import { configure, mostIn, NODES, PACKETS_PER_SECOND, runAgent, SECONDS } from "./run-agent.js";
import { LIVE_SECONDS, type TempoLimit, tempoLimits } from "./tempo-limits.js";

const demoFile = fileURLToPath(new URL("../../../test/volume/demo.skbspan", import.meta.url));

/** The tables of docs/volume.md by their names there, as measured on recordings. */
export async function renderVolumeTables(): Promise<ReadonlyMap<string, string>> {
  const demo = collectJourneys(readFileSync(demoFile));
  return new Map([
    ["journeys", renderJourneys(demo)],
    ["profiles", await renderProfiles(demo)],
    ["tempo", renderLimits()],
    ["defaults", await renderDefaults(demo)],
  ]);
}

function renderJourneys(demo: readonly JourneySpans[]): string {
  const recordings = [{ name: "the demo, Linux 6.18, tracepoint", journeys: demo }, ...readRecordedJourneys()];
  const rows = recordings.map(({ name, journeys }) => [
    name,
    String(journeys.length),
    ...details.flatMap((detail) => {
      const { spans, bytes } = measure(journeys, detail);
      return [(spans / journeys.length).toFixed(1), format(bytes / journeys.length)];
    }),
  ]);
  const heads = details.flatMap((detail) => [`spans by ${detail}`, "bytes"]);
  return table(["recording", "journeys", ...heads], rows);
}

async function renderProfiles(demo: readonly JourneySpans[]): Promise<string> {
  const rows: string[][] = [];
  for (const name of profileNames) {
    const config = await configure(["--profile", name]);
    const kept = demo.filter(({ journey }) => isWanted(journey, config));
    const share = kept.length / demo.length / config.sampleOneIn;
    const cells = details.map((detail) => {
      const { spans, bytes } = measure(kept, detail);
      const perSecond = (share * PACKETS_PER_SECOND) / kept.length;
      return `${format(spans * perSecond)} spans, ${formatBytes(bytes * perSecond)}`;
    });
    rows.push([`\`${name}\``, format(share * PACKETS_PER_SECOND), ...cells]);
  }
  return table(["profile", "journeys a second", ...details.map((detail) => `by ${detail}`)], rows);
}

function renderLimits(): string {
  const rows = Object.values<TempoLimit>(tempoLimits).map(({ setting, value, unit, meaning, source }) => {
    return [`\`${setting}\``, `${format(value)} ${unit}`, meaning, `<${source}>`];
  });
  return table(["setting", "default", "what it limits", "source"], rows);
}

async function renderDefaults(demo: readonly JourneySpans[]): Promise<string> {
  const seconds = await runAgent(demo, 100);
  const rate = seconds.reduce((total, { bytes }) => total + bytes, 0) / SECONDS;
  const spans = seconds.reduce((total, second) => total + second.spans, 0) / SECONDS;
  const row = (what: string, one: number, limit: TempoLimit): string[] => [
    what,
    format(one),
    format(NODES * one),
    format(limit.value),
    `${Math.round((100 * NODES * one) / limit.value)} %`,
  ];
  return table(
    ["", "one agent", `${NODES} agents`, "Tempo's limit", "of it"],
    [
      row(
        `live traces: the most in ${LIVE_SECONDS} s`,
        mostIn(seconds, LIVE_SECONDS, "traces"),
        tempoLimits.liveTraces,
      ),
      row(
        `bytes of live traces: the most in ${LIVE_SECONDS} s`,
        mostIn(seconds, LIVE_SECONDS, "bytes"),
        tempoLimits.liveBytes,
      ),
      row("bytes a second, on average", rate, tempoLimits.bytesPerSecond),
      row("bytes at once: the most in 1 s", mostIn(seconds, 1, "bytes"), tempoLimits.burstBytes),
      ["spans a second, on average", format(spans), format(NODES * spans), "none", ""],
    ],
  );
}

function measure(journeys: readonly JourneySpans[], detail: Detail): { spans: number; bytes: number } {
  const folded = journeys.map((journey) => foldJourney(journey, detail));
  return {
    spans: folded.reduce((total, { spans }) => total + spans.length, 0),
    bytes: folded.reduce((total, journey) => total + weighJourney(journey), 0),
  };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function format(value: number): string {
  return Math.round(value).toLocaleString("en-GB");
}

function formatBytes(value: number): string {
  return value >= 1e6 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e3).toFixed(0)} kB`;
}
