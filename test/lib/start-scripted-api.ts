import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { ApiClient } from "../../exporter/kubernetes/api-client.js";
import { createApiClient } from "../../exporter/kubernetes/api-client.js";
import { makeCertificates } from "./make-certificates.js";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface ScriptedApi {
  readonly client: ApiClient;
  /** What was asked, in order: `list` or `watch`, and the query. */
  readonly asked: readonly {
    readonly kind: "list" | "watch";
    readonly query: URLSearchParams;
    readonly accept: string;
  }[];
  close(): Promise<void>;
}

/** An API server over TLS that gives its answers in order, the last again and again, for faults that the real one has rarely. */
export async function startScriptedApi(script: {
  readonly list: readonly Answer[];
  readonly watch: readonly Answer[];
}): Promise<ScriptedApi> {
  const asked: ScriptedApi["asked"][number][] = [];
  const api = await startApi((request, response) => {
    const { searchParams } = new URL(request.url ?? "/", "https://localhost");
    const kind = searchParams.has("watch") ? "watch" : "list";
    const place = asked.filter((entry) => entry.kind === kind).length;
    asked.push({ kind, query: searchParams, accept: request.headers.accept ?? "" });
    const answers = script[kind];
    (answers[place] ?? answers.at(-1))?.(request, response);
  });
  return { ...api, asked };
}

/** One that has, for each resource, a list and what its watches say. */
export function startWatchedApi(
  give: (resource: string) => { readonly list: object; readonly watch: Answer },
): Promise<Pick<ScriptedApi, "client" | "close">> {
  return startApi((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "https://localhost");
    const { list, watch } = give(pathname.split("/").at(-1) ?? "");
    const answer = searchParams.has("watch") ? watch : answerJson(list);
    answer(request, response);
  });
}

async function startApi(answer: Answer): Promise<Pick<ScriptedApi, "client" | "close">> {
  const certificates = makeCertificates();
  const authority = certificates.createAuthority("authority");
  const { certificate: cert, key } = authority.issue("server");
  const server = createServer({ cert, key }, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = createApiClient({
    server: `https://127.0.0.1:${port}`,
    apply: async (options) => void Object.assign(options, { ca: authority.certificate, agent: false }),
  });
  return {
    client,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      certificates.remove();
    },
  };
}

export function answerJson(body: unknown): Answer {
  return (_, response) => response.end(JSON.stringify(body));
}

export function answerStatus(code: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, response) => {
    response.writeHead(code, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify({ kind: "Status", code, message }));
  };
}

/** Sends events and keeps the watch open, or ends it. */
export function answerEvents(events: readonly unknown[], { isEnded = false } = {}): Answer {
  return (_, response) => {
    response.writeHead(200);
    response.flushHeaders();
    for (const event of events) response.write(`${JSON.stringify(event)}\n`);
    if (isEnded) response.end();
  };
}

/** The connection breaks. */
export const breakConnection: Answer = (request) => void request.socket.destroy();

/** A pod in the form of `kubectl get -o wide`, with its metadata. */
export function tableRow(name: string, changes: { readonly ip?: string; readonly metadata?: object } = {}): object {
  const metadata = { name, namespace: "default", uid: `uid-${name}`, resourceVersion: "1", ...changes.metadata };
  return { cells: [name, changes.ip ?? "<none>"], object: { kind: "PartialObjectMetadata", metadata } };
}

export const columnDefinitions = [{ name: "Name" }, { name: "IP" }];

export function tableOf(rows: readonly object[], resourceVersion = "10"): object {
  return { kind: "Table", metadata: { resourceVersion }, columnDefinitions, rows };
}

/** Only the first event of a watch has the columns' names. */
export function tableEvent(type: string, row: object, { isFirst = false } = {}): object {
  return { type, object: { kind: "Table", columnDefinitions: isFirst ? columnDefinitions : null, rows: [row] } };
}
