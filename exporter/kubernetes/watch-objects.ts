import { Backoff } from "../export/backoff.js";
import type { ApiClient } from "./api-client.js";
import { ApiError, readErrorEvent } from "./api-error.js";

/** An object as the API sent it, and the columns that `kubectl get` would show, where those were asked for. */
export interface ApiItem {
  readonly object: ApiObject;
  readonly columns: ReadonlyMap<string, unknown>;
}

export interface ApiObject {
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
  };
}

export interface WatchListener {
  /** All that there is: what was known before and is not among it, is gone. */
  replace(items: readonly ApiItem[]): void;
  /** It came or changed. */
  put(item: ApiItem): void;
  delete(item: ApiItem): void;
  /** A watch that began to fail, goes on to fail for another reason, or works again. */
  onHealth(health: WatchHealth): void;
}

export interface WatchHealth {
  /** `starting`: not failed yet, and nothing read yet. */
  readonly state: "starting" | "reading" | "failing";
  /** Why it fails: the rest of a sentence. */
  readonly reason?: string;
  /** The API server says no to these credentials. */
  readonly isRefused: boolean;
}

export interface WatchCounts {
  lists: number;
  watches: number;
  events: number;
  failures: number;
  /** Lists that had to be read anew because what was read last had become too old. */
  relists: number;
}

export function createWatchCounts(): WatchCounts {
  return { lists: 0, watches: 0, events: 0, failures: 0, relists: 0 };
}

export interface WatchOptions {
  readonly client: ApiClient;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** `table`: metadata, and the columns of `kubectl get -o wide`; `metadata`: that alone; `whole`: everything. */
  readonly form: "table" | "metadata" | "whole";
  readonly listener: WatchListener;
  readonly signal: AbortSignal;
  readonly timing?: WatchTiming;
}

export interface WatchTiming {
  /** Ends early when the signal does. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
  readonly random: () => number;
}

const accepted = {
  table: ["application/json;as=Table;g=meta.k8s.io;v=v1", "application/json;as=Table;g=meta.k8s.io;v=v1"],
  metadata: [
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
  ],
  whole: ["application/json", "application/json"],
} as const;

const FIRST_BACKOFF_MS = 1_000;
/** After the API server was away all agents of a cluster come back, within so long. */
const MAX_BACKOFF_MS = 30_000;
/** Rights, and what kinds of objects there are, change when a person changes them. */
const REFUSED_BACKOFF_MS = 60_000;
/** The API server is asked to end a watch after that, and half as long again at most, so that agents do not come back together. */
const WATCH_SECONDS = 300;
/** A watch that ends sooner, with nothing said, is a failure: it is not to be repeated at once. */
const SHORT_WATCH_MS = 1_000;

/**
 * Lists objects and follows them, until the signal ends it: resumes where it was, lists again only when that is too old (410), waits
 * with jitter after a failure, and as long as the API server asks. Never throws.
 */
export async function watchObjects(options: WatchOptions, counts: WatchCounts): Promise<void> {
  await new Watcher(options, counts).run();
}

class Watcher {
  private resourceVersion: string | undefined;
  private columnNames: readonly string[] = [];
  private health: WatchHealth = { state: "starting", isRefused: false };
  private readonly timing: WatchTiming;
  private readonly backoff: Backoff;

  constructor(
    private readonly options: WatchOptions,
    private readonly counts: WatchCounts,
  ) {
    this.timing = options.timing ?? realTiming;
    const { random } = this.timing;
    this.backoff = new Backoff({ firstBackoffMs: FIRST_BACKOFF_MS, maxBackoffMs: MAX_BACKOFF_MS, random });
  }

  async run(): Promise<void> {
    const { signal } = this.options;
    while (!signal.aborted) {
      const startedMs = this.timing.now();
      try {
        if (this.resourceVersion === undefined) await this.list();
        await this.follow(startedMs);
      } catch (error) {
        if (!signal.aborted) this.fail(error, startedMs);
      }
      const pauseMs = this.backoff.remainingMs(this.timing.now());
      // A timer may end a little early.
      if (pauseMs > 0) await this.timing.sleep(Math.ceil(pauseMs) + 1, signal);
    }
  }

