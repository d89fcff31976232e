import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from "node:http";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { describeSystemError } from "../lib/describe-system-error.js";
import { ApiError, readApiError } from "./api-error.js";
import { splitLines } from "./split-lines.js";

export interface ApiRequest {
  readonly path: string;
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
  /** Sent as JSON, or as `contentType`. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

export interface ApiAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** Talks to the API server as who the credentials say. Throws ApiError. */
export interface ApiClient {
  /** Where the API server is. */
  readonly server: string;
  request(request: ApiRequest): Promise<ApiAnswer>;
  /** A JSON value a line, until the API server or the signal ends it. `onOpen`: it has begun; the first value may take a minute. */
  watch(request: ApiRequest, onOpen?: () => void): AsyncIterable<unknown>;
}

/** What adds credentials, an authority and a proxy to a request: they may be other ones each time, for tokens are renewed. */
export interface Credentials {
  readonly server: string;
  apply(options: RequestOptions): Promise<void>;
}

/** A node has hundreds of pods at most, of some KiB each; more than this is no such list. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** An object of Kubernetes is at most 1.5 MiB. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
const ANSWER_TIMEOUT_MS = 30_000;
/** The API server sends a bookmark about once a minute: a watch that is silent for longer has lost its other side. */
const SILENCE_TIMEOUT_MS = 180_000;

export function createApiClient(credentials: Credentials): ApiClient {
  return {
    server: credentials.server,
    async request(request) {
      const answer = await send(credentials, request, ANSWER_TIMEOUT_MS);
      const text = await readText(answer, MAX_ANSWER_BYTES, request);
      return { headers: answer.headers, body: parse(text, request) };
    },
    async *watch(request, onOpen) {
      const answer = await send(credentials, request, SILENCE_TIMEOUT_MS);
      onOpen?.();
      try {
        for await (const line of splitLines(answer, MAX_LINE_BYTES)) if (line !== "") yield parse(line, request);
      } catch (error) {
        throw toApiError(error, request);
      } finally {
        answer.destroy();
      }
    },
  };
}

/** Gives an answer whose status is good; what it says comes later. */
async function send(credentials: Credentials, request: ApiRequest, silenceMs: number): Promise<IncomingMessage> {
  const url = new URL(request.path, credentials.server);
  for (const [key, value] of Object.entries(request.query ?? {})) url.searchParams.set(key, value);
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const options: RequestOptions = {
    method: request.method ?? "GET",
    headers: {
      accept: request.accept ?? "application/json",
      "user-agent": "skbspan",
      ...(body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
    },
    ...(request.signal ? { signal: request.signal } : {}),
  };
  const late = new AbortController();
  try {
    await credentials.apply(options);
    const outgoing = (url.protocol === "https:" ? requestTls : requestPlain)(url, options);
    outgoing.setTimeout(silenceMs, () =>
      outgoing.destroy(new Error(`the API server said nothing for ${silenceMs / 1000} s`)),
    );
    outgoing.end(body);
    const [answer] = (await Promise.race([once(outgoing, "response"), failLate(outgoing, late.signal)])) as [
      IncomingMessage,
    ];
    const { statusCode = 0, headers } = answer;
    if (statusCode >= 200 && statusCode < 300) return answer;
    const said = await readText(answer, MAX_ERROR_BYTES, request).catch(() => "");
    throw readApiError(nameOf(request), statusCode, headers["retry-after"], said);
  } catch (error) {
    throw toApiError(error, request);
  } finally {
    late.abort();
  }
}

/** Even a watch has its first answer soon; later it may be silent for longer. */
async function failLate(outgoing: { destroy(error: Error): void }, signal: AbortSignal): Promise<never> {
  const isLate = await sleep(ANSWER_TIMEOUT_MS, true, { signal, ref: false }).catch(() => false);
  if (isLate) outgoing.destroy(new Error(`the API server did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`));
  return new Promise(() => {});
}

async function readText(answer: IncomingMessage, maxBytes: number, request: ApiRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw toApiError(error, request);
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string, request: ApiRequest): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError(`${nameOf(request)} was answered with what is no JSON`, undefined, undefined, { cause: error });
  }
}

function toApiError(error: unknown, request: ApiRequest): ApiError {
  if (error instanceof ApiError) return error;
  const said = `${nameOf(request)} failed: ${describeSystemError(error)}`;
  return new ApiError(said, undefined, undefined, { cause: error });
}

function nameOf({ method = "GET", path }: ApiRequest): string {
  return `${method} ${path}`;
}
