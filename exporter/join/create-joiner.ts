import type { Context, Journey, RequestFrame, RequestSource } from "../decode/frame.js";
import { attributes } from "../map/attributes.js";
import { createAttribute, type Detail, type JourneySpans } from "../map/packet-span.js";
import { type ApplicationSpan, ApplicationSpans } from "./application-span.js";
import { attachJourney, linkJourney, pastAttributes, readMarks } from "./attach-journey.js";
import { type Connection, createConnectionIndex } from "./create-connection-index.js";
import { createWaiting, type Waited } from "./create-waiting.js";
import type { Owner } from "./direction.js";
import { type Belonging, type FindOptions, findOwner, isSyn, isTcp } from "./find-owner.js";
import type { Admitted, Bound, LeftOut } from "./span-budget.js";

export type JoinMode = "join" | "link" | "off";
export type JoinSource = Exclude<RequestSource, "none">;

export interface JoinerOptions {
  /** "link": every journey keeps its own trace, with a link to the application's span. */
  readonly mode: Exclude<JoinMode, "off">;
  readonly sources: readonly JoinSource[];
  /** Journeys that belong to no sampled request are not wanted. */
  readonly isSampledOnly: boolean;
  /** How long journeys wait for what says whose they are; 0: not at all. */
  readonly waitMs: number;
  /** Under one application span. */
  readonly maxJourneys: number;
  readonly maxSpans: number;
  /** Under all application spans of one trace. */
  readonly maxTraceSpans: number;
  /** Since its request began. */
  readonly forMs: number;
  /** Ranges of bytes that are remembered, and application spans, on all connections together. */
  readonly maxRequests: number;
  /** The most that is shown of a journey. */
  readonly detail: Detail;
}

export type PastBound = Bound | "time";

/** A journey that belongs to a request, as it is to leave. */
export interface JoinedJourney {
  readonly journeySpans: JourneySpans;
  readonly source: JoinSource;
  /** What it takes of its application span's budget; undefined: it has a trace of its own. */
  readonly taken: { readonly span: ApplicationSpan; readonly admitted: Admitted } | undefined;
  readonly past: PastBound | undefined;
}

/** Since the start; in journeys. */
export interface JoinStats {
  readonly joined: Readonly<Record<JoinSource, number>>;
  /** With traces of their own that link to an application's span, because that was asked for or for a bound. */
  readonly linked: Readonly<Record<JoinSource, number>>;
  readonly past: Readonly<Record<PastBound, number>>;
  /** That belong to requests which the application does not sample. */
  readonly unsampled: number;
  /** That belong to sampled requests, and for which the agent's own limits had no room. */
  readonly leftOut: number;
  /** Left out by --sampled-only. */
  readonly shed: number;
  readonly waiting: number;
  readonly waited: number;
  readonly settled: number;
  readonly overdue: number;
  readonly crowdedOut: number;
  /** Remembered now. */
  readonly ranges: number;
  readonly connections: number;
  readonly applicationSpans: number;
  /** Ranges that were forgotten because there were too many. */
  readonly forgotten: number;
}

/** A journey, and whose it is. */
export interface OwnedJourney {
  readonly journey: Journey;
  readonly belonging: Belonging | undefined;
}

/**
 * Puts journeys under the application's span whose bytes they carry. State of its own; time is that of the stream, so that a recording
 * gives the same however fast it is read.
 */
export interface Joiner {
  /** Takes in what is told of requests. */
  apply(frame: RequestFrame): void;
  /** Whose the journey is; undefined: it has to wait, then it comes out of `release`. */
  take(journey: Journey, isSent: (journey: Journey) => boolean): OwnedJourney | undefined;
  /** Journeys whose wait is over. `nowNs`: of the monotonic clock of the stream. */
  release(nowNs: bigint): OwnedJourney[];
  releaseAll(): OwnedJourney[];
  /** What becomes of a journey: it is left out because it belongs to no sampled request, goes on alone, or is joined. */
  judge(belonging: Belonging | undefined): "shed" | "alone" | "join";
  /** Whether it would have a trace of its own and a link: known before the journey is mapped. */
  links(journey: Journey, belonging: Belonging): boolean;
  /** The journey with its parent or its links, in the detail that its request has room for. */
  join(journeySpans: JourneySpans, belonging: Belonging): JoinedJourney | undefined;
  /** A journey of about so many spans for which there was no room before it was looked at. */
  leaveOut(journey: Journey, belonging: Belonging, spans: number): void;
  /** What came of it: `left` to the sinks, perhaps in less detail, or not at all. `whole` is it before it was joined. */
  settle(joined: JoinedJourney, whole: JourneySpans, left: JourneySpans | undefined): void;
  stats(): JoinStats;
}

