import type { Config } from "../config/options.js";
import type { NodeState, TracerStats } from "../enrich/create-node-state.js";
import type { PodResolver } from "../enrich/create-pod-resolver.js";
import type { WaitingRoom } from "../enrich/create-waiting-room.js";
import type { FarEnds } from "../enrich/far-end.js";
import type { Sink } from "../export/sink.js";
import type { Joiner } from "../join/create-joiner.js";
import { describeSystemError } from "../lib/describe-system-error.js";
import { UserError } from "../lib/user-error.js";
import type { JourneySpans } from "../map/packet-span.js";
import { createPipeline } from "../pipeline.js";
import { startTracer, type Tracer } from "../tracer/start-tracer.js";
import { tracerArguments } from "../tracer/tracer-arguments.js";
import { tracerFailure } from "../tracer/tracer-failure.js";
import type { SessionSpec } from "./session-spec.js";

export interface SessionOptions {
  readonly spec: SessionSpec;
  /** What the agent runs with: the session's spec stands over it. */
  readonly config: Config;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Names, and the choice of network namespaces, for a configuration that selects pods. */
  readonly openPods: (config: Config) => SessionPods;
  /** Puts the session's journeys into the traces of applications; default: none is. */
  readonly openJoiner?: (config: Config) => Joiner | undefined;
  readonly farEnds?: FarEnds | undefined;
  /** The agent's: it outlives the session. */
  readonly sinks: readonly Pick<Sink, "accept">[];
  readonly onJourney?: (spans: JourneySpans) => void;
}

export interface SessionPods {
  readonly resolver: PodResolver;
  readonly waitingRoom: WaitingRoom;
  /** Keeps the tracer told where the selected pods are; it looks at no other packets. */
  follow(tracer: Pick<Tracer, "send">): unknown;
  close(): void;
}

export interface SessionCounts {
  /** Journeys that the tracer sent. */
  readonly seen: number;
  /** Journeys that left, at most as many as the session may have. */
  readonly kept: number;
  /** Journeys and hops that were lost on the way. */
  readonly lost: number;
}

export interface SessionEnd {
  readonly isFailure: boolean;
  /** For a person: what ended it. */
  readonly reason: string;
}

/** A tracer of its own, for a bounded time. */
export interface Session {
  counts(): SessionCounts;
  /** Resolves when the tracer is gone: nothing of the session is in the kernel any more. Never rejects. */
  readonly ended: Promise<SessionEnd>;
  /** Detaches. The first reason holds. */
  stop(reason: string): void;
}

/** What a probe costs, for the estimate: a hop that is recorded, a look at a packet that is not followed. */
const HOP_NS = 300;
const LOOK_NS = 100;
/** Hops of a journey that is not sent are not counted: ten of them. */
const DISCARDED_NS = 3_000;
/** More than that would keep the agent from its other work; the kernel leaves out what is more. Drops are rare: they are all seen. */
const MAX_JOURNEYS_PER_SECOND = 1_000;
const WATCH_EVERY_MS = 1_000;
/** A tracer that was told to end detaches and writes what it has; then it is killed. The 200 functions of `core` take up to 10 s one by one. */
const END_TIMEOUT_MS = 30_000;

/** Starts to trace. It ends by itself: after its time, its journeys, or when the probes take too much of a processor. */
export function startSession(options: SessionOptions): Session {
  return new RunningSession(options);
}

class RunningSession implements Session {
  readonly ended: Promise<SessionEnd>;
  private readonly tracer: Tracer | undefined;
  private state: Pick<NodeState, "stats"> | undefined;
  private kept = 0;
  private seen = 0;
  private reason: string | undefined;
  private hasFailed = false;
  private costNs = 0;
  private watchedMs = performance.now();

  constructor(private readonly options: SessionOptions) {
    const config = sessionConfig(options.config, options.spec);
    try {
      this.tracer = startTracer({ arguments: tracerArguments(config), environment: options.environment });
      this.ended = this.run(this.tracer, options.openPods(config), options.openJoiner?.(config));
    } catch (error) {
      this.ended = Promise.resolve({ isFailure: true, reason: describeFailure(error) });
    }
  }

