import { setTimeout as sleep } from "node:timers/promises";
import type { MessageFrame } from "../decode/frame.js";
import { StreamError } from "../decode/stream-error.js";
import type { Joiner } from "../join/create-joiner.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { JourneySpans } from "../map/packet-span.js";
import { createPipeline, type Pipeline, type PipelineOptions } from "../pipeline.js";
import { catchInterrupts } from "./catch-interrupts.js";
import type { CommandContext } from "./command-context.js";
import { createSessionJoiner } from "./create-session-joiner.js";
import { createSessionPods, type SessionPods } from "./create-session-pods.js";
import { createSessionVolume, type SessionVolume } from "./create-session-volume.js";
import type { NamedSink } from "./create-sinks.js";
import { formatCount } from "./describe-stats.js";
import { isWanted } from "./is-wanted.js";
import type { Source } from "./open-source.js";
import { renderLosses, renderSummary } from "./render-summary.js";

/** What takes the bytes: a pipeline, or the writer of a recording. */
export type Consumer = Pick<Pipeline, "state" | "journeys" | "spans" | "push" | "end" | "drained" | "close">;
export type ConsumerHooks = Required<
  Pick<PipelineOptions, "isShed" | "refuses" | "keep" | "reduce" | "onMessage" | "resolver" | "waitingRoom">
> &
  Pick<PipelineOptions, "joiner">;

export interface SessionOptions {
  readonly context: CommandContext;
  readonly source: Source;
  /** Whose losses are told at the end. */
  readonly sinks: readonly NamedSink[];
  /** Default: of one that asks no API server. */
  readonly pods?: SessionPods;
  /** Default: none is known. */
  readonly farEnds?: PipelineOptions["farEnds"];
  /** Default: one of its own. */
  readonly volume?: SessionVolume;
  /** Default: one of its own. */
  readonly joiner?: Joiner | undefined;
  /** Default: a pipeline into the sinks. */
  readonly createConsumer?: (hooks: ConsumerHooks) => Consumer;
  /** What goes on, once a second; undefined when there is nothing to say. */
  readonly describeProgress?: (consumer: Consumer, elapsedMs: number) => string | undefined;
}

const STATUS_EVERY_MS = 1_000;
/**
 * A tracer that was asked to end, detaches and writes what it has. Where kprobes are taken away one by one (Linux 6.1), some 20 to 35 go
 * a second: 1,600 take a minute. Ctrl-C once more does not wait.
 */
const END_TIMEOUT_MS = 120_000;

/**
 * Reads a source to its end, or to Ctrl-C, and says at the end what was seen, kept and lost. What came before a failure
 * reaches the sinks all the same.
 */
export async function runSession(options: SessionOptions): Promise<void> {
  const session = new Session(options);
  await session.run();
}

class Session {
  private readonly context: CommandContext;
  private readonly source: Source;
  private readonly sinks: readonly NamedSink[];
  private readonly consumer: Consumer;
  private readonly volume: SessionVolume;
  private readonly pods: SessionPods;
  private readonly joiner: Joiner | undefined;
  private readonly startMs = performance.now();
  private keptJourneys = 0;
  private readonly stopping = new AbortController();

  constructor(private readonly options: SessionOptions) {
    this.context = options.context;
    this.source = options.source;
    this.sinks = options.sinks;
    this.volume = options.volume ?? createSessionVolume(options.context, options.source.isRecording);
    this.pods = options.pods ?? createSessionPods(options.context, undefined);
    this.joiner = "joiner" in options ? options.joiner : createSessionJoiner(options.context.config);
    const hooks: ConsumerHooks = {
      isShed: (journey, state) => isWanted(journey, options.context.config) && this.volume.isShed(journey, state),
      refuses: (journey, ...how) =>
        isWanted(journey, options.context.config) ? this.volume.refuses(journey, ...how) : undefined,
      keep: (spans) => this.keep(spans),
      reduce: (spans) => this.volume.reduce(spans),
      onMessage: (message) => this.relay(message),
      resolver: this.pods.resolver,
      waitingRoom: this.pods.waitingRoom,
      joiner: this.joiner,
    };
    const createConsumer =
      options.createConsumer ??
      ((chosen) =>
        createPipeline({ ...chosen, farEnds: options.farEnds, sinks: options.sinks.map(({ sink }) => sink) }));
    this.consumer = createConsumer(hooks);
    this.pods.follow(options.source);
  }

  async run(): Promise<void> {
    const { reporter, standardOutput } = this.context;
    const interrupts = catchInterrupts(
      () => this.stop(),
      () => this.source.kill(),
    );
    standardOutput.closed.addEventListener("abort", () => this.stop());
    const status = setInterval(() => this.showStatus(), STATUS_EVERY_MS);
    let failure: unknown;
    try {
      if (standardOutput.closed.aborted) this.stop();
      await this.withDeadline(this.readAll());
    } catch (error) {
      failure = error;
      this.source.kill();
    }
    clearInterval(status);
    reporter.setStatus(undefined);
    await this.consumer.close();
    interrupts.release();
    this.sayEnd();
    if (failure !== undefined) throw failure;
    this.checkExported();
  }