const MS = 1_000_000n;
/** Addresses and ports are not used again before: so long TIME_WAIT lasts. */
const LEAST_SILENCE_NS = 60_000n * MS;
const UNOWNED = { belonging: undefined };

export function createJoiner(options: JoinerOptions): Joiner {
  return new RequestJoiner(options);
}

class RequestJoiner implements Joiner {
  private readonly index;
  private readonly spans: ApplicationSpans;
  private readonly waiting;
  private readonly forNs: bigint;
  /** Nothing is looked up before something was told: on a node without requests joining costs nothing. */
  private hasRequests = false;
  private isSent: FindOptions["isSent"] = () => false;
  private readonly joined = countSources();
  private readonly linked = countSources();
  private readonly past: Record<PastBound, number> = { journeys: 0, spans: 0, trace: 0, time: 0 };
  private unsampled = 0;
  private leftOut = 0;
  private shed = 0;

  constructor(private readonly options: JoinerOptions) {
    const { maxRequests, maxSpans, maxTraceSpans, maxJourneys, forMs, waitMs } = options;
    this.index = createConnectionIndex({ ranges: maxRequests, connections: maxRequests });
    const limits = { spans: maxSpans, journeys: maxJourneys, traceSpans: maxTraceSpans };
    this.spans = new ApplicationSpans(limits, maxRequests);
    this.forNs = BigInt(forMs) * MS;
    this.waiting = createWaiting({
      waitMs,
      find: (journey, isFinal) => findOwner(journey, this.index, this.findOptions(isFinal)),
    });
  }

  apply(frame: RequestFrame): void {
    this.hasRequests = true;
    // A frame without addresses says that requests are going to be told.
    if (frame.sourceAddress === "") return;
    const { index } = this;
    const { connection, direction } = index.open(frame);
    if (connection.closedNs !== undefined && frame.observedMonotonicNs > connection.closedNs) this.restart(connection);
    const owner = this.ownerOf(frame);
    if (frame.isOpening) {
      if (direction.size > 0) this.restart(connection);
      direction.opening = owner;
    } else {
      if (direction.hasEnded && direction.isFar(frame.sequence)) this.restart(connection);
      // The other direction's ranges stay: that one alone may have gone far without a packet that was seen.
      else if (direction.isFar(frame.sequence)) index.grow(-direction.reset());
      if (!frame.isReceived) direction.isWritten = true;
      const { sequence, lengthBytes } = frame;
      index.grow(lengthBytes > 0 ? direction.addWithin(sequence, lengthBytes, owner) : direction.add(sequence, owner));
    }
    index.tell(connection, frame.observedMonotonicNs);
    this.waiting.onNews(connection);
  }

  take(journey: Journey, isSent: FindOptions["isSent"]): OwnedJourney | undefined {
    if (!this.hasRequests) return { journey, ...UNOWNED };
    this.isSent = isSent;
    this.expect(journey);
    return this.waiting.take(journey);
  }

  release(nowNs: bigint): Waited[] {
    return this.waiting.release(nowNs);
  }

  releaseAll(): Waited[] {
    return this.waiting.releaseAll();
  }

  judge(belonging: Belonging | undefined): "shed" | "alone" | "join" {
    const spans = belonging?.owners.flatMap(({ span }) => span ?? []) ?? [];
    if (spans.some(({ isSampled }) => isSampled)) return "join";
    if (spans.length > 0) this.unsampled++;
    if (!this.options.isSampledOnly) return "alone";
    this.shed++;
    return "shed";
  }

  links(journey: Journey, belonging: Belonging): boolean {
    const span = sampledOwners(belonging)[0]?.span;
    if (!span || this.options.mode === "link" || this.isLate(journey, span)) return true;
    return span.budget.isPast(belonging.part === "close");
  }

