import { createHash } from "node:crypto";
import type { Pod, PodDirectory } from "../enrich/pod-directory.js";
import { isPodSelected } from "../enrich/select-pod.js";
import type { ApiClient } from "../kubernetes/api-client.js";
import { ApiError } from "../kubernetes/api-error.js";
import {
  type ApiItem,
  createWatchCounts,
  type WatchHealth,
  type WatchListener,
  type WatchTiming,
  watchObjects,
} from "../kubernetes/watch-objects.js";
import type { ManagedSession, SessionManager } from "./create-session-manager.js";
import {
  idOf,
  isSummariser,
  type NodePhase,
  type NodeStatus,
  PACKET_TRACE_KIND,
  PACKET_TRACES_PATH,
  type PacketTrace,
  readPacketTrace,
  summariseNodes,
} from "./packet-trace.js";
import { readSessionSpec, type SessionSpec, SessionSpecError } from "./session-spec.js";

export interface SessionControllerOptions {
  readonly client: ApiClient;
  readonly node: string;
  /** "NAMESPACE/NAME" of the agent's own pod, for who wants to read from it. */
  readonly agent?: string | undefined;
  readonly directory: PodDirectory;
  readonly manager: SessionManager;
  readonly warn: (text: string) => void;
  readonly onHealth?: (health: WatchHealth) => void;
  readonly timing?: WatchTiming;
}

export interface SessionController {
  /** Stops following PacketTraces; the sessions are the manager's to stop. */
  close(): Promise<void>;
}

/** What is known of a PacketTrace that has not ended on this node. */
interface Known {
  trace: PacketTrace;
  readonly spec: SessionSpec | string;
  session?: ManagedSession;
  /** What this agent last wrote, and what it has to write. */
  written?: string;
  writtenMs?: number;
  status?: NodeStatus;
  hasEnded: boolean;
}

const WRITE_EVERY_MS = 2_000;
const NODES_AT_FULL_PACE = 10;
/** More than anybody has at once; what comes on top is not looked at. */
const MAX_KNOWN = 1_000;
/** An agent that comes late to a session, or has a clock of its own, begins none that is over. */
const LATE_MS = 5_000;
const MAX_REASON_CHARACTERS = 1_000;

/**
 * Follows PacketTraces: starts those that select a pod of this node, stops those that are deleted, and says in their status what
 * became of them. Each agent owns one entry of the status, by server-side apply under a name of its own, so none writes over another's.
 */
export function createSessionController(options: SessionControllerOptions): SessionController {
  return new Controller(options);
}

class Controller implements SessionController, WatchListener {
  private readonly known = new Map<string, Known>();
  private readonly stopping = new AbortController();
  private readonly counts = createWatchCounts();
  private readonly watching: Promise<void>;
  private readonly timer: NodeJS.Timeout;
  private readonly forgetDirectory: () => void;
  private writing: Promise<void> = Promise.resolve();
  private isWriting = false;

  constructor(private readonly options: SessionControllerOptions) {
    const { client, directory, timing } = options;
    const { signal } = this.stopping;
    this.forgetDirectory = directory.onChange(() => this.considerAll());
    this.timer = setInterval(() => this.write(), WRITE_EVERY_MS);
    const what = { client, path: PACKET_TRACES_PATH, form: "whole", listener: this, signal } as const;
    this.watching = watchObjects(timing ? { ...what, timing } : what, this.counts);
  }

  replace(items: readonly ApiItem[]): void {
    const uids = new Set(items.map(({ object }) => object.metadata?.uid));
    for (const uid of [...this.known.keys()]) if (!uids.has(uid)) this.forget(uid);
    for (const item of items) this.put(item);
  }

  put(item: ApiItem): void {
    const trace = readPacketTrace(item);
    if (!trace) return;
    if (trace.isBeingDeleted) return this.forget(trace.uid);
    const known = this.known.get(trace.uid);
    if (known) known.trace = trace;
    else if (this.known.size < MAX_KNOWN) this.add(trace);
    this.consider(trace.uid);
    this.write();
  }

  delete({ object }: ApiItem): void {
    this.forget(object.metadata?.uid ?? "");
  }

  onHealth(health: WatchHealth): void {
    this.options.onHealth?.(health);
  }

  /** What has ended by then is still written. */
  async close(): Promise<void> {
    this.stopping.abort();
    this.forgetDirectory();
    clearInterval(this.timer);
    await this.watching;
    await this.writing;
    await this.writeAll();
  }

  private add(trace: PacketTrace): void {
    const own = trace.nodes.find(({ name }) => name === this.options.node);
    const known: Known = { trace, spec: readSpec(trace), hasEnded: own !== undefined };
    // Nothing of it runs here, for it would be known: an agent before this one began it.
    if (own?.phase === "Running") known.status = { ...own, ...this.endStatus("Ended", "the agent was restarted") };
    this.known.set(trace.uid, known);
  }

  private considerAll(): void {
    for (const uid of this.known.keys()) this.consider(uid);
  }

