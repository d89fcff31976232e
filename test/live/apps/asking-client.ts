/*
 * node asking-client.js HOST PORT TRACE-ID one|each COUNT
 * node asking-client.js HOST PORT TRACE-ID download
 *
 * Sends so many requests on one connection, the next when the one before is answered, all in one span or each in one of its own: the
 * first has the id 1, the second 2. With `download` it is one request, and the answer is large. Plain sockets, since Node.js' own HTTP takes
 * longer than the network. Prints when its span began and ended, in milliseconds of the system's clock.
 */
import { connect } from "node:net";

const [host = "", port, traceId = "", kind, count = "1"] = process.argv.slice(2);
const isDownload = kind === "download";
const requests = Number(count);
const answerBytes = isDownload ? 1e9 : Buffer.byteLength("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");

const startMs = Date.now();
const socket = connect({ host, port: Number(port), noDelay: true });
let asked = 0;
let bytesReceived = 0;
let expectedBytes = answerBytes;

socket.on("connect", ask);
socket.on("data", (bytes) => {
  if (isDownload && bytesReceived === 0) expectedBytes += bytes.indexOf("\r\n\r\n") + 4;
  bytesReceived += bytes.length;
  if (bytesReceived < expectedBytes) return;
  if (asked < requests) {
    expectedBytes += answerBytes;
    return ask();
  }
  console.log(JSON.stringify({ startMs, endMs: Date.now() + 1, asked, bytesReceived }));
  socket.end();
});

function ask(): void {
  asked++;
  const spanId = (kind === "each" ? asked : 1).toString(16).padStart(16, "0");
  const path = isDownload ? "/download" : "/";
  socket.write(`GET ${path} HTTP/1.1\r\nhost: bounds\r\ntraceparent: 00-${traceId}-${spanId}-01\r\n\r\n`);
}
