/*
 * The demo's client, run inside pod-client: `node --import register.cjs demo-client.js SETTINGS`, with SETTINGS as JSON
 * (DemoClientSettings). An application that is traced: a span around each request, whose trace context goes with it.
 * Ends when its standard input closes, so that it cannot outlive the demo.
 */
import { createSocket } from "node:dgram";
import { type ClientRequest, request } from "node:http";
import { context, propagation, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
} from "@opentelemetry/semantic-conventions";
import type { DemoClientSettings } from "./demo-client-settings.js";
import { nowMs, traceApplication } from "./trace-application.js";

const BLOCKED_EVERY = 3;
const CLOSED_UDP_EVERY = 5;
/** Long enough for the first retransmission of a connection request, after a second. */
const GIVE_UP_MS = 1_500;

const settings = JSON.parse(process.argv[2] ?? "") as DemoClientSettings;
const tracer = traceApplication(settings.service);
let round = 0;

function askService(): void {
  const { serviceAddress, servicePort } = settings;
  const call = get(serviceAddress, servicePort, `/hello?round=${round}`);
  call.on("error", (error) => console.error(`the web service does not answer: ${error.message}`));
}

/** The firewall drops it: no answer, and after a second the kernel tries again. */
function askBlockedPort(): void {
  const call = get(settings.webAddress, settings.blockedPort, "/hello");
  call.on("response", () => console.error(`the firewall let port ${settings.blockedPort} through`));
}

function get(host: string, port: number, path: string): ClientRequest {
  const span = tracer.startSpan("GET", {
    kind: SpanKind.CLIENT,
    startTime: nowMs(),
    attributes: {
      [ATTR_HTTP_REQUEST_METHOD]: "GET",
      [ATTR_URL_FULL]: `http://${host}${port === 80 ? "" : `:${port}`}${path}`,
      [ATTR_SERVER_ADDRESS]: host,
      [ATTR_SERVER_PORT]: port,
    },
  });
  const active = trace.setSpan(context.active(), span);
  const headers: Record<string, string> = {};
  propagation.inject(active, headers);
  // A connection for each request: the handshake is part of what there is to see. It has to be opened in the span's context.
  const call = context.with(active, () =>
    request({ host, port, path, headers, agent: false, signal: AbortSignal.timeout(GIVE_UP_MS) }).end(),
  );
  endWith(call, span);
  return call;
}

function endWith(call: ClientRequest, span: Span): void {
  call.on("response", (response) => {
    span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, response.statusCode ?? 0);
    response.resume();
  });
  call.on("error", ({ name, message, cause }) => {
    const isTimeout = cause instanceof Error && cause.name === "TimeoutError";
    span.setAttribute(ATTR_ERROR_TYPE, isTimeout ? "timeout" : name);
    span.setStatus({
      code: SpanStatusCode.ERROR,
      message: isTimeout ? `no answer within ${GIVE_UP_MS} ms` : message,
    });
  });
  call.on("close", () => span.end(nowMs()));
}

/** Nobody listens: the web pod drops the packet and answers with ICMP. */
function sendToClosedPort(): void {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  socket.send("anybody there?", settings.closedUdpPort, settings.webAddress, () => socket.close());
}

function work(): void {
  askService();
  if (round % BLOCKED_EVERY === 0) askBlockedPort();
  if (round % CLOSED_UDP_EVERY === 0) sendToClosedPort();
  round++;
}

work();
setInterval(work, settings.periodMs);
console.log("ready");
process.stdin.resume().on("end", () => process.exit());
