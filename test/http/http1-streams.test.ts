import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseStream } from "./parse-stream.js";
import { startRecordingProxy } from "./recording-proxy.js";
import { readTraceparent, type TraceHeader, traceHeader } from "./trace-contexts.js";

/** Node.js' own client and server write and read; the parser sees what went by. */
const seed = 20_260_802;

interface Sent {
  readonly method: string;
  readonly traces: readonly TraceHeader[];
  readonly name: string;
  readonly body: Buffer | undefined;
  readonly isChunked: boolean;
  /** What the server answers with. */
  readonly status: number;
  readonly answer: Buffer;
  readonly answerIsChunked: boolean;
}

/** Bodies that look like messages: only their length tells that they are not. */
const body = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
  fc
    .integer({ min: 1, max: 200 })
    .map((count) => Buffer.from("\r\n\r\nGET / HTTP/1.1\r\ntraceparent: 1\r\n\r\n0\r\n\r\n".repeat(count))),
);

const message: fc.Arbitrary<Sent> = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS", "PROPFIND"),
  traces: fc.oneof(
    { arbitrary: fc.array(traceHeader, { minLength: 1, maxLength: 1 }), weight: 6 },
    { arbitrary: fc.array(traceHeader, { maxLength: 2 }), weight: 1 },
  ),
  name: fc.constantFrom("traceparent", "Traceparent", "TRACEPARENT", "traceParent"),
  body: fc.option(body, { nil: undefined }),
  isChunked: fc.boolean(),
  status: fc.constantFrom(200, 200, 201, 204, 304, 404, 500),
  answer: body,
  answerIsChunked: fc.boolean(),
});

/** A header line by a line of `rawHeaders`, so that two of a name stay two. */
function rawHeaders({ traces, name, body, isChunked, method }: Sent): string[] {
  const headers = ["Host", "a", "X-Before", "traceparent: 00-"];
  for (const { value } of traces) headers.push(name, value);
  headers.push("X-After", "b");
  if (body === undefined || ["GET", "HEAD", "DELETE", "OPTIONS"].includes(method)) return headers;
  return isChunked ? [...headers, "Transfer-Encoding", "chunked"] : [...headers, "Content-Length", `${body.length}`];
}

function bodyOf({ body, method }: Sent): Buffer {
  return ["GET", "HEAD", "DELETE", "OPTIONS"].includes(method) ? Buffer.alloc(0) : (body ?? Buffer.alloc(0));
}

async function listen(sent: readonly Sent[]): Promise<Server> {
  let count = 0;
  const server = createServer((incoming, response) => {
    const { status, answer, answerIsChunked } = sent[count++] as Sent;
    incoming.resume();
    incoming.on("end", () => {
      if (count % 5 === 0) response.writeProcessing();
      response.writeHead(status, answerIsChunked ? {} : { "Content-Length": answer.length });
      response.write(answer.subarray(0, 7));
      response.end(answer.subarray(7));
    });
  });
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function sendByClient(port: number, sent: readonly Sent[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const one of sent) {
    const outgoing = request({ port, host: "127.0.0.1", method: one.method, agent, headers: rawHeaders(one) });
    const bytes = bodyOf(one);
    outgoing.write(bytes.subarray(0, 10));
    outgoing.end(bytes.subarray(10));
    const [response] = await once(outgoing, "response");
    response.resume();
    await once(response, "end");
  }
  agent.destroy();
}

/** All requests at once, whatever the answers: pipelined. */
async function sendPipelined(port: number, sent: readonly Sent[]): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const finals = sent.length;
  let received = "";
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
  });
  for (const one of sent) {
    const headers = rawHeaders(one);
    let head = `${one.method} / HTTP/1.1\r\n`;
    for (let index = 0; index < headers.length; index += 2) head += `${headers[index]}: ${headers[index + 1]}\r\n`;
    socket.write(`${head}\r\n`);
    const bytes = bodyOf(one);
    if (!headers.includes("Transfer-Encoding")) socket.write(bytes);
    else {
      if (bytes.length > 0) socket.write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)};a=b\r\n`), bytes]));
      socket.write(`${bytes.length > 0 ? "\r\n" : ""}0\r\nX-Trailer: c\r\n\r\n`);
    }
  }
  while ((received.match(/HTTP\/1\.1 [2-5]\d\d [A-Z]/g) ?? []).length < finals) await once(socket, "data");
  socket.end();
  await once(socket, "close");
}

const ways: readonly [string, (port: number, sent: readonly Sent[]) => Promise<void>][] = [
  ["by Node.js' client", sendByClient],
  ["pipelined", sendPipelined],
];

function assertAnswers(responses: Buffer, sent: readonly Sent[]): void {
  const heads = sent.map(({ method }) => method === "HEAD");
  const answers = parseStream(responses, false, heads);
  const finals = answers.filter(({ kind, status }) => kind === "head" && status !== 102);
  assert.deepEqual(
    finals.map(({ status }) => status),
    sent.map(({ status }) => status),
  );
  assert.equal(answers.at(-1)?.kind, "end");
  assert.equal(answers.at(-1)?.offset, responses.length - 1);
}

describe("HTTP parser on streams of HTTP/1", () => {
  for (const [title, send] of ways)
    it(`finds every request, its trace context and its end, sent ${title}`, async () => {
      const sent = fc.sample(message, { seed, numRuns: 300 });
      const server = await listen(sent);
      const proxy = await startRecordingProxy((server.address() as AddressInfo).port);
      await send(proxy.port, sent);
      const connections = await proxy.close();
      server.close();
      let left = sent;
      for (const { requests, responses } of connections) {
        const events = parseStream(requests, false);
        const here = left.slice(0, events.filter(({ kind }) => kind === "head").length);
        left = left.slice(here.length);
        assert.deepEqual(
          events.map(({ kind, trace }) => (kind === "head" ? { trace } : kind)),
          here.flatMap(({ traces }) => [{ trace: traces.length === 1 ? traces[0]?.trace : undefined }, "end"]),
        );
        assert.equal(events.at(-1)?.offset, requests.length - 1);
        assertAnswers(responses, here);
      }
      assert.deepEqual(left, [], "requests that were not found");
      assert.ok(connections.length < 10, "too few requests on a connection to prove anything");
    });

  it("reads a traceparent by the rules that the tests know", () => {
    const trace = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert.equal(readTraceparent(`00-${trace}`), trace);
    assert.equal(readTraceparent(`00-${trace}-`), undefined);
    assert.equal(readTraceparent(`01-${trace}-`), trace);
  });
});
