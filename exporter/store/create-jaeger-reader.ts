import { decodeOtlpJson, OtlpDecodeError } from "./decode-otlp.js";
import type { SpanRecord } from "./span-record.js";

/** Jaeger cannot be reached or answers something else than it should; the message says which and what was asked. */
export class JaegerError extends Error {
  override readonly name = "JaegerError";
}

export interface JaegerSearch {
  readonly service: string;
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  /** Traces at most: the newest. */
  readonly limit: number;
}

/** Reads spans out of a Jaeger, by its query API: OTLP as JSON, with exact times. All throw JaegerError. */
export interface JaegerReader {
  /** Those that sent spans, without Jaeger itself, which traces its own work. */
  services(): Promise<readonly string[]>;
  search(search: JaegerSearch): Promise<readonly SpanRecord[]>;
  /** Empty: it has no such trace. */
  readTrace(traceId: string): Promise<readonly SpanRecord[]>;
}

const TIMEOUT_MS = 30_000;
/** What a person can look at; a page of traces is some megabytes. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const OWN_SERVICES = new Set(["jaeger", "jaeger-query", "jaeger-all-in-one"]);

/** `url`: where its API and page are, e.g. http://127.0.0.1:16686, with its base path if it has one. */
export function createJaegerReader(url: string): JaegerReader {
  const base = url.replace(/\/+$/, "");
  return {
    async services() {
      const { text } = await ask(`${base}/api/v3/services`);
      const services = (parse(text, base) as { services?: unknown }).services ?? [];
      if (!Array.isArray(services)) throw new JaegerError(`${base} does not answer as Jaeger does: it has no services`);
      return services.map(String).filter((name) => !OWN_SERVICES.has(name));
    },
    async search({ service, fromUnixMs, toUnixMs, limit }) {
      const query = new URLSearchParams({
        "query.service_name": service,
        "query.start_time_min": new Date(fromUnixMs).toISOString(),
        "query.start_time_max": new Date(toUnixMs).toISOString(),
        // The second is the name in the interface's definition, the first the one that Jaeger 2.13 reads.
        "query.num_traces": String(limit),
        "query.search_depth": String(limit),
        // As they came: no warnings added, no times moved.
        "query.raw_traces": "true",
      });
      const { status, text } = await ask(`${base}/api/v3/traces?${query}`);
      return status === 404 ? [] : readSpans(text, base);
    },
    async readTrace(traceId) {
      const { status, text } = await ask(`${base}/api/v3/traces/${encodeURIComponent(traceId)}?raw_traces=true`);
      return status === 404 ? [] : readSpans(text, base);
    },
  };
}

/** 404 is an answer too: nothing was found. */
async function ask(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: Error) => {
    const { cause } = error as { cause?: { code?: string; message?: string } };
    throw new JaegerError(`cannot read ${url}: ${cause?.code ?? cause?.message ?? error.message}`);
  });
  const text = await readText(answer, url);
  if (answer.status === 200 || answer.status === 404) return { status: answer.status, text };
  throw new JaegerError(`${url} answered ${answer.status}: ${text.slice(0, 200)}`);
}

async function readText(answer: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new JaegerError(`${url} answers more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string, base: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // said below
  }
  throw new JaegerError(`${base} does not answer as Jaeger does: ${text.slice(0, 100)}`);
}

function readSpans(text: string, base: string): readonly SpanRecord[] {
  const { result } = parse(text, base);
  try {
    return decodeOtlpJson(JSON.stringify(result ?? {})).spans;
  } catch (error) {
    if (error instanceof OtlpDecodeError)
      throw new JaegerError(`${base} answers traces that are none: ${error.message}`);
    throw error;
  }
}
