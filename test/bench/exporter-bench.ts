import { setImmediate as nextTurn } from "node:timers/promises";
import { createOtlpSink } from "../../exporter/export/create-otlp-sink.js";
import type { JourneySpans } from "../../exporter/map/packet-span.js";
import { createPipeline, runPipeline } from "../../exporter/pipeline.js";
import { buildBenchRecording } from "./build-bench-recording.js";
import { type ApiJourney, createStockSender, type StockSender, toApiJourney } from "./create-stock-sender.js";
import { type Answerer, startAnswerer } from "./start-answerer.js";

/*
 * Spans a second, from a recording's bytes to the receiver's last answer. Three senders take turns in one process:
 *   skbspan        decode, map, encode, send
 *   stock          decode, map, then the stock tracer, batch processor and exporter
 *   stock-prepared the stock part alone, with spans made before the clock starts
 */

const JOURNEYS = 4000;
const ROUNDS = 7;
const WARM_UP_ROUNDS = 3;
const CHUNK_BYTES = 64 * 1024;
const ANSWER_TIMEOUT_MS = 10_000;
const resource = { "service.name": "skbspan", "host.name": "worker-1" };

export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

export interface ExporterFigures {
  readonly spans: number;
  readonly senders: Readonly<Record<SenderName, SenderFigures>>;
  /** skbspan's figures by those of the other sender in the same round: more than 1 is better. */
  readonly ratios: Readonly<Record<Exclude<SenderName, "skbspan">, SenderFigures>>;
}

export interface SenderFigures {
  readonly spansPerSecond: Spread;
  /** Of processor time, all threads of the process: what a busy machine changes least. */
  readonly spansPerCpuSecond: Spread;
}

export type SenderName = "skbspan" | "stock" | "stock-prepared";

interface Workload {
  readonly recording: Uint8Array;
  readonly spans: number;
  readonly prepared: readonly ApiJourney[];
}

/** Sends the workload once; resolves to the spans that the receiver accepted. */
type Sender = (workload: Workload, url: string) => Promise<number>;

const senders: Readonly<Record<SenderName, Sender>> = {
  skbspan: sendWithSkbspan,
  stock: sendWithStock,
  "stock-prepared": sendPreparedWithStock,
};
const senderNames = Object.keys(senders) as SenderName[];

export async function benchExporter(onProgress: (line: string) => void = () => undefined): Promise<ExporterFigures> {
  const workload = prepareWorkload();
  await checkSenders(workload);
  onProgress(
    `${JOURNEYS} journeys, ${workload.spans} spans, ${workload.recording.length} bytes; every sender delivers all`,
  );
  const answerer = await startAnswerer({ decodes: false });
  try {
    const rounds = await runRounds(workload, answerer, onProgress);
    return summarise(workload, rounds);
  } finally {
    await answerer.stop();
  }
}

function prepareWorkload(): Workload {
  const recording = buildBenchRecording(JOURNEYS);
  const journeys: JourneySpans[] = [];
  const pipeline = createPipeline({ sinks: [], onJourney: (journey) => void journeys.push(journey) });
  pipeline.push(recording);
  pipeline.end();
  return { recording, spans: pipeline.spans, prepared: journeys.map(toApiJourney) };
}

/** A sender that loses spans would be fast: the receiver decodes and counts what it gets, once, before the measurement. */
async function checkSenders(workload: Workload): Promise<void> {
  for (const name of senderNames) {
    const answerer = await startAnswerer({ decodes: true });
    try {
      await senders[name](workload, answerer.endpoint);
      const { spans } = await answerer.counts();
      if (spans !== workload.spans) throw new Error(`${name} delivered ${spans} of ${workload.spans} spans`);
    } finally {
      await answerer.stop();
    }
  }
}

interface Rate {
  readonly spansPerSecond: number;
  readonly spansPerCpuSecond: number;
}

type Round = Readonly<Record<SenderName, Rate>>;

