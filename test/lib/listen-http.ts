import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { lengthDelimited } from "../../exporter/export/protobuf-writer.js";
import type { Listener, ListenOptions } from "./listen-grpc.js";
import { encodePartialSuccess } from "./otlp-schema.js";
import type { Answer } from "./start-otlp-server.js";

/** POST /v1/traces in protobuf. */
export async function listenHttp(options: ListenOptions): Promise<Listener> {
  const server = createListener(options, (request, response) => {
    answerRequest(options, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

type OnRequest = (request: IncomingMessage, response: ServerResponse) => void;

function createListener({ tls }: ListenOptions, onRequest: OnRequest): Server {
  if (!tls) return createServer(onRequest);
  const { certificate, key, clientAuthority } = tls;
  const wanted = clientAuthority === undefined ? {} : { ca: clientAuthority, requestCert: true };
  return createTlsServer({ cert: certificate, key, ...wanted }, onRequest);
}

async function answerRequest(
  { handle, maxRequestBytes }: ListenOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (request.method !== "POST" || request.url !== "/v1/traces") return send(response, { httpStatus: 404 });
  if (request.headers["content-type"] !== "application/x-protobuf") return send(response, { httpStatus: 415 });
  const bytes = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
  if (bytes.length > maxRequestBytes) return send(response, { httpStatus: 413 });
  const headers = request.headers as Record<string, string>;
  send(response, await handle({ bytes, atMs: performance.now(), headers }));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function send(response: ServerResponse, { httpStatus = 200, retryAfter, rejectedSpans, message = "scripted" }: Answer) {
  response.statusCode = httpStatus;
  response.setHeader("Content-Type", "application/x-protobuf");
  if (retryAfter !== undefined) response.setHeader("Retry-After", retryAfter);
  if (httpStatus !== 200) response.end(lengthDelimited(2, message));
  else response.end(rejectedSpans === undefined ? Buffer.alloc(0) : encodePartialSuccess(rejectedSpans, message));
}
