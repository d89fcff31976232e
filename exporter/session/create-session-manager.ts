import type { JourneySpans } from "../map/packet-span.js";
import type { SessionSpec } from "./session-spec.js";
import type { Session, SessionCounts, SessionEnd } from "./start-session.js";

/** Starts the tracer of a session. */
export type Starter = (spec: SessionSpec, onJourney: (spans: JourneySpans) => void) => Session;

export interface ManagedSession {
  /** "NAMESPACE/NAME" of a PacketTrace; "local/NAME" of one that was asked for here. */
  readonly id: string;
  readonly spec: SessionSpec;
  readonly startedAt: Date;
  counts(): SessionCounts;
  /** Undefined: it is running. */
  readonly end: SessionEnd | undefined;
  readonly ended: Promise<SessionEnd>;
  stop(reason: string): void;
  /** Gives what came last before, then what comes, until the session ends or `cancel` is called. */
  listen(listener: (spans: JourneySpans) => void): () => void;
}

export interface SessionRequest {
  readonly id: string;
  readonly spec: SessionSpec;
}

export interface SessionManager {
  /** A text: why it is not started. */
  start(request: SessionRequest): ManagedSession | string;
  find(id: string): ManagedSession | undefined;
  list(): readonly ManagedSession[];
  /** How many ended, by whether that was a failure. */
  counts(): { readonly running: number; readonly ended: number; readonly failed: number };
  /** Stops all, and waits until nothing of them is in the kernel. */
  close(): Promise<void>;
}

/** Each has a tracer of its own, with its maps and programs: some 100 MB and half a minute of attaching on an old kernel. */
export const MAX_SESSIONS = 4;
/** Whoever comes a little late to a session still sees its beginning. */
const REMEMBERED_JOURNEYS = 64;
const KEEP_ENDED_MS = 60_000;

/** The sessions of this agent, whoever asked for them: bounded in number. */
export function createSessionManager(startTracing: Starter): SessionManager {
  const sessions = new Map<string, ManagedSession>();
  const totals = { ended: 0, failed: 0 };
  const running = () => [...sessions.values()].filter(({ end }) => end === undefined);
  return {
    start({ id, spec }) {
      const known = sessions.get(id);
      if (known && known.end === undefined) return `there is a session ${id} already`;
      if (running().length >= MAX_SESSIONS) return `${MAX_SESSIONS} sessions run on this node already`;
      const session = manage(id, spec, (onJourney) => startTracing(spec, onJourney));
      sessions.set(id, session);
      void session.ended.then(({ isFailure }) => {
        totals[isFailure ? "failed" : "ended"]++;
        setTimeout(() => sessions.get(id) === session && sessions.delete(id), KEEP_ENDED_MS).unref();
      });
      return session;
    },
    find: (id) => sessions.get(id),
    list: () => [...sessions.values()],
    counts: () => ({ running: running().length, ...totals }),
    async close() {
      for (const session of running()) session.stop("the agent ends");
      await Promise.all([...sessions.values()].map(({ ended }) => ended));
    },
  };
}

function manage(
  id: string,
  spec: SessionSpec,
  start: (onJourney: (spans: JourneySpans) => void) => Session,
): ManagedSession {
  const remembered: JourneySpans[] = [];
  const listeners = new Set<(spans: JourneySpans) => void>();
  const session = start((spans) => {
    remembered.push(spans);
    if (remembered.length > REMEMBERED_JOURNEYS) remembered.shift();
    for (const listener of listeners) listener(spans);
  });
  let end: SessionEnd | undefined;
  const ended = session.ended.then((result) => {
    end = result;
    return result;
  });
  return {
    id,
    spec,
    startedAt: new Date(),
    counts: () => session.counts(),
    get end() {
      return end;
    },
    ended,
    stop: (reason) => session.stop(reason),
    listen(listener) {
      for (const spans of remembered) listener(spans);
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