async function runRounds(workload: Workload, answerer: Answerer, onProgress: (line: string) => void): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const rates = new Map<SenderName, Rate>();
    for (let turn = 0; turn < senderNames.length; turn++) {
      // Whoever goes first finds another heap: take turns.
      const name = senderNames[(turn + round + WARM_UP_ROUNDS) % senderNames.length] as SenderName;
      rates.set(name, await measure(name, workload, answerer.endpoint));
    }
    const complete = Object.fromEntries(rates) as Record<SenderName, Rate>;
    if (round >= 0) rounds.push(complete);
    const line = senderNames.map((name) => describeRate(name, complete[name])).join(", ");
    onProgress(`${round < 0 ? "warm-up" : `round ${round + 1} of ${ROUNDS}`}: ${line}`);
  }
  return rounds;
}

function describeRate(name: SenderName, { spansPerSecond, spansPerCpuSecond }: Rate): string {
  return `${name} ${Math.round(spansPerSecond / 1000)}k spans/s (${Math.round(spansPerCpuSecond / 1000)}k a CPU second)`;
}

async function measure(name: SenderName, workload: Workload, url: string): Promise<Rate> {
  globalThis.gc?.();
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const sent = await senders[name](workload, url);
  const cpu = process.cpuUsage(startCpu);
  const elapsedMs = performance.now() - startMs;
  if (sent !== workload.spans) throw new Error(`${name} delivered ${sent} of ${workload.spans} spans`);
  return {
    spansPerSecond: (1e3 * workload.spans) / elapsedMs,
    spansPerCpuSecond: (1e6 * workload.spans) / (cpu.user + cpu.system),
  };
}

async function sendWithSkbspan(workload: Workload, url: string): Promise<number> {
  const sink = createOtlpSink({ url, isPatient: true });
  await runPipeline(createPipeline({ sinks: [sink] }), chunksOf(workload.recording));
  await sink.flush();
  const { sentSpans } = sink.stats();
  void sink.close();
  return sentSpans;
}

async function sendWithStock(workload: Workload, url: string): Promise<number> {
  const sender = createStockSender(url, resource);
  const pipeline = createPipeline({ sinks: [], onJourney: (journey) => sender.send(toApiJourney(journey)) });
  await runPipeline(pipeline, chunksOf(workload.recording));
  return finishStock(sender, workload);
}

async function sendPreparedWithStock(workload: Workload, url: string): Promise<number> {
  const sender = createStockSender(url, resource);
  for (const [index, journey] of workload.prepared.entries()) {
    sender.send(journey);
    if (index % 64 === 63) await nextTurn();
  }
  return finishStock(sender, workload);
}

/** The batch processor's flush does not wait for an export that its timer began: wait for the answers. */
async function finishStock(sender: StockSender, { spans }: Workload): Promise<number> {
  await sender.flush();
  const deadlineMs = performance.now() + ANSWER_TIMEOUT_MS;
  while (sender.sentSpans < spans && performance.now() < deadlineMs) await nextTurn();
  const { sentSpans } = sender;
  void sender.close();
  return sentSpans;
}

/** As a pipe would give them: the event loop turns between two. */
async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    yield bytes.subarray(at, at + CHUNK_BYTES);
    await nextTurn();
  }
}

function summarise(workload: Workload, rounds: readonly Round[]): ExporterFigures {
  const figures = (pick: (round: Round, key: keyof Rate) => number): SenderFigures => ({
    spansPerSecond: spreadOf(rounds.map((round) => pick(round, "spansPerSecond"))),
    spansPerCpuSecond: spreadOf(rounds.map((round) => pick(round, "spansPerCpuSecond"))),
  });
  const of = (name: SenderName) => figures((round, key) => round[name][key]);
  const against = (name: SenderName) => figures((round, key) => round.skbspan[key] / round[name][key]);
  return {
    spans: workload.spans,
    senders: { skbspan: of("skbspan"), stock: of("stock"), "stock-prepared": of("stock-prepared") },
    ratios: { stock: against("stock"), "stock-prepared": against("stock-prepared") },
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const [lowest = 0, highest = 0] = [sorted.at(0), sorted.at(-1)];
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, lowest, highest };
}
