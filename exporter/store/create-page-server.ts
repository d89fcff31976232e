import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { ErrorAnswer, JourneysAnswer, PathsAnswer, SummaryAnswer } from "./api-types.js";
import { createJourneyIndex, type JourneyIndex } from "./create-journey-index.js";
import type { StoredTrace, StoreLimits, TraceStore } from "./create-trace-store.js";
import { describeTrace } from "./describe-trace.js";
import { groupPaths } from "./group-paths.js";
import { toListenError } from "./listen-error.js";
import { parseJourneyQuery, QueryError } from "./parse-journey-query.js";
import { countValues, groupDrops, selectJourneys, sortJourneys } from "./select-journeys.js";
import type { JourneyRecord } from "./summarise-trace.js";

export interface PageServerOptions {
  readonly store: TraceStore;
  readonly limits: StoreLimits;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Folder with index.html, page.js and page.css: what `npm run build` writes to build/web. */
  readonly pageDirectory: string;
  /** Brings a trace that is not in the store into it, if it can be had. What it throws is the page's answer. */
  readonly fetchTrace?: (traceId: string) => Promise<void>;
  /** Where the receivers listen, to be shown to those who want to send spans. */
  readonly receivers?: { readonly grpc: string; readonly http: string };
}

export interface PageServer {
  /** Throws ListenError. */
  start(): Promise<{ readonly port: number; readonly url: string }>;
  close(): Promise<void>;
}

/** The page and what it asks for. */
export function createPageServer(options: PageServerOptions): PageServer {
  const { host = "127.0.0.1", port } = options;
  const server = Fastify({ forceCloseConnections: true });
  protect(server, host);
  servePage(server, options.pageDirectory);
  serveApi(server, options);
  answerErrors(server);
  return {
    async start() {
      try {
        await server.listen({ host, port });
      } catch (error) {
        throw toListenError(error, { what: "the page", host, port, mend: "choose another port for the page" });
      }
      const address = server.server.address();
      const boundPort = typeof address === "object" && address !== null ? address.port : port;
      return { port: boundPort, url: `http://${host.includes(":") ? `[${host}]` : host}:${boundPort}/` };
    },
    close: () => server.close(),
  };
}

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const LOOPBACK_NAME = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i;

/**
 * A website that a person has open could point its own name at 127.0.0.1 and read the journeys from here (DNS
 * rebinding). It cannot make the browser send another Host, so on loopback only loopback's names are answered.
 */
function protect(server: FastifyInstance, host: string): void {
  const isLoopback = LOOPBACK_NAME.test(host.includes(":") ? `[${host}]` : host);
  server.addHook("onRequest", async (request, reply) => {
    reply.headers(HEADERS);
    if (isLoopback && !LOOPBACK_NAME.test(request.headers.host ?? "")) {
      const error = `the page is only served as localhost, not as "${request.headers.host ?? ""}"`;
      return reply.code(403).send({ error } satisfies ErrorAnswer);
    }
  });
}

const PAGE_FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/page.js": ["page.js", "text/javascript; charset=utf-8"],
  "/page.css": ["page.css", "text/css; charset=utf-8"],
  "/icon.svg": ["icon.svg", "image/svg+xml"],
};

function servePage(server: FastifyInstance, pageDirectory: string): void {
  for (const [path, [file, type]] of Object.entries(PAGE_FILES)) {
    server.get(path, async (_request, reply) => {
      const bytes = await readFile(`${pageDirectory}/${file}`).catch(() => undefined);
      if (bytes === undefined) {
        return reply
          .code(503)
          .type("text/plain")
          .send(`The page is not built: ${pageDirectory}/${file} is missing. Run: npm run build\n`);
      }
      return reply.type(type).header("cache-control", "no-cache").send(bytes);
    });
  }
}

