/*
 * The demo's web server, run inside pod-web: `node --import register.cjs demo-web-server.js SERVICE PORT`. An application that is
 * traced: a span around each answer, a child of that whose trace context came with the request. Ends when its standard
 * input closes, so that it cannot outlive the demo.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { context, propagation, SpanKind, trace } from "@opentelemetry/api";
import {
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
} from "@opentelemetry/semantic-conventions";
import { nowMs, traceApplication } from "./trace-application.js";

const [service = "", port] = process.argv.slice(2);
const tracer = traceApplication(service);

function answer(request: IncomingMessage, response: ServerResponse): void {
  const startTime = nowMs();
  const { method = "", url = "", headers } = request;
  const parent = propagation.extract(context.active(), headers);
  const path = url.replace(/\?.*/, "");
  const attributes = { [ATTR_HTTP_REQUEST_METHOD]: method, [ATTR_URL_PATH]: path, [ATTR_URL_SCHEME]: "http" };
  const span = tracer.startSpan(`${method} ${path}`, { kind: SpanKind.SERVER, startTime, attributes }, parent);
  response.on("close", () => span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, response.statusCode).end(nowMs()));
  context.with(trace.setSpan(parent, span), () => {
    request.resume();
    response.writeHead(200, { "content-type": "text/plain" });
    response.end(`hello from ${service}, you asked for ${url}\n`);
  });
}

const server = createServer(answer);
server.listen({ host: "0.0.0.0", port: Number(port) }, () => console.log("ready"));
process.stdin.resume().on("end", () => process.exit());
