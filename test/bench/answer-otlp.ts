import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { decodeOtlpProtobuf } from "../../exporter/store/decode-otlp.js";

/**
 * A process that answers every OTLP/gRPC export with an empty ExportTraceServiceResponse, as cheaply as possible, so that
 * a benchmark measures the sender. It speaks to its parent over IPC: says { port }, answers "counts" and "decode".
 */
export interface AnswererCounts {
  readonly requests: number;
  readonly bytes: number;
  /** Only of requests that came after "decode" was asked for. */
  readonly spans: number;
}

const GRPC_HEADER_BYTES = 5;
const emptyMessage = Buffer.alloc(GRPC_HEADER_BYTES);
/** HTTP/2's 64 KiB would make every sender wait for window updates; collectors adapt theirs to about this. */
const WINDOW_BYTES = 1 << 20;

let decodes = false;
const counts = { requests: 0, bytes: 0, spans: 0 };

const server = createServer({ settings: { initialWindowSize: WINDOW_BYTES } });
server.on("session", (session) => session.setLocalWindowSize(16 * WINDOW_BYTES));
server.on("stream", (stream) => {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => {
    counts.bytes += chunk.length;
    if (decodes) chunks.push(chunk);
  });
  stream.on("end", () => {
    counts.requests++;
    if (decodes) counts.spans += decodeOtlpProtobuf(Buffer.concat(chunks).subarray(GRPC_HEADER_BYTES)).spans.length;
    answer(stream);
  });
});

function answer(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(emptyMessage);
}

process.on("message", (message) => {
  if (message === "decode") decodes = true;
  if (message === "counts") process.send?.(counts);
});
process.on("disconnect", () => process.exit(0));
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