  /** Version 0: what the API server has in memory, at no cost to its store. */
  private async list(): Promise<void> {
    const { client, path, form, signal, listener } = this.options;
    const query = { ...this.options.query, ...formQuery(form), resourceVersion: "0" };
    const { body } = await client.request({ path, query, accept: accepted[form][0], signal });
    const { metadata, items, rows } = body as ListBody;
    this.readColumnNames(body);
    const list = rows ? rows.map((row) => this.readRow(row)) : (items ?? []).map(withoutColumns);
    if (!metadata?.resourceVersion) throw new ApiError(`GET ${path} was answered with what is no list`);
    this.counts.lists++;
    listener.replace(list);
    this.resourceVersion = metadata.resourceVersion;
    this.setHealth(healthy);
  }

  private async follow(startedMs: number): Promise<void> {
    const { client, path, form, signal } = this.options;
    const query = {
      ...this.options.query,
      ...formQuery(form),
      watch: "1",
      allowWatchBookmarks: "true",
      resourceVersion: this.resourceVersion ?? "",
      timeoutSeconds: String(Math.round(WATCH_SECONDS * (1 + this.timing.random() / 2))),
    };
    this.counts.watches++;
    let isSilent = true;
    const request = { path, query, accept: accepted[form][1], signal };
    for await (const event of client.watch(request, () => this.setHealth(healthy))) {
      isSilent = false;
      this.handle(event as WatchEvent);
      this.backoff.succeed();
    }
    if (isSilent && this.timing.now() - startedMs < SHORT_WATCH_MS)
      throw new ApiError(`a watch of ${path} ended at once`);
    this.backoff.succeed();
  }

  private handle({ type, object }: WatchEvent): void {
    const { listener, path } = this.options;
    if (type === "ERROR") throw readErrorEvent(`a watch of ${path}`, object);
    const item = this.readEventItem(object);
    const version =
      item.object.metadata?.resourceVersion ?? (object as ListBody | undefined)?.metadata?.resourceVersion;
    if (version) this.resourceVersion = version;
    if (type === "BOOKMARK") return;
    this.counts.events++;
    if (type === "DELETED") listener.delete(item);
    else if (type === "ADDED" || type === "MODIFIED") listener.put(item);
  }

  private readEventItem(object: unknown): ApiItem {
    this.readColumnNames(object);
    const { rows } = (object ?? {}) as ListBody;
    const [row] = rows ?? [];
    if (row) return this.readRow(row);
    return withoutColumns(rows ? {} : ((object ?? {}) as ApiObject));
  }

  /** Only the first of a watch's tables says what its columns are. */
  private readColumnNames(body: unknown): void {
    const { columnDefinitions } = (body ?? {}) as ListBody;
    if (columnDefinitions?.length) this.columnNames = columnDefinitions.map(({ name }) => name);
  }

  private readRow({ cells, object }: TableRow): ApiItem {
    return { object: object ?? {}, columns: new Map(this.columnNames.map((name, index) => [name, cells?.[index]])) };
  }

  private fail(error: unknown, startedMs: number): void {
    const { status, retryAfterMs, isGone, isRefusal, message } =
      error instanceof ApiError ? error : new ApiError(String(error));
    const nowMs = this.timing.now();
    this.counts.failures++;
    if (isGone) {
      this.counts.relists++;
      this.resourceVersion = undefined;
    }
    const orderedMs = retryAfterMs ?? (isRefusal || status === 404 ? REFUSED_BACKOFF_MS : undefined);
    this.backoff.fail({ startedMs, nowMs, orderedMs });
    // A list that is too old happens to the best, and one that is read anew says nothing of the API server's health.
    if (!isGone) this.setHealth({ state: "failing", reason: message, isRefused: status === 401 || status === 403 });
  }

  private setHealth(health: WatchHealth): void {
    if (health.state === this.health.state && health.reason === this.health.reason) return;
    this.health = health;
    this.options.listener.onHealth(health);
  }
}

interface ListBody {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly items?: readonly ApiObject[];
  readonly columnDefinitions?: readonly { readonly name: string }[] | null;
  readonly rows?: readonly TableRow[] | null;
}

interface TableRow {
  readonly cells?: readonly unknown[];
  readonly object?: ApiObject;
}

interface WatchEvent {
  readonly type?: string;
  readonly object?: unknown;
}

function formQuery(form: WatchOptions["form"]): Record<string, string> {
  return form === "table" ? { includeObject: "Metadata" } : {};
}

function withoutColumns(object: ApiObject): ApiItem {
  return { object, columns: noColumns };
}

const healthy: WatchHealth = { state: "reading", isRefused: false };
const noColumns: ReadonlyMap<string, unknown> = new Map();

const realTiming: WatchTiming = {
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end, { once: true });
    }),
  now: () => performance.now(),
  random: Math.random,
};
