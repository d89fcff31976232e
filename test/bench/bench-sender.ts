import { setImmediate as nextTurn } from "node:timers/promises";
import { createOtlpSink } from "../../exporter/export/create-otlp-sink.js";
import { createPipeline, runPipeline } from "../../exporter/pipeline.js";
import { buildBenchRecording } from "./build-bench-recording.js";
import { type ApiJourney, createStockSender, type StockSender, toApiJourney } from "./create-stock-sender.js";

/*
 * A process that sends the same spans again and again, in one of three ways:
 *   skbspan         decode, map, encode, send
 *   stock           decode, map, then the stock tracer, batch processor and exporter
 *   stock-prepared  the stock part alone, with spans made before the clock starts
 * One way a process, so that none pays for another's memory. It speaks to its parent over IPC: "send" to an endpoint is
 * answered with a Sending.
 */
export type SenderName = "skbspan" | "stock" | "stock-prepared";

export interface Sending {
  /** That the receiver accepted. */
  readonly spans: number;
  readonly elapsedMs: number;
  /** Of all threads of the process. */
  readonly cpuMs: number;
}

export interface SendRequest {
  readonly endpoint: string;
}

const CHUNK_BYTES = 64 * 1024;
const ANSWER_TIMEOUT_MS = 60_000;
const resource = { "service.name": "skbspan", "host.name": "worker-1" };

const [name = "", journeys = ""] = process.argv.slice(2);
const recording = buildBenchRecording(Number(journeys));
const send = chooseSender(name as SenderName);

process.on(
  "message",
  (request: SendRequest) => void measure(request.endpoint).then((sending) => process.send?.(sending)),
);
process.on("disconnect", () => process.exit(0));

async function measure(endpoint: string): Promise<Sending> {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  const spans = await send(endpoint);
  const { user, system } = process.cpuUsage(startCpu);
  return { spans, elapsedMs: performance.now() - startMs, cpuMs: (user + system) / 1000 };
}

function chooseSender(sender: SenderName): (endpoint: string) => Promise<number> {
  if (sender === "skbspan") return sendWithSkbspan;
  if (sender === "stock") return sendWithStock;
  const prepared = prepare();
  return (endpoint) => sendPrepared(endpoint, prepared);
}

async function sendWithSkbspan(url: string): Promise<number> {
  const sink = createOtlpSink({ url, isPatient: true, flushTimeoutMs: ANSWER_TIMEOUT_MS });
  await runPipeline(createPipeline({ sinks: [sink] }), chunks());
  await sink.flush();
  const { sentSpans } = sink.stats();
  void sink.close();
  return sentSpans;
}

async function sendWithStock(url: string): Promise<number> {
  const sender = createStockSender(url, resource);
  const pipeline = createPipeline({ sinks: [], onJourney: (journey) => sender.send(toApiJourney(journey)) });
  await runPipeline(pipeline, chunks());
  return finishStock(sender, pipeline.spans);
}

function prepare(): ApiJourney[] {
  const prepared: ApiJourney[] = [];
  const pipeline = createPipeline({ sinks: [], onJourney: (journey) => void prepared.push(toApiJourney(journey)) });
  pipeline.push(recording);
  return prepared;
}

async function sendPrepared(url: string, prepared: readonly ApiJourney[]): Promise<number> {
  const sender = createStockSender(url, resource);
  let spans = 0;
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
