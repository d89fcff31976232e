import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { createOtlpSink, type OtlpSink } from "../../exporter/export/create-otlp-sink.js";
import { createJoiner } from "../../exporter/join/create-joiner.js";
import { createPipeline, runPipeline } from "../../exporter/pipeline.js";
import { defaultJoining } from "../lib/default-joining.js";
import { buildBenchRecording, SPANS_PER_JOURNEY } from "./build-bench-recording.js";
import { type ApiJourney, createStockSender, type StockSender, toApiJourney } from "./create-stock-sender.js";

/*
 * A process that sends the same spans again and again, in one of three ways:
 *   skbspan         decode, map, encode, send
 *   stock           decode, map, then the stock tracer, batch processor and exporter
 *   stock-prepared  the stock part alone, with spans made before the clock starts
 * One way a process, so that none pays for another's memory. It speaks to its parent over IPC: each SendRequest is answered
 * with a Sending.
 */
export type SenderName = "skbspan" | "stock" | "stock-prepared";

export interface Sending {
  /** That the receiver accepted. */
  readonly spans: number;
  readonly elapsedMs: number;
  /** Of all threads of the process. */
  readonly cpuMs: number;
  /** How late the event loop was, when asked for. */
  readonly delayMs?: { readonly median: number; readonly p99: number; readonly highest: number };
}

export interface SendRequest {
  readonly endpoint: string;
  readonly isCompressed?: boolean;
  /** Requests on their way at once; skbspan alone has this choice. */
  readonly inFlight?: number;
  /** Absent: as fast as it goes. skbspan alone has this choice. */
  readonly pace?: Pace;
}

/** So many spans a second for so long. */
export interface Pace {
  readonly spansPerSecond: number;
  readonly seconds: number;
}

const CHUNK_BYTES = 64 * 1024;
const ANSWER_TIMEOUT_MS = 60_000;
/** Short against the delay that is measured. */
const PACE_EVERY_MS = 5;
const DELAY_RESOLUTION_MS = 1;
/** Prepared spans stay in memory, where the collector of garbage looks through them: few, and again and again. */
const PREPARED_PART = 4;
const resource = { "service.name": "skbspan", "host.name": "worker-1" };

const [name = "", journeyCount = ""] = process.argv.slice(2);
const journeys = Number(journeyCount);
const recording = buildBenchRecording(journeys);
const send = chooseSender(name as SenderName);

process.on("message", (request: SendRequest) => void measure(request).then((sending) => process.send?.(sending)));
process.on("disconnect", () => process.exit(0));

async function measure(request: SendRequest): Promise<Sending> {
  // Read when a sender is made, by all of them.
  process.env["OTEL_EXPORTER_OTLP_COMPRESSION"] = request.isCompressed ? "gzip" : "none";
  const delays = request.pace ? monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS }) : undefined;
  delays?.enable();
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const spans = await send(request);
  const { user, system } = process.cpuUsage(startCpu);
  const sending = { spans, elapsedMs: performance.now() - startMs, cpuMs: (user + system) / 1000 };
  if (!delays) return sending;
  delays.disable();
  const [median, p99, highest] = [delays.percentile(50), delays.percentile(99), delays.max].map(
    // What it measures is the whole of a wait that should last as long as the resolution.
    (ns) => Math.max(0, ns / 1e6 - DELAY_RESOLUTION_MS),
  ) as [number, number, number];
  return { ...sending, delayMs: { median, p99, highest } };
}

function chooseSender(sender: SenderName): (request: SendRequest) => Promise<number> {
  if (sender === "skbspan") return sendWithSkbspan;
  if (sender === "stock") return sendWithStock;
  const prepared = prepare();
  return (request) => sendPrepared(request, prepared);
}

async function sendWithSkbspan({ endpoint, inFlight, pace }: SendRequest): Promise<number> {
  const sink = createOtlpSink({
    url: endpoint,
    isPatient: true,
    flushTimeoutMs: ANSWER_TIMEOUT_MS,
    ...(inFlight === undefined ? {} : { maxConcurrentRequests: inFlight, maxBufferedBytes: 64 * 1024 * 1024 }),
  });
  if (pace) await sendPaced(sink, pace);
  else await runPipeline(createPipeline({ sinks: [sink], joiner: openJoiner() }), chunks());
  await sink.flush();
  const { sentSpans } = sink.stats();
  void sink.close();
  return sentSpans;
}

/** As by default, with nothing told of any request. */
const openJoiner = () => createJoiner(defaultJoining);

/** The recording over and over, as many bytes at a time as are due. */
async function sendPaced(sink: OtlpSink, { spansPerSecond, seconds }: Pace): Promise<void> {
  const bytesPerMs = ((recording.length / SPANS_PER_JOURNEY / journeys) * spansPerSecond) / 1000;
  const startMs = performance.now();
  let [pipeline, at, sentBytes] = [createPipeline({ sinks: [sink], joiner: openJoiner() }), 0, 0];
  for (;;) {
    const elapsedMs = performance.now() - startMs;
    if (elapsedMs >= 1000 * seconds) return;
    const piece = recording.subarray(at, at + Math.floor(elapsedMs * bytesPerMs) - sentBytes);
    pipeline.push(piece);
    sentBytes += piece.length;
    at += piece.length;
    if (at === recording.length) [pipeline, at] = [createPipeline({ sinks: [sink], joiner: openJoiner() }), 0];
    await sleep(PACE_EVERY_MS);
  }
}

async function sendWithStock({ endpoint }: SendRequest): Promise<number> {
  const sender = createStockSender(endpoint, resource);
  const pipeline = createPipeline({ sinks: [], onJourney: (journey) => sender.send(toApiJourney(journey)) });
  await runPipeline(pipeline, chunks());
  return finishStock(sender, pipeline.spans);
}

function prepare(): ApiJourney[] {
  const prepared: ApiJourney[] = [];
  const pipeline = createPipeline({ sinks: [], onJourney: (journey) => void prepared.push(toApiJourney(journey)) });
  pipeline.push(buildBenchRecording(journeys / PREPARED_PART));
  return prepared;
}

async function sendPrepared({ endpoint }: SendRequest, prepared: readonly ApiJourney[]): Promise<number> {
  const sender = createStockSender(endpoint, resource);
  let spans = 0;
  for (let part = 0; part < PREPARED_PART; part++)
    for (const [index, journey] of prepared.entries()) {
      sender.send(journey);
      spans += journey.spans.length;
      if (index % 64 === 63) await nextTurn();
    }
  return finishStock(sender, spans);
}

/** The batch processor's flush does not wait for an export that its timer began: wait for the answers. */
async function finishStock(sender: StockSender, spans: number): Promise<number> {
  await sender.flush();
  const deadlineMs = performance.now() + ANSWER_TIMEOUT_MS;
  while (sender.sentSpans < spans && performance.now() < deadlineMs) await nextTurn();
  const { sentSpans } = sender;
  void sender.close();
  return sentSpans;
}

/** As a pipe would give them: the event loop turns between two. */
async function* chunks(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < recording.length; at += CHUNK_BYTES) {
    yield recording.subarray(at, at + CHUNK_BYTES);
    await nextTurn();
  }
}
