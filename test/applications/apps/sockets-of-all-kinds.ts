/*
 * An application that opens and writes to connections of all kinds, each in a trace context of its own, for the test of
 * exporter/register:
 *
 *   node --import skbspan/register sockets-of-all-kinds.js KEY-FILE CERTIFICATE-FILE AUTHORITY-FILE DROPPED-PORT
 *
 * Prints one line of JSON: for each step its ports. A span's id says the step: it is written as hexadecimal digits.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { type Context, context, ROOT_CONTEXT, TraceFlags, trace } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

export interface Ports {
  readonly client: number;
  readonly server: number;
}

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const [keyFile = "", certificateFile = "", authorityFile = "", droppedPort = "0"] = process.argv.slice(2);
const secrets = { key: readFileSync(keyFile), cert: readFileSync(certificateFile), ca: readFileSync(authorityFile) };
const steps: Record<string, Ports> = {};

new NodeTracerProvider().register();
const deadline = setTimeout(() => {
  throw new Error(`not done: ${Object.keys(steps).join(", ")} are`);
}, 60_000);

await keepsAConnection("127.0.0.1");
await keepsAConnection("::1");
await writesWhileConnecting();
await answers();
await saysNothing();
await isNeverAnswered();
await speaksTls();
await asksByHttps();
await asksByHttp2();
await fetches();
clearTimeout(deadline);
console.log(JSON.stringify(steps));
// Nothing is left open: the helper must not keep this process.

function within<T>(
  spanId: string,
  action: () => T,
  traceFlags: number = TraceFlags.SAMPLED,
  parent: Context = ROOT_CONTEXT,
): T {
  const spanContext = { traceId: TRACE_ID, spanId: spanId.padStart(16, "0"), traceFlags };
  return context.with(trace.setSpanContext(parent, spanContext), action);
}

async function listen<T extends net.Server>(server: T, host = "127.0.0.1"): Promise<T> {
  server.listen(0, host);
  await once(server, "listening");
  return server;
}

function portOf(server: net.Server): number {
  return (server.address() as net.AddressInfo).port;
}

/** Each write is answered before the next: every one is a segment of its own. */
async function writeAndWait(socket: net.Socket, text: string): Promise<void> {
  socket.write(text);
  await once(socket, "data");
}

async function keepsAConnection(host: string): Promise<void> {
  const server = await listen(
    net.createServer((socket) => socket.pipe(socket)),
    host,
  );
  const socket = within("a0", () => net.connect(portOf(server), host));
  await once(socket, "connect");
  await within("a1", () => writeAndWait(socket, "first"));
  await within("a1", () => writeAndWait(socket, "the same span"));
  await writeAndWait(socket, "no span");
  await within("a2", () => writeAndWait(socket, "not sampled"), TraceFlags.NONE);
  await within("a1", () => writeAndWait(socket, "the first again"));
  steps[host] = { client: socket.localPort ?? 0, server: portOf(server) };
  await close(socket, server);
}

async function writesWhileConnecting(): Promise<void> {
  const server = await listen(net.createServer((socket) => socket.pipe(socket)));
  const socket = within("b0", () => net.connect(portOf(server), "127.0.0.1"));
  within("b1", () => socket.write("early"));
  within("b2", () => socket.write("early, too"));
  await once(socket, "data");
  steps["early"] = { client: socket.localPort ?? 0, server: portOf(server) };
  await close(socket, server);
}

async function answers(): Promise<void> {
  const server = await listen(
    net.createServer((socket) => socket.once("data", () => within("c1", () => socket.end("the answer")))),
  );
  const socket = net.connect(portOf(server), "127.0.0.1");
  await once(socket, "connect");
  steps["server"] = { client: portOf(server), server: socket.localPort ?? 0 };
  await writeAndWait(socket, "no span");
  await close(socket, server);
}

