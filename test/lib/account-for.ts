import assert from "node:assert/strict";
import type { OtlpSink, OtlpSinkStats } from "../../exporter/export/create-otlp-sink.js";
import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { traceIdOf } from "./number-journeys.js";
import type { OtlpServer } from "./start-otlp-server.js";

/** Made = sent + each cause of loss + waiting, to the last journey and span. */
export function assertBalance(sink: OtlpSink, made: readonly JourneySpans[]): OtlpSinkStats {
  const stats = sink.stats();
  assert.equal(stats.acceptedJourneys, made.length);
  assert.equal(stats.sentJourneys + sum(stats.lostJourneys) + stats.waitingJourneys, made.length, describe(stats));
  const spans = made.reduce((total, journey) => total + journey.spans.length, 0);
  assert.equal(stats.acceptedSpans, spans);
  if (stats.waitingJourneys === 0) assert.equal(stats.sentSpans + sum(stats.lostSpans), spans, describe(stats));
  return stats;
}

/**
 * After the sink is closed: the balance, and that the receivers have what is said to be sent. `isAmbiguous`: an answer may
 * have been lost on its way, so they may have more.
 */
export function assertAccountedFor(
  sink: OtlpSink,
  made: readonly JourneySpans[],
  servers: readonly OtlpServer[],
  { isAmbiguous = false } = {},
): OtlpSinkStats {
  const stats = assertBalance(sink, made);
  assert.equal(stats.waitingJourneys, 0, "nothing waits in a sink that is closed");
  const arrived = new Set(servers.flatMap(({ accepted }) => [...accepted.keys()]));
  const known = new Set(made.map(traceIdOf));
  for (const trace of arrived) assert.ok(known.has(trace), `${trace} was never made`);
  const whole = arrived.size - (stats.lostJourneys["rejected"] ?? 0);
  if (isAmbiguous) assert.ok(whole >= stats.sentJourneys, `${whole} arrived, ${describe(stats)}`);
  else assert.equal(whole, stats.sentJourneys, describe(stats));
  return stats;
}

/** Causes that happened. */
export function lossesOf(sink: OtlpSink): Record<string, number> {
  return Object.fromEntries(Object.entries(sink.stats().lostJourneys).filter(([, count]) => count > 0));
}

/** Polls, for two minutes at most: on a busy machine what takes a second takes many. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let round = 0; round < 6000; round++) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`${what} did not come`);
}

function describe(stats: OtlpSinkStats): string {
  return JSON.stringify(stats);
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