  counts(): SessionCounts {
    const stats = this.state?.stats;
    const lost = stats
      ? stats.lostTableFull + stats.lostRingFull + stats.lostOutput + stats.lostHops + stats.lostMissed
      : 0;
    return { seen: this.seen, kept: this.kept, lost };
  }

  stop(reason: string): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.tracer?.stop();
    setTimeout(() => this.tracer?.kill(), END_TIMEOUT_MS).unref();
  }

  private async run(tracer: Tracer, pods: SessionPods, joiner: Joiner | undefined): Promise<SessionEnd> {
    const { durationSeconds } = this.options.spec.limits;
    const limit = setTimeout(() => this.stop(`its time of ${durationSeconds} s is over`), durationSeconds * 1_000);
    const watch = setInterval(() => this.watchOverhead(), WATCH_EVERY_MS);
    const pipeline = this.createPipeline(pods, joiner);
    try {
      pods.follow(tracer);
      for await (const chunk of tracer.stdout) pipeline.push(chunk);
      const exit = await tracer.exited;
      if (exit.code !== 0 && this.reason === undefined) throw tracerFailure(exit);
      // One that was stopped before it was attached has said nothing, and so no end.
      if (this.reason === undefined) pipeline.end();
    } catch (error) {
      this.hasFailed = this.reason === undefined;
      this.stop(describeFailure(error));
      tracer.kill();
      await tracer.exited;
    } finally {
      clearTimeout(limit);
      clearInterval(watch);
      pods.close();
    }
    return { isFailure: this.hasFailed, reason: this.reason ?? "the tracer ended" };
  }

  private createPipeline({ resolver, waitingRoom }: SessionPods, joiner: Joiner | undefined) {
    const { farEnds, sinks, onJourney } = this.options;
    const pipeline = createPipeline({
      sinks: [],
      resolver,
      waitingRoom,
      joiner,
      farEnds,
      onMapped: () => {
        this.seen++;
      },
      keep: () => this.keeps(),
      onJourney: (spans) => {
        for (const sink of sinks) sink.accept(spans);
        onJourney?.(spans);
      },
    });
    this.state = pipeline.state;
    return pipeline;
  }

  private keeps(): boolean {
    const { journeys } = this.options.spec.limits;
    if (this.reason !== undefined || this.kept >= journeys) return false;
    this.kept++;
    if (this.kept >= journeys) this.stop(`its ${journeys} journeys are there`);
    return true;
  }

  private watchOverhead(): void {
    const nowMs = performance.now();
    const costNs = estimateCostNs(this.state?.stats);
    const percent = (costNs - this.costNs) / 1e4 / Math.max(1, nowMs - this.watchedMs);
    this.costNs = costNs;
    this.watchedMs = nowMs;
    const { overheadPercent } = this.options.spec.limits;
    if (percent > overheadPercent)
      this.stop(`its probes took about ${Math.round(percent)} % of a processor, it may take ${overheadPercent} %`);
  }
}

/** @internal */
export function estimateCostNs(
  stats: Pick<TracerStats, "hops" | "notMatched" | "rateLimited" | "discarded"> | undefined,
): number {
  if (!stats) return 0;
  const { hops, notMatched, rateLimited, discarded } = stats;
  return hops * HOP_NS + (notMatched + rateLimited) * LOOK_NS + discarded * DISCARDED_NS;
}

function sessionConfig(config: Config, spec: SessionSpec): Config {
  const { selection, filter, probes, isDroppedOnly, limits } = spec;
  return {
    ...config,
    pods: selection.pods,
    podNamespaces: selection.namespaces,
    podSelector: selection.selector,
    workloads: selection.workloads,
    filter,
    probes,
    isDroppedOnly,
    netns: undefined,
    interface: undefined,
    mark: undefined,
    sampleOneIn: 1,
    ratePerSecond: isDroppedOnly ? undefined : MAX_JOURNEYS_PER_SECOND,
    minDurationNs: undefined,
    areDropsKept: false,
    // Who asks for a pod's packets wants to see them.
    isSampledOnly: false,
    maxJourneys: undefined,
    // Should this process hang, the tracer ends all the same.
    durationMs: limits.durationSeconds * 1_000 + END_TIMEOUT_MS,
  };
}

function describeFailure(error: unknown): string {
  return error instanceof UserError ? error.message.replace(/\.$/, "") : describeSystemError(error);
}
