import type { SenderName, Sending } from "./bench-sender.js";
import { type Answerer, startAnswerer } from "./start-answerer.js";
import { type Child, startChild } from "./start-child.js";

/*
 * Spans a second, from a recording's bytes to the receiver's last answer: skbspan's exporter against the stock tracer,
 * batch processor and exporter on the same spans. The senders (bench-sender.ts) take turns, one at a time.
 */

const JOURNEYS = 3000;
const ROUNDS = 7;
/** Both need about half a million spans before the compiler has done with them. */
const WARM_UP_ROUNDS = 8;

export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

export interface SenderFigures {
  readonly spansPerSecond: Spread;
  /** Of processor time, all threads of the process: what a busy machine changes least. */
  readonly spansPerCpuSecond: Spread;
}

export interface ExporterFigures {
  readonly spans: number;
  readonly senders: Readonly<Record<SenderName, SenderFigures>>;
  /** skbspan's figures by those of the other sender in the same round: more than 1 is better. */
  readonly ratios: Readonly<Record<Exclude<SenderName, "skbspan">, SenderFigures>>;
}

type Round = Readonly<Record<SenderName, Sending>>;
type Senders = Readonly<Record<SenderName, Child>>;

const senderNames: readonly SenderName[] = ["skbspan", "stock", "stock-prepared"];

export async function benchExporter(onProgress: (line: string) => void = () => undefined): Promise<ExporterFigures> {
  const senders = Object.fromEntries(
    senderNames.map((name) => [name, startChild("bench-sender", name, String(JOURNEYS))]),
  ) as unknown as Senders;
  const answerer = await startAnswerer({ decodes: false });
  try {
    const spans = await checkSenders(senders);
    onProgress(`${JOURNEYS} journeys, ${spans} spans; every sender delivers all of them`);
    return summarise(spans, await runRounds(senders, answerer, spans, onProgress));
  } finally {
    await Promise.all([answerer.stop(), ...Object.values(senders).map((sender) => sender.stop())]);
  }
}

/** A sender that loses spans would be fast: the receiver decodes and counts what it gets, once, before the measurement. */
async function checkSenders(senders: Senders): Promise<number> {
  const delivered = new Set<number>();
  for (const name of senderNames) {
    const answerer = await startAnswerer({ decodes: true });
    try {
      const sending = await senders[name].ask<Sending>({ endpoint: answerer.endpoint });
      const { spans } = await answerer.counts();
      if (spans !== sending.spans) throw new Error(`${name} sent ${sending.spans} spans, ${spans} arrived`);
      delivered.add(spans);
    } finally {
      await answerer.stop();
    }
  }
  const [spans = 0] = delivered;
  if (delivered.size !== 1 || spans < JOURNEYS) throw new Error(`senders delivered ${[...delivered].join(", ")} spans`);
  return spans;
}

async function runRounds(
  senders: Senders,
  answerer: Answerer,
  spans: number,
  onProgress: (line: string) => void,
): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const sendings = new Map<SenderName, Sending>();
    for (let turn = 0; turn < senderNames.length; turn++) {
      const name = senderNames[(turn + round + WARM_UP_ROUNDS) % senderNames.length] as SenderName;
      const sending = await senders[name].ask<Sending>({ endpoint: answerer.endpoint });
      if (sending.spans !== spans) throw new Error(`${name} delivered ${sending.spans} of ${spans} spans`);
      sendings.set(name, sending);
    }
    const complete = Object.fromEntries(sendings) as Record<SenderName, Sending>;
    if (round >= 0) rounds.push(complete);
    const line = senderNames.map((name) => describeSending(name, complete[name])).join(", ");
    onProgress(`${round < 0 ? "warm-up" : `round ${round + 1} of ${ROUNDS}`}: ${line}`);
  }
  return rounds;
}

const spansPerSecond = ({ spans, elapsedMs }: Sending): number => (1000 * spans) / elapsedMs;
const spansPerCpuSecond = ({ spans, cpuMs }: Sending): number => (1000 * spans) / cpuMs;

function describeSending(name: SenderName, sending: Sending): string {
  const [wall, cpu] = [spansPerSecond(sending), spansPerCpuSecond(sending)].map((rate) => Math.round(rate / 1000));
  return `${name} ${wall}k spans a second (${cpu}k a CPU second)`;
}

function summarise(spans: number, rounds: readonly Round[]): ExporterFigures {
  const figures = (of: (round: Round, rate: (sending: Sending) => number) => number): SenderFigures => ({
    spansPerSecond: spreadOf(rounds.map((round) => of(round, spansPerSecond))),
    spansPerCpuSecond: spreadOf(rounds.map((round) => of(round, spansPerCpuSecond))),
  });
  const rates = (name: SenderName) => figures((round, rate) => rate(round[name]));
  const against = (name: SenderName) => figures((round, rate) => rate(round.skbspan) / rate(round[name]));
  return {
    spans,
    senders: { skbspan: rates("skbspan"), stock: rates("stock"), "stock-prepared": rates("stock-prepared") },
    ratios: { stock: against("stock"), "stock-prepared": against("stock-prepared") },
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const [lowest = 0, highest = 0] = [sorted.at(0), sorted.at(-1)];
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, lowest, highest };
}
