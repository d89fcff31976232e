import { buildGoPrograms, collectorProgram, isBuilt } from "../backends/lib/go-programs.js";
import { type Collector, renderCollectorConfig, startCollector } from "../backends/lib/start-collector.js";
import type { SenderName, Sending, SendRequest } from "./bench-sender.js";
import { SPANS_PER_JOURNEY } from "./build-bench-recording.js";
import { startAnswerer } from "./start-answerer.js";
import { type Child, startChild } from "./start-child.js";

/*
 * Spans a second, from a recording's bytes to the receiver's last answer: skbspan's exporter against the stock tracer,
 * batch processor and exporter on the same spans. The senders (bench-sender.ts) take turns, one at a time: into a process
 * that only answers, and into the real Collector when it is in the cache. At last, how late the event loop is at a given pace.
 */

const JOURNEYS = 8000;
const ROUNDS = 7;
const COLLECTOR_ROUNDS = 5;
/** Both need about half a million spans before the compiler has done with them. */
const WARM_UP_ROUNDS = 3;
const PACE = { spansPerSecond: 50_000, seconds: 10 };
const COUNT_TIMEOUT_MS = 30_000;

export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

export interface Rates {
  readonly spansPerSecond: Spread;
  /** Of processor time, all threads of the process: what a busy machine changes least. */
  readonly spansPerCpuSecond: Spread;
}

/** What was sent into one receiver, in turns. */
export interface Comparison {
  readonly title: string;
  readonly senders: Readonly<Record<string, Rates>>;
  /** The rates of the first named by those of the second in the same round: more than 1 is better. */
  readonly ratios: readonly { readonly of: string; readonly to: string; readonly rates: Rates }[];
}

export interface PacedFigures {
  readonly receiver: string;
  readonly spansPerSecond: number;
  readonly delayMs: NonNullable<Sending["delayMs"]>;
  /** Of one processor. */
  readonly cpuShare: number;
}

export interface ExporterFigures {
  readonly spans: number;
  readonly comparisons: readonly Comparison[];
  readonly paced: readonly PacedFigures[];
}

/** One of those that take turns. */
interface Turn {
  readonly name: string;
  readonly sender: SenderName;
  readonly request: SendRequest;
}

type Senders = Readonly<Record<SenderName, Child>>;
type Say = (line: string) => void;

const SPANS = JOURNEYS * SPANS_PER_JOURNEY;
const senderNames: readonly SenderName[] = ["skbspan", "stock", "stock-prepared"];

export async function benchExporter(onProgress: Say = () => undefined): Promise<ExporterFigures> {
  const senders = Object.fromEntries(
    senderNames.map((name) => [name, startChild("bench-sender", name, String(JOURNEYS))]),
  ) as unknown as Senders;
  try {
    await checkSenders(senders);
    onProgress(`${JOURNEYS} journeys, ${SPANS} spans; every sender delivers all of them`);
    const answered = await compareIntoAnswerer(senders, onProgress);
    const collected = (await isBuilt(collectorProgram)) ? await compareIntoCollector(senders, onProgress) : undefined;
    if (!collected) onProgress("no Collector in the cache: `npm run test:backends` builds it");
    return {
      spans: SPANS,
      comparisons: [answered.comparison, ...(collected?.comparisons ?? [])],
      paced: [answered.paced, ...(collected ? [collected.paced] : [])],
    };
  } finally {
    await Promise.all(Object.values(senders).map((sender) => sender.stop()));
  }
}

/** A sender that loses spans would be fast: the receiver decodes and counts what it gets, once, before the measurement. */
async function checkSenders(senders: Senders): Promise<void> {
  for (const name of senderNames) {
    const answerer = await startAnswerer({ decodes: true });
    try {
      await sendAll(senders, { name, sender: name, request: { endpoint: answerer.endpoint } });
      const { spans } = await answerer.counts();
      if (spans !== SPANS) throw new Error(`${name} sent ${SPANS} spans, ${spans} arrived`);
    } finally {
      await answerer.stop();
    }
  }
}

async function compareIntoAnswerer(
  senders: Senders,
  onProgress: Say,
): Promise<{ comparison: Comparison; paced: PacedFigures }> {
  const answerer = await startAnswerer({ decodes: false });
  try {
    const request = { endpoint: answerer.endpoint };
    const turns = senderNames.map((name) => ({ name, sender: name, request }));
    const rounds = await runRounds(senders, turns, ROUNDS, onProgress);
    const comparison = compare("into a process that only answers", rounds, [
      ["skbspan", "stock"],
      ["skbspan", "stock-prepared"],
    ]);
    return { comparison, paced: await runPaced(senders, "a process that only answers", request) };
  } finally {
    await answerer.stop();
  }
}

