import { findCommand } from "../../exporter/config/commands.js";
import { loadConfig } from "../../exporter/config/load-config.js";
import type { Config } from "../../exporter/config/options.js";
import { weighJourney } from "../../exporter/export/weigh-journey.js";
import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { createVolume } from "../../exporter/volume/create-volume.js";

export const NODES = 10;
export const PACKETS_PER_SECOND = 1_000;
export const SECONDS = 60;

/** What left in a second. */
export interface SentSecond {
  traces: number;
  spans: number;
  bytes: number;
}

/** What `skbspan run` is configured to when these arguments are all that is said. */
export async function configure(argv: readonly string[]): Promise<Config> {
  const command = findCommand("run");
  if (!command) throw new Error("there is no command run");
  return (await loadConfig(command, argv, {})).config;
}

/** What an agent with `run`'s defaults sends when every packet is a trace of its own, and one in so many is dropped. */
export async function runAgent(journeys: readonly JourneySpans[], faultsOneIn: number): Promise<SentSecond[]> {
  const { detail, maxJourneysPerSecond, maxBytesPerSecond } = await configure([]);
  const limits = { journeysPerSecond: maxJourneysPerSecond, bytesPerSecond: maxBytesPerSecond };
  const volume = createVolume({ detail, limits, weigh: weighJourney });
  const faults = journeys.filter(({ isFault }) => isFault);
  const others = journeys.filter(({ isFault }) => !isFault);
  const seconds = Array.from({ length: SECONDS }, (): SentSecond => ({ traces: 0, spans: 0, bytes: 0 }));
  for (let packet = 0; packet < SECONDS * PACKETS_PER_SECOND; packet++) {
    const pool = packet % faultsOneIn === 0 ? faults : others;
    const traceId = new Uint8Array(16);
    new DataView(traceId.buffer).setUint32(12, Math.imul(packet + 1, 0x9e3779b1) >>> 0);
    const journey = { ...(pool[packet % pool.length] as JourneySpans), traceId };
    const sent = volume.admit(journey, (packet * 1000) / PACKETS_PER_SECOND);
    const second = seconds[Math.floor(packet / PACKETS_PER_SECOND)];
    if (!sent || !second) continue;
    second.traces++;
    second.spans += sent.spans.length;
    second.bytes += weighJourney(sent);
  }
  return seconds;
}

/** The most in any so many seconds on end. */
export function mostIn(seconds: readonly SentSecond[], window: number, measure: keyof SentSecond): number {
  const sums = seconds.map((_, start) =>
    seconds.slice(start, start + window).reduce((total, second) => total + second[measure], 0),
  );
  return Math.max(...sums);
}