function serveApi(server: FastifyInstance, options: PageServerOptions): void {
  const index = createJourneyIndex(options.store);
  const isKnown = createKnownCheck();
  server.addHook("onSend", async (_request, reply) => {
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
  });
  const { store, fetchTrace } = options;
  server.addHook("preHandler", async (request, reply) => {
    if (!request.url.startsWith("/api/")) return;
    const { traceId } = request.params as { traceId?: string };
    if (traceId !== undefined && /^[0-9a-f]{32}$/i.test(traceId) && !findTrace(store, traceId))
      await fetchTrace?.(traceId.toLowerCase());
    const revision = traceId === undefined ? store.revision() : findTrace(store, traceId)?.revision;
    if (revision !== undefined && isKnown(request, reply, revision)) return reply.code(304).send();
  });
  server.get("/api/journeys", (request) => answerJourneys(request, store, index));
  server.get("/api/paths", (request) => answerPaths(request, store, index));
  server.get("/api/summary", () => answerSummary(options, index));
  server.get<{ Params: { traceId: string } }>("/api/traces/:traceId", (request, reply) => {
    const trace = findTrace(store, request.params.traceId);
    if (trace !== undefined) return describeTrace(trace);
    const error = `trace ${request.params.traceId} is not in the store: it never came, or it was evicted for newer ones`;
    return reply.code(404).send({ error } satisfies ErrorAnswer);
  });
}

function findTrace(store: TraceStore, traceId: string): StoredTrace | undefined {
  return store.get(traceId.toLowerCase());
}

/**
 * The page asks every second, and mostly nothing has changed: it then gets an empty 304. An answer depends on its
 * address and the store alone, so the store's revision stands for it; the beginning of the tag stands for this run.
 */
function createKnownCheck(): (request: FastifyRequest, reply: FastifyReply, revision: number) => boolean {
  const run = randomBytes(6).toString("hex");
  return (request, reply, revision) => {
    const tag = `"${run}-${revision}"`;
    reply.header("etag", tag);
    return request.headers["if-none-match"] === tag;
  };
}

async function answerJourneys(
  request: FastifyRequest,
  store: TraceStore,
  index: JourneyIndex,
): Promise<JourneysAnswer> {
  const { filter, order, limit } = parseJourneyQuery(request.query);
  const all = index.records();
  const selected = sortJourneys(selectJourneys(all, filter), order);
  return {
    revision: store.revision(),
    total: all.length,
    matched: selected.length,
    matchedApplications: selected.filter(({ summary }) => summary.kind === "application").length,
    journeys: selected.slice(0, limit).map(({ summary }) => summary),
    drops: groupDrops(selected),
    ends: countEnds(all),
    namespaces: [...new Set(all.flatMap(({ summary }) => summary.namespaces))].sort(),
  };
}

async function answerPaths(request: FastifyRequest, store: TraceStore, index: JourneyIndex): Promise<PathsAnswer> {
  const { filter, limit } = parseJourneyQuery(request.query);
  const paths = groupPaths(selectJourneys(index.records(), filter));
  return { revision: store.revision(), matched: paths.length, paths: paths.slice(0, limit) };
}

async function answerSummary(
  { store, limits, receivers }: PageServerOptions,
  index: JourneyIndex,
): Promise<SummaryAnswer> {
  const records = index.records();
  const { spans, bytes, receivedSpans, refusedSpans, evictedTraces, evictedDrops } = store.stats();
  const { maxSpans, maxBytes } = limits;
  const journeys = records.filter(({ summary }) => summary.kind === "journey");
  return {
    revision: store.revision(),
    journeys: journeys.length,
    applications: records.length - journeys.length,
    dropped: journeys.filter(({ summary }) => summary.end === "dropped").length,
    faults: journeys.filter(({ summary }) => summary.failed).length,
    ends: countEnds(records),
    store: { spans, bytes, maxSpans, maxBytes, receivedSpans, refusedSpans, evictedTraces, evictedDrops },
    receivers: receivers ?? { grpc: "", http: "" },
  };
}

function countEnds(records: readonly JourneyRecord[]): Record<string, number> {
  return countValues(records.map(({ summary }) => summary.end || summary.kind));
}

function answerErrors(server: FastifyInstance): void {
  server.setNotFoundHandler((request, reply) => sendError(reply, 404, `there is no ${request.url} here`));
  server.setErrorHandler((error, _request, reply) => {
    const status =
      error instanceof QueryError
        ? 400
        : error instanceof Error && "statusCode" in error
          ? Number(error.statusCode)
          : 500;
    return sendError(reply, status, error instanceof Error ? error.message : String(error));
  });
}

function sendError(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ error } satisfies ErrorAnswer);
}