  /** Some loss is told in the summary; when nothing at all arrived, the command did not do its work. */
  private checkExported(): void {
    for (const { name, sink } of this.sinks) {
      const { acceptedSpans, sentSpans } = sink.stats();
      if (name === "otlp" && acceptedSpans > 0 && sentSpans === 0)
        throw new UserError(
          exitCode.failure,
          `No span reached the collector: all ${formatCount(acceptedSpans)} are lost.`,
          {
            hint: "OTEL_EXPORTER_OTLP_ENDPOINT says where to send, OTEL_EXPORTER_OTLP_PROTOCOL how; the default is gRPC to http://localhost:4317.",
          },
        );
    }
  }

  private async readAll(): Promise<void> {
    try {
      for await (const chunk of this.source.bytes) {
        this.consumer.push(chunk);
        await this.waitForConsumer();
      }
      if (!this.isCutByUs()) this.consumer.end();
    } catch (error) {
      throw error instanceof StreamError ? this.toUserError(error) : error;
    }
  }

  /** A recording that is not wanted any further, or a tracer that was stopped before it was attached, has no END. */
  private isCutByUs(): boolean {
    return this.isStopped && (this.source.isRecording || !this.consumer.state.hello);
  }

  /** Not after a stop: a reader that takes nothing is not to hold up the end. */
  private async waitForConsumer(): Promise<void> {
    const wait = this.consumer.drained();
    if (!wait || this.isStopped) return;
    const waited = new AbortController();
    const stopped = new Promise<void>((resolve) => {
      this.stopping.signal.addEventListener("abort", () => resolve(), { signal: waited.signal });
    });
    await Promise.race([wait, stopped]);
    waited.abort();
  }

  private toUserError(error: StreamError): UserError {
    const where = `${this.source.name}, byte ${error.offset}`;
    return new UserError(exitCode.stream, `Cannot read ${where}: ${error.message}`, { cause: error });
  }

  /** After a stop the end has to come in a bounded time, even when a reader of ours takes nothing any more. */
  private async withDeadline(reading: Promise<void>): Promise<void> {
    const ended = new AbortController();
    const overdue = new Promise<void>((_, reject) => {
      this.stopping.signal.addEventListener("abort", () => {
        sleep(END_TIMEOUT_MS, undefined, { signal: ended.signal, ref: false }).then(
          () =>
            reject(
              new UserError(
                exitCode.failure,
                `${this.source.name} did not end within ${END_TIMEOUT_MS / 1000} s; it was killed.`,
              ),
            ),
          () => {},
        );
      });
    });
    try {
      await Promise.race([reading, overdue]);
    } finally {
      ended.abort();
    }
  }

  private get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private stop(): void {
    this.stopping.abort();
    this.source.stop();
  }

  /** The tracer has filtered already; a recording is asked again. */
  private keep({ journey }: JourneySpans): boolean {
    const { maxJourneys } = this.context.config;
    if (!isWanted(journey, this.context.config)) return false;
    if (maxJourneys !== undefined && this.keptJourneys >= maxJourneys) return false;
    this.keptJourneys++;
    if (this.keptJourneys === maxJourneys && this.source.isRecording) this.stop();
    return true;
  }

  private relay({ level, text }: MessageFrame): void {
    if (level === "warning") this.context.reporter.warn(text);
    else if (!this.context.config.isQuiet) this.context.reporter.say(`skbspan: ${text}`);
  }

  private get elapsedMs(): number {
    return performance.now() - this.startMs;
  }

  private showStatus(): void {
    this.volume.tick();
    if (this.context.config.isQuiet || this.isStopped) return;
    this.context.reporter.setStatus(this.options.describeProgress?.(this.consumer, this.elapsedMs));
  }

  private sayEnd(): void {
    const { reporter, config } = this.context;
    const { state } = this.consumer;
    const summary = {
      stats: state.hello ? state.stats : undefined,
      keptJourneys: this.consumer.journeys,
      keptSpans: this.consumer.spans,
      elapsedMs: this.elapsedMs,
      isRecording: this.source.isRecording,
      waiting: this.pods.waitingRoom.stats(),
      volume: this.volume.stats(),
      ...(this.joiner ? { joining: this.joiner.stats() } : {}),
      detail: config.detail,
      sinks: this.sinks.map(({ name, sink }) => ({ name, stats: sink.stats() })),
    };
    const lines = config.isQuiet ? renderLosses(summary) : renderSummary(summary);
    if (state.hello || this.consumer.journeys > 0) for (const line of lines) reporter.say(line);
  }
}
