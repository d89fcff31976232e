import { createStreamDecoder } from "./decode/create-stream-decoder.js";
import type { Frame, Journey, MessageFrame } from "./decode/frame.js";
import { createNodeState, type NodeState } from "./enrich/create-node-state.js";
import type { WaitingRoom } from "./enrich/create-waiting-room.js";
import type { FarEnds } from "./enrich/far-end.js";
import type { IdentityResolver } from "./enrich/identity.js";
import type { Sink } from "./export/sink.js";
import type { Joiner, OwnedJourney } from "./join/create-joiner.js";
import { isSentHere, mapJourney } from "./map/map-journey.js";
import type { JourneySpans } from "./map/packet-span.js";

export interface PipelineOptions {
  readonly sinks: readonly Sink[];
  readonly resolver?: IdentityResolver;
  readonly farEnds?: FarEnds | undefined;
  /** Where journeys wait for the names of pods; default: none waits. */
  readonly waitingRoom?: WaitingRoom;
  /** Puts journeys into the traces of applications; default: none is. */
  readonly joiner?: Joiner | undefined;
  /** Whether the journey is left out before any work is put into it. Drops are never asked for. */
  readonly isShed?: (journey: Journey, state: NodeState) => boolean;
  /**
   * Likewise of a journey that belongs to a request, in the trace of its own or of the application: then about how many spans it would have
   * had. Otherwise undefined.
   */
  readonly refuses?: (journey: Journey, state: NodeState, isLinked: boolean) => number | undefined;
  /** Every journey, before any is left out; without those that were shed. */
  readonly onMapped?: (spans: JourneySpans) => void;
  /** Journeys that are not wanted go no further. */
  readonly keep?: (spans: JourneySpans) => boolean;
  /** Of a journey that is wanted, what goes to the sinks: as it is, in less detail, or undefined: nothing. */
  readonly reduce?: (spans: JourneySpans) => JourneySpans | undefined;
  readonly onJourney?: (spans: JourneySpans) => void;
  readonly onMessage?: (message: MessageFrame) => void;
  readonly onFrame?: (frame: Frame) => void;
}

/** Bytes of the tracer in, spans out: decode, enrich, join, map, export. */
export interface Pipeline {
  readonly state: NodeState;
  /** Journeys that reached the sinks. */
  readonly journeys: number;
  readonly spans: number;
  /** Throws StreamError when the stream cannot be read any further; what came before it has been given to the sinks. */
  push(bytes: Uint8Array): void;
  /** Says that the stream is over. Throws StreamError when it was cut. */
  end(): void;
  /** Undefined: go on. A promise: a sink asks to wait. */
  drained(): Promise<void> | undefined;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function createPipeline(options: PipelineOptions): Pipeline {
  const decoder = createStreamDecoder();
  const { resolver, farEnds } = options;
  const state = createNodeState({ ...(resolver ? { resolver } : {}), ...(farEnds ? { farEnds } : {}) });
  let journeys = 0;
  let spans = 0;
  const { waitingRoom, joiner } = options;
  const isSent = (journey: Journey): boolean => isSentHere(journey, state);
  const handle = (frame: Frame): void => {
    options.onFrame?.(frame);
    if (frame.type === "message") options.onMessage?.(frame);
    if (frame.type === "request") return joiner?.apply(frame);
    if (frame.type === "clock") {
      passOn(waitingRoom?.release(frame.monotonicNs));
      finish(joiner?.release(frame.monotonicNs));
    }
    if (frame.type !== "journey") return state.apply(frame);
    if (!waitingRoom?.takes(frame.journey)) passOn([frame.journey]);
  };
  const passOn = (journeys: readonly Journey[] = []): void => {
    for (const journey of journeys) {
      const owned = joiner ? joiner.take(journey, isSent) : { journey, belonging: undefined };
      if (owned) handleJourney(owned);
    }
  };
  const finish = (journeys: readonly OwnedJourney[] = []): void => {
    for (const owned of journeys) handleJourney(owned);
  };
  const handleJourney = ({ journey, belonging }: OwnedJourney): void => {
    const verdict = joiner?.judge(belonging) ?? "alone";
    if (verdict === "shed") return;
    if (verdict === "alone" && journey.end !== "dropped" && options.isShed?.(journey, state)) return;
    if (verdict === "join" && joiner && belonging && journey.end !== "dropped") {
      const spans = options.refuses?.(journey, state, joiner.links(journey, belonging));
      if (spans !== undefined) return joiner.leaveOut(journey, belonging, spans);
    }
    const mapped = mapJourney(journey, state);
    const isKept = options.keep?.(mapped) ?? true;
    // What is not wanted takes nothing of its request's budget.
    const joined = isKept && belonging && verdict === "join" ? joiner?.join(mapped, belonging) : undefined;
    const own = joined?.journeySpans ?? mapped;
    options.onMapped?.(own);
    if (!isKept) return;
    const journeySpans = options.reduce ? options.reduce(own) : own;
    if (joined) joiner?.settle(joined, mapped, journeySpans);
    if (!journeySpans) return;
    journeys++;
    spans += journeySpans.spans.length;
    for (const sink of options.sinks) sink.accept(journeySpans);
    options.onJourney?.(journeySpans);
  };
  const releaseAll = (): void => {
    passOn(waitingRoom?.releaseAll());
    finish(joiner?.releaseAll());
  };
  return {
    state,
    get journeys() {
      return journeys;
    },
    get spans() {
      return spans;
    },
    push(bytes) {
      for (const frame of decoder.push(bytes)) handle(frame);
      passOn(waitingRoom?.release(0n));
      finish(joiner?.release(0n));
    },
    end() {
      releaseAll();
      decoder.end();
    },
    drained() {
      const waits = options.sinks.map((sink) => sink.drained()).filter((wait) => wait !== undefined);
      return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
    },
    async flush() {
      await Promise.all(options.sinks.map((sink) => sink.flush()));
    },
    async close() {
      releaseAll();
      await Promise.all(options.sinks.map((sink) => sink.close()));
    },
  };
}

/** Feeds a stream of bytes to its end, as fast as the sinks take it. Throws StreamError. */
export async function runPipeline(pipeline: Pipeline, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of bytes) {
    pipeline.push(chunk);
    const wait = pipeline.drained();
    if (wait) await wait;
  }
  pipeline.end();
}