  private consider(uid: string): void {
    const known = this.known.get(uid);
    if (!known || known.hasEnded || known.session) return;
    const { trace, spec } = known;
    const pods = typeof spec === "string" ? [] : this.selectedPods(spec);
    if (typeof spec === "string" || pods.length === 0) return;
    if (Date.now() > trace.createdMs + spec.limits.durationSeconds * 1_000 + LATE_MS) return;
    const session = this.options.manager.start({ id: idOf(trace), spec });
    if (typeof session === "string") {
      known.hasEnded = true;
      known.status = { name: this.options.node, ...this.endStatus("Failed", session) };
      return this.write();
    }
    known.session = session;
    void session.ended.then(({ isFailure, reason }) => {
      known.hasEnded = true;
      known.status = { ...this.describe(known, session), ...this.endStatus(isFailure ? "Failed" : "Ended", reason) };
      this.write();
    });
    this.write();
  }

  private selectedPods(spec: SessionSpec): Pod[] {
    const { node, directory } = this.options;
    if (spec.nodeNames.length > 0 && !spec.nodeNames.includes(node)) return [];
    return [...directory.pods()].filter((pod) => isPodSelected(spec.selection, pod.uid, pod));
  }

  /** It was deleted: nobody is to be traced for it any more, and there is no status to write. */
  private forget(uid: string): void {
    const known = this.known.get(uid);
    this.known.delete(uid);
    known?.session?.stop("it was deleted");
  }

  private endStatus(phase: NodePhase, reason: string): Pick<NodeStatus, "phase" | "reason" | "endedAt"> {
    return { phase, reason: reason.slice(0, MAX_REASON_CHARACTERS), endedAt: toTime(new Date()) };
  }

  private describe({ spec }: Known, session: ManagedSession): NodeStatus {
    const { node, agent } = this.options;
    const pods = typeof spec === "string" ? 0 : this.selectedPods(spec).length;
    const startedAt = toTime(session.startedAt);
    return { name: node, phase: "Running", ...(agent ? { agent } : {}), pods, ...session.counts(), startedAt };
  }

  /** One writer at a time; what changes meanwhile is written a moment later. */
  private write(): void {
    if (this.isWriting || this.stopping.signal.aborted) return;
    this.isWriting = true;
    this.writing = this.writeAll().finally(() => {
      this.isWriting = false;
    });
  }

  private async writeAll(): Promise<void> {
    for (const [uid, known] of [...this.known]) {
      const { session, hasEnded } = known;
      if (session && !hasEnded) known.status = this.describe(known, session);
      await this.writeOwn(uid, known);
      await this.writeSummary(uid, known);
    }
  }

  private async writeOwn(uid: string, known: Known): Promise<void> {
    const text = JSON.stringify(known.status);
    if (!known.status || text === known.written || this.isTooSoon(known)) return;
    known.writtenMs = performance.now();
    if (await this.apply(uid, known.trace, managerOf(this.options.node), { nodes: [known.status] }))
      known.written = text;
  }

  /** Counts alone can wait, the longer the more agents write into the same object. */
  private isTooSoon({ trace, session, hasEnded, writtenMs }: Known): boolean {
    if (!session || hasEnded || writtenMs === undefined) return false;
    return performance.now() - writtenMs < WRITE_EVERY_MS * Math.ceil(trace.nodes.length / NODES_AT_FULL_PACE);
  }

  private async writeSummary(uid: string, { trace }: Known): Promise<void> {
    const summary = isSummariser(trace.nodes, this.options.node) ? summariseNodes(trace.nodes) : undefined;
    if (summary && summary.phase !== trace.phase) await this.apply(uid, trace, "skbspan-summary", summary);
  }

  /** False: it has to be tried again. */
  private async apply(uid: string, trace: PacketTrace, manager: string, status: object): Promise<boolean> {
    const { namespace, name } = trace;
    try {
      await this.options.client.request({
        method: "PATCH",
        path: `/apis/skbspan.dev/v1alpha1/namespaces/${namespace}/packettraces/${name}/status`,
        query: { fieldManager: manager, force: "true" },
        contentType: "application/apply-patch+yaml",
        // With its uid, so that another one of the same name does not get this one's status.
        body: { ...PACKET_TRACE_KIND, metadata: { name, namespace, uid }, status },
      });
      return true;
    } catch (error) {
      // It is gone, or another one: the watch will say so. Whatever else it is, it is tried again.
      const isGone = error instanceof ApiError && (error.status === 404 || error.status === 409);
      if (!isGone) this.options.warn(`cannot write the status of PacketTrace ${namespace}/${name}: ${String(error)}`);
      return isGone;
    }
  }
}

function readSpec({ spec, namespace }: PacketTrace): SessionSpec | string {
  try {
    return readSessionSpec(spec, namespace);
  } catch (error) {
    if (error instanceof SessionSpecError) return error.message;
    throw error;
  }
}

function toTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** The name under which this node's agent owns its entry; at most 128 characters. */
function managerOf(node: string): string {
  const name = `skbspan-${node}`;
  return name.length <= 128 ? name : `skbspan-${createHash("sha256").update(node).digest("hex").slice(0, 32)}`;
}
