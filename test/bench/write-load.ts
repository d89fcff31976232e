/*
 * node [--import skbspan/register] write-load.js SPANS
 *
 * Writes to a connection over loopback, each write answered before the next, in trace contexts as SPANS says: "none" is active, "same"
 * for all, or "each" write has its own, as requests do. Prints nanoseconds of processor time a write, both ends of the connection.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { context, ROOT_CONTEXT, TraceFlags, trace } from "@opentelemetry/api";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const WARM_UP_WRITES = 5_000;
const WRITES = 20_000;
const spans = process.argv[2];

new NodeTracerProvider().register();
const server = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
await once(server, "listening");
const socket = connect((server.address() as { readonly port: number }).port, "127.0.0.1").setNoDelay();
await once(socket, "connect");
let count = 0;

await writeTimes(WARM_UP_WRITES);
const before = process.cpuUsage();
await writeTimes(WRITES);
const { user, system } = process.cpuUsage(before);
console.log(((user + system) * 1_000) / WRITES);
socket.destroy();
server.close();

async function writeTimes(times: number): Promise<void> {
  for (let written = 0; written < times; written++) {
    const answered = once(socket, "data");
    if (spans === "none") socket.write("x");
    else context.with(contextOf(spans === "same" ? 1 : ++count), () => socket.write("x"));
    await answered;
  }
}

function contextOf(span: number): typeof ROOT_CONTEXT {
  const spanId = span.toString(16).padStart(16, "0");
  const spanContext = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId, traceFlags: TraceFlags.SAMPLED };
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
}