/** Tracing is off where spans are exported; a socket with a path is no connection of TCP. */
async function saysNothing(): Promise<void> {
  const path = `${process.env["TMPDIR"] ?? "/tmp"}/skbspan-register-${process.pid}.sock`;
  const server = await listen(net.createServer((socket) => socket.pipe(socket)));
  const pipes = net.createServer((socket) => socket.pipe(socket)).listen(path);
  await once(pipes, "listening");
  const [socket, pipe] = within(
    "d0",
    () => [net.connect(portOf(server), "127.0.0.1"), net.connect(path)] as const,
    TraceFlags.SAMPLED,
    suppressTracing(ROOT_CONTEXT),
  );
  await within("d1", () => writeAndWait(socket, "x"), TraceFlags.SAMPLED, suppressTracing(ROOT_CONTEXT));
  await within("d2", () => writeAndWait(pipe, "x"));
  await within("0", () => writeAndWait(socket, "no valid span"));
  steps["nothing"] = { client: socket.localPort ?? 0, server: portOf(server) };
  await Promise.all([close(socket, server), close(pipe, pipes)]);
}

async function isNeverAnswered(): Promise<void> {
  // A socket that is not connected says its port or not.
  const ports = { client: 20_001, server: Number(droppedPort) };
  const options = { port: ports.server, host: "127.0.0.1", localPort: ports.client };
  const socket = within("e0", () => net.connect(options));
  socket.on("error", (error) => console.error(error));
  await new Promise((resolve) => setTimeout(resolve, 100));
  steps["dropped"] = ports;
  socket.destroy();
}

async function speaksTls(): Promise<void> {
  const server = await listen(tls.createServer(secrets, (socket) => socket.pipe(socket)));
  const socket = within("f0", () => tls.connect({ port: portOf(server), host: "127.0.0.1", ca: secrets.ca }));
  await once(socket, "secureConnect");
  await within("f1", () => writeAndWait(socket, "a secret"));
  steps["tls"] = { client: socket.localPort ?? 0, server: portOf(server) };
  await close(socket, server);
}

async function asksByHttps(): Promise<void> {
  const server = await listen(https.createServer(secrets, (_request, response) => response.end("x")));
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  const ports: Ports[] = [];
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = { port: portOf(server), host: "127.0.0.1", ca: secrets.ca, agent };
      const request = https.get(options, (response) => {
        ports.push({ client: response.socket.localPort ?? 0, server: portOf(server) });
        response.resume().on("end", resolve);
      });
      request.on("error", reject);
    });
  // The second waits for the first one's connection.
  await Promise.all([within("11", ask), within("12", ask)]);
  agent.destroy();
  server.close();
  if (ports[0] !== undefined) steps["https"] = ports[0];
}

async function asksByHttp2(): Promise<void> {
  const server = http2.createSecureServer(secrets);
  server.on("stream", (stream) => stream.respond({ ":status": 200 }, { endStream: true }));
  await listen(server as unknown as net.Server);
  const port = portOf(server as unknown as net.Server);
  const session = within("20", () => http2.connect(`https://127.0.0.1:${port}`, { ca: secrets.ca }));
  const ask = async (headers: http2.OutgoingHttpHeaders): Promise<void> => {
    const stream = session.request(headers);
    stream.resume();
    await once(stream, "end");
  };
  await within("21", () => ask({}));
  await within("22", () => ask({ traceparent: `00-${TRACE_ID}-0000000000000023-01` }));
  steps["http2"] = { client: session.socket.localPort ?? 0, server: port };
  session.close();
  server.close();
}

async function fetches(): Promise<void> {
  let client = 0;
  const server = await listen(
    https.createServer(secrets, (request, response) => {
      client = request.socket.remotePort ?? 0;
      response.setHeader("connection", "close").end("x");
    }),
  );
  const headers = { traceparent: `00-${TRACE_ID}-0000000000000031-01` };
  await within("30", async () => (await fetch(`https://localhost:${portOf(server)}`, { headers })).text());
  steps["fetch"] = { client, server: portOf(server) };
  server.close();
}

async function close(socket: net.Socket, server: net.Server): Promise<void> {
  socket.on("error", () => {});
  socket.destroy();
  server.close();
  await once(server, "close");
}