async function compareIntoCollector(
  senders: Senders,
  onProgress: Say,
): Promise<{ comparisons: Comparison[]; paced: PacedFigures }> {
  await buildGoPrograms([collectorProgram]);
  const collector = await startCollector({ config: renderCollectorConfig });
  try {
    const comparisons: Comparison[] = [];
    for (const isCompressed of [false, true]) {
      const turns = turnsIntoCollector(collector.grpcUrl, isCompressed);
      const acceptedBefore = await collector.count("otelcol_receiver_accepted_spans");
      const rounds = await runRounds(senders, turns, COLLECTOR_ROUNDS, onProgress);
      await checkAccepted(collector, acceptedBefore + SPANS * turns.length * (COLLECTOR_ROUNDS + WARM_UP_ROUNDS));
      const title = `into the Collector, ${isCompressed ? "with" : "without"} gzip`;
      comparisons.push(
        compare(
          title,
          rounds,
          turns.slice(0, -1).map(({ name }) => [name, "stock"]),
        ),
      );
    }
    return { comparisons, paced: await runPaced(senders, "the Collector", { endpoint: collector.grpcUrl }) };
  } finally {
    await collector.stop();
  }
}

/** The batch processor has no choice of its own: it sends one request after another, and at the end all at once. */
function turnsIntoCollector(endpoint: string, isCompressed: boolean): Turn[] {
  const ours = [1, 4, 16].map((inFlight) => {
    return {
      name: `skbspan, ${inFlight} in flight`,
      sender: "skbspan" as const,
      request: { endpoint, isCompressed, inFlight },
    };
  });
  return [...ours, { name: "stock", sender: "stock", request: { endpoint, isCompressed } }];
}

async function checkAccepted(collector: Collector, expected: number): Promise<void> {
  const deadlineMs = performance.now() + COUNT_TIMEOUT_MS;
  for (;;) {
    const accepted = await collector.count("otelcol_receiver_accepted_spans");
    if (accepted === expected) return;
    if (performance.now() > deadlineMs) throw new Error(`the Collector accepted ${accepted} of ${expected} spans`);
  }
}

type Round = ReadonlyMap<string, Sending>;

async function runRounds(
  senders: Senders,
  turns: readonly Turn[],
  count: number,
  onProgress: Say,
): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  for (let round = -WARM_UP_ROUNDS; round < count; round++) {
    const sendings = new Map<string, Sending>();
    for (let offset = 0; offset < turns.length; offset++) {
      const turn = turns[(offset + round + WARM_UP_ROUNDS) % turns.length] as Turn;
      sendings.set(turn.name, await sendAll(senders, turn));
    }
    if (round >= 0) rounds.push(sendings);
    const line = turns.map(({ name }) => describeSending(name, sendings.get(name) as Sending)).join(", ");
    onProgress(`${round < 0 ? "warm-up" : `round ${round + 1} of ${count}`}: ${line}`);
  }
  return rounds;
}

async function sendAll(senders: Senders, { name, sender, request }: Turn): Promise<Sending> {
  const sending = await senders[sender].ask<Sending>(request);
  if (sending.spans !== SPANS) throw new Error(`${name} delivered ${sending.spans} of ${SPANS} spans`);
  return sending;
}

async function runPaced(senders: Senders, receiver: string, request: SendRequest): Promise<PacedFigures> {
  const { spans, elapsedMs, cpuMs, delayMs } = await senders.skbspan.ask<Sending>({ ...request, pace: PACE });
  if (!delayMs) throw new Error("the sender did not measure its event loop");
  return { receiver, spansPerSecond: (1000 * spans) / elapsedMs, delayMs, cpuShare: cpuMs / elapsedMs };
}

type Rate = (sending: Sending) => number;

const spansPerSecond: Rate = ({ spans, elapsedMs }) => (1000 * spans) / elapsedMs;
const spansPerCpuSecond: Rate = ({ spans, cpuMs }) => (1000 * spans) / cpuMs;

function describeSending(name: string, sending: Sending): string {
  const [wall, cpu] = [spansPerSecond(sending), spansPerCpuSecond(sending)].map((rate) => Math.round(rate / 1000));
  return `${name} ${wall}k spans a second (${cpu}k a CPU second)`;
}

function compare(title: string, rounds: readonly Round[], pairs: readonly (readonly [string, string])[]): Comparison {
  const rates = (of: (round: Round, rate: Rate) => number): Rates => ({
    spansPerSecond: spreadOf(rounds.map((round) => of(round, spansPerSecond))),
    spansPerCpuSecond: spreadOf(rounds.map((round) => of(round, spansPerCpuSecond))),
  });
  const sendingOf = (round: Round, name: string): Sending => round.get(name) as Sending;
  const names = [...(rounds[0]?.keys() ?? [])].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return {
    title,
    senders: Object.fromEntries(names.map((name) => [name, rates((round, rate) => rate(sendingOf(round, name)))])),
    ratios: pairs.map(([of, to]) => ({
      of,
      to,
      rates: rates((round, rate) => rate(sendingOf(round, of)) / rate(sendingOf(round, to))),
    })),
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const [lowest = 0, highest = 0] = [sorted.at(0), sorted.at(-1)];
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, lowest, highest };
}
