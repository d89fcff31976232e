import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { convertLegacyHttpOptions } from "@opentelemetry/otlp-exporter-base/node-http";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { acceptedOutcome } from "./accepted-outcome.js";
import type { OtlpTransport, SendOutcome } from "./otlp-request.js";
import type { OtlpSettings } from "./read-otlp-settings.js";
import { readRetryAfterMs } from "./read-retry-after.js";
import { readStatusMessage } from "./read-retry-info.js";
import { scope } from "./scope.js";

const PROTOBUF = "application/x-protobuf";
/** By the OTLP specification. */
const retryableStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const MAX_ANSWER_BYTES = 1024 * 1024;
const MAX_SHOWN_BYTES = 200;
const gzipAsync = promisify(gzip);

interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly retryAfter: string | undefined;
  readonly contentType: string;
  readonly body: Buffer;
}

type Configuration = ReturnType<typeof convertLegacyHttpOptions>;

/**
 * OTLP/HTTP with protobuf. The official packages read the settings: endpoint, TLS, headers, compression, timeout. Their
 * delegate is not used: it retries by itself within the timeout and then says neither status nor Retry-After.
 */
export function createHttpTransport({ url }: OtlpSettings): OtlpTransport {
  const configuration = convertLegacyHttpOptions(url === undefined ? {} : { url }, "TRACES", "v1/traces", {
    "Content-Type": PROTOBUF,
  });
  const target = new URL(configuration.url);
  let agent: Agent | undefined;
  return {
    endpoint: configuration.url,
    async send({ bytes }) {
      try {
        agent ??= (await configuration.agentFactory(target.protocol)) as Agent;
        return toOutcome(await post(configuration, target, agent, bytes));
      } catch (error) {
        return toFailure(error, configuration.timeoutMillis);
      }
    },
    // Ends what is under way too.
    close: async () => agent?.destroy(),
  };
}

async function post(
  { headers, compression, timeoutMillis }: Configuration,
  target: URL,
  agent: Agent,
  bytes: Uint8Array,
): Promise<Answer> {
  const isGzip = compression === "gzip";
  const body = isGzip ? await gzipAsync(bytes) : bytes;
  const options: RequestOptions = {
    method: "POST",
    agent,
    headers: {
      ...(await headers()),
      "User-Agent": `${scope.name}/${scope.version}`,
      "Content-Length": body.length,
      ...(isGzip ? { "Content-Encoding": "gzip" } : {}),
    },
    signal: AbortSignal.timeout(timeoutMillis),
  };
  const request = target.protocol === "https:" ? requestTls(target, options) : requestPlain(target, options);
  return await readAnswer(request, body);
}

function readAnswer(request: ClientRequest, body: Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response: IncomingMessage) => {
      const parts: Buffer[] = [];
      let length = 0;
      const finish = (): void =>
        resolve({
          status: response.statusCode ?? 0,
          statusText: response.statusMessage ?? "",
          retryAfter: response.headers["retry-after"],
          contentType: response.headers["content-type"] ?? "",
          body: Buffer.concat(parts),
        });
      response.on("data", (part: Buffer) => {
        length += part.length;
        if (length <= MAX_ANSWER_BYTES) parts.push(part);
        else response.destroy();
      });
      // The status has come, and says what became of the request; the rest of the answer only explains.
      response.on("end", finish).on("error", finish).on("close", finish);
    });
    request.end(body);
  });
}

function toOutcome(answer: Answer): SendOutcome {
  const { status, statusText, retryAfter, body } = answer;
  if (status >= 200 && status <= 299) return acceptedOutcome(decodeResponse(body));
  const detail = describeBody(answer);
  const message = `HTTP ${status}${statusText && ` ${statusText}`}${detail && `: ${detail}`}`;
  if (!retryableStatuses.has(status)) return { kind: "refused", message };
  const delayMs = readRetryAfterMs(retryAfter);
  return { kind: "retry", message, ...(delayMs === undefined ? {} : { delayMs }) };
}

/** A proxy's page is of no use to a reader of messages. */
function describeBody({ contentType, body }: Answer): string {
  if (contentType.startsWith(PROTOBUF)) return readStatusMessage(body);
  const isText = contentType.startsWith("text/plain") || contentType.startsWith("application/json");
  return isText ? body.toString("utf8", 0, MAX_SHOWN_BYTES).trim() : "";
}

function decodeResponse(body: Buffer): ReturnType<typeof ProtobufTraceSerializer.deserializeResponse> | undefined {
  if (body.length === 0) return undefined;
  try {
    return ProtobufTraceSerializer.deserializeResponse(body);
  } catch {
    // 2xx says that it was taken; proxies answer with pages of their own.
    return undefined;
  }
}

/** No answer came. What node does not even send would fail again. */
function toFailure(error: unknown, timeoutMs: number): SendOutcome {
  if (!(error instanceof Error)) return { kind: "refused", message: String(error) };
  if (error.name === "AbortError" || error.name === "TimeoutError")
    return { kind: "retry", message: `no answer within ${timeoutMs / 1000} s` };
  const code = "code" in error ? String(error.code) : "";
  if (code.startsWith("ERR_INVALID") || code.startsWith("ERR_HTTP_INVALID") || error instanceof TypeError)
    return { kind: "refused", message: error.message };
  return { kind: "retry", message: error.message || code };
}