  join(journeySpans: JourneySpans, belonging: Belonging): JoinedJourney | undefined {
    const owners = sampledOwners(belonging);
    const [first] = owners;
    if (!first?.span) return undefined;
    const { span } = first;
    const source = first.source as JoinSource;
    const marks = readMarks(belonging.part, first);
    const admission = this.admit(journeySpans, span, belonging);
    if ("journeySpans" in admission) {
      marks.push(...tellLeftOut(admission.leftOut));
      const attached = attachJourney(admission.journeySpans, span, owners, marks);
      return { journeySpans: attached, source, taken: { span, admitted: admission }, past: undefined };
    }
    const { past } = admission;
    if (past) marks.push(pastAttributes[past]);
    return { journeySpans: linkJourney(journeySpans, owners, marks), source, taken: undefined, past };
  }

  leaveOut(journey: Journey, belonging: Belonging, spans: number): void {
    this.leftOut++;
    const span = sampledOwners(belonging)[0]?.span;
    if (span && this.options.mode === "join" && !this.isLate(journey, span)) span.budget.leaveOut(journey, spans);
  }

  settle({ source, taken, past }: JoinedJourney, whole: JourneySpans, left: JourneySpans | undefined): void {
    taken?.span.budget.settle(taken.admitted, whole, left);
    if (!left) {
      this.leftOut++;
      return;
    }
    if (taken) this.joined[source]++;
    else this.linked[source]++;
    if (past) this.past[past]++;
  }

  stats(): JoinStats {
    return {
      joined: { ...this.joined },
      linked: { ...this.linked },
      past: { ...this.past },
      unsampled: this.unsampled,
      leftOut: this.leftOut,
      shed: this.shed,
      ...this.waiting.stats(),
      ranges: this.index.ranges,
      connections: this.index.connections,
      applicationSpans: this.spans.size,
      forgotten: this.index.forgottenRanges,
    };
  }

  private admit(journeySpans: JourneySpans, span: ApplicationSpan, { part }: Belonging) {
    const { journey, isFault } = journeySpans;
    if (this.options.mode === "link") return { past: undefined };
    if (this.isLate(journey, span)) return { past: "time" as const };
    const { leftOut } = span.budget;
    return { ...span.budget.admit(journeySpans, isFault || part === "close", this.options.detail), leftOut };
  }

  private isLate({ startMonotonicNs }: Journey, { beganNs }: ApplicationSpan): boolean {
    return startMonotonicNs - beganNs > this.forNs;
  }

  private ownerOf(frame: RequestFrame): Owner {
    const { source, isResponse, isPending } = frame;
    const isWanted = source !== "none" && this.options.sources.includes(source);
    const span = isWanted && !isPending ? this.spans.of(frame) : undefined;
    return { span, source, isResponse, isPending };
  }

  /** Another connection has these addresses and ports now. */
  private restart(connection: Connection): void {
    this.index.grow(-connection.forward.reset() - connection.backward.reset());
    connection.closedNs = undefined;
    connection.isPlain = false;
  }

  /** A connection that opens is known from its SYN on: what comes between that and the first request belongs to it as well. */
  private expect({ contexts }: Journey): void {
    const [first] = contexts;
    if (!first || this.options.waitMs === 0) return;
    const opening = contexts.filter((context) => isTcp(context) && isSyn(context));
    // As whoever sends and whoever receives it sees it.
    for (const context of new Set<Context | undefined>([opening[0], opening.at(-1)])) {
      if (!context || this.index.find(context).length > 0) continue;
      this.index.open(context);
    }
  }

  private findOptions(isFinal: boolean): FindOptions {
    return {
      forgetAfterNs: this.forNs > LEAST_SILENCE_NS ? this.forNs : LEAST_SILENCE_NS,
      isSent: this.isSent,
      isFinal,
      onNews: (connection) => this.waiting.onNews(connection),
    };
  }
}

function countSources(): Record<JoinSource, number> {
  return { http1: 0, http2: 0, "tcp-option": 0, thread: 0, tls: 0, helper: 0 };
}

function sampledOwners({ owners }: Belonging): Owner[] {
  return owners.filter(({ span }) => span?.isSampled);
}

function tellLeftOut(leftOut: LeftOut | undefined) {
  if (!leftOut) return [];
  return [
    createAttribute(attributes.leftOutJourneys, leftOut.journeys),
    createAttribute(attributes.leftOutSpans, leftOut.spans),
    createAttribute(attributes.leftOutBytes, leftOut.bytes),
  ];
}
