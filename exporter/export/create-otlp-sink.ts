import type { JourneySpans } from "../map/packet-span.js";
import { createOtlpTransport } from "./create-otlp-transport.js";
import { createRequestBuilder, type RequestBuilder } from "./create-request-builder.js";
import { type QueueStats, RequestQueue } from "./create-request-queue.js";
import { type Interest, interests, type OtlpTransport } from "./otlp-request.js";
import { RequestMemory } from "./request-memory.js";
import type { Sink, SinkStats } from "./sink.js";

export interface OtlpSinkOptions {
  /** For gRPC. Absent: where and how the OTEL_EXPORTER_OTLP_* variables say, else gRPC to http://localhost:4317. */
  readonly url?: string;
  readonly transport?: OtlpTransport;
  /** Ask to wait instead of losing when the receiver is slow: for a recording, which can wait. */
  readonly isPatient?: boolean;
  /** Encoded requests that are kept while the receiver is slow or away; 32 MiB. */
  readonly maxBufferedBytes?: number;
  /** How long a journey may wait for company; 200 ms. */
  readonly batchDelayMs?: number;
  /** A request is sent when it is so large; 1 MiB. */
  readonly batchBytes?: number;
  /** Requests on their way at once; 4. */
  readonly maxConcurrentRequests?: number;
  /** How long `flush` and `close` may take; 5 s. */
  readonly flushTimeoutMs?: number;
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
  readonly giveUpMs?: number;
  /** For the user: the receiver is in trouble, or well again. */
  readonly onProblem?: (text: string) => void;
}

export interface OtlpSinkStats extends SinkStats, Pick<QueueStats, "sentRequests" | "retries" | "bufferedBytes"> {
  /** Accepted = sent + lost + waiting, at any time. */
  readonly waitingJourneys: number;
}

export interface OtlpSink extends Sink {
  stats(): OtlpSinkStats;
}

/** What receivers accept by default, by the OTLP specification. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
const MAX_CONCURRENT_REQUESTS = 4;

/** Sends journeys over OTLP. A journey's spans leave in one request, in none that is larger than 4 MiB. */
export function createOtlpSink(options: OtlpSinkOptions = {}): OtlpSink {
  return new Exporter(options);
}

class Exporter implements OtlpSink {
  private readonly transport: OtlpTransport;
  private readonly queue: RequestQueue;
  private readonly memory = new RequestMemory();
  private readonly builders: Readonly<Record<Interest, RequestBuilder>> = {
    fault: createRequestBuilder(this.memory),
    joined: createRequestBuilder(this.memory),
    ordinary: createRequestBuilder(this.memory),
  };
  private readonly batchBytes: number;
  private readonly batchDelayMs: number;
  private readonly flushTimeoutMs: number;
  private readonly isPatient: boolean;
  private timer: NodeJS.Timeout | undefined;
  private acceptedJourneys = 0;
  private acceptedSpans = 0;

  constructor(options: OtlpSinkOptions) {
    this.transport = options.transport ?? createOtlpTransport(options.url === undefined ? {} : { url: options.url });
    for (const warning of this.transport.warnings ?? []) options.onProblem?.(warning);
    const maxBytes = options.maxBufferedBytes ?? 32 * 1024 * 1024;
    const maxConcurrent = options.maxConcurrentRequests ?? MAX_CONCURRENT_REQUESTS;
    // A request as large as the buffer would never find room beside one that is on its way.
    this.batchBytes = Math.min(options.batchBytes ?? 1024 * 1024, maxBytes / (2 * maxConcurrent));
    this.batchDelayMs = options.batchDelayMs ?? 200;
    this.flushTimeoutMs = options.flushTimeoutMs ?? 5000;
    this.isPatient = options.isPatient ?? false;
    this.queue = new RequestQueue({
      transport: this.transport,
      maxBytes,
      maxConcurrent,
      firstBackoffMs: options.firstBackoffMs ?? 500,
      maxBackoffMs: options.maxBackoffMs ?? 30_000,
      giveUpMs: options.giveUpMs ?? 300_000,
      onAccepted: ({ bytes }) => this.memory.giveBack(bytes),
      onTrouble: (message) => options.onProblem?.(message),
      onRecovery: () => options.onProblem?.(`${this.transport.endpoint} accepts spans again`),
    });
  }

  accept(journeySpans: JourneySpans): void {
    this.acceptedJourneys++;
    this.acceptedSpans += journeySpans.spans.length;
    const interest = interestOf(journeySpans);
    const builder = this.builders[interest];
    builder.add(journeySpans);
    if (builder.bytes > MAX_REQUEST_BYTES) this.splitOff(interest, journeySpans);
    if (builder.bytes >= this.batchBytes) this.send(interest);
    if (!this.timer && builder.journeys > 0) this.timer = setTimeout(() => this.sendAll(), this.batchDelayMs);
  }

  drained(): Promise<void> | undefined {
    return this.isPatient ? this.queue.room() : undefined;
  }

  async flush(): Promise<void> {
    this.sendAll();
    await this.queue.idle(this.flushTimeoutMs);
  }

  async close(): Promise<void> {
    await this.flush();
    this.queue.abandon();
    // The delegate waits for requests on their way, up to its own timeout: not longer than we were given.
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, 500);
    });
    await Promise.race([this.transport.close().catch(() => undefined), timeout]);
    clearTimeout(timer);
  }

  stats(): OtlpSinkStats {
    const { bufferedJourneys, ...queued } = this.queue.stats();
    const { acceptedJourneys, acceptedSpans } = this;
    const building = interests.reduce((sum, interest) => sum + this.builders[interest].journeys, 0);
    const waitingJourneys = building + bufferedJourneys;
    return { acceptedJourneys, acceptedSpans, waitingJourneys, ...queued };
  }

  /** The journey that was just added made the request too large: it goes into the next one, if it fits into any. */
  private splitOff(interest: Interest, journeySpans: JourneySpans): void {
    const builder = this.builders[interest];
    builder.removeLast();
    if (builder.journeys > 0) this.send(interest);
    builder.add(journeySpans);
    if (builder.bytes <= MAX_REQUEST_BYTES) return;
    builder.removeLast();
    this.queue.countLoss("too_large", { journeys: 1, spans: journeySpans.spans.length });
  }

  private sendAll(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const interest of interests) this.send(interest);
  }

  private send(interest: Interest): void {
    const builder = this.builders[interest];
    if (builder.journeys === 0) return;
    const { journeys, spans } = builder;
    this.queue.offer({ bytes: builder.finish(), journeys, spans, interest });
  }
}

function interestOf({ isFault, parentSpanId }: JourneySpans): Interest {
  if (isFault) return "fault";
  return parentSpanId ? "joined" : "ordinary";
}
