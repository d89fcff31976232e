import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { Client, credentials, Metadata, Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import fc from "fast-check";
import { parseStream } from "./parse-stream.js";
import { startRecordingProxy } from "./recording-proxy.js";
import { type TraceHeader, traceHeader } from "./trace-contexts.js";

const asIs = (bytes: Buffer) => bytes;
const method = (path: string, isStream: boolean) => ({
  path,
  requestStream: isStream,
  responseStream: isStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});
const unaryPath = "/shop.Cart/Add";
const streamPath = "/shop.Cart/Watch";
const service: ServiceDefinition = { add: method(unaryPath, false), watch: method(streamPath, true) };

async function listen(): Promise<{ server: Server; port: number }> {
  const server = new Server();
  server.addService(service, {
    add: (call: { request: Buffer }, answer: (error: null, bytes: Buffer) => void) => answer(null, call.request),
    watch: (call: NodeJS.ReadWriteStream) => call.pipe(call),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { server, port };
}

function metadataOf({ value }: TraceHeader, index: number): Metadata {
  const metadata = new Metadata();
  metadata.set("x-request", `${index}`);
  metadata.set("traceparent", value);
  metadata.set("authorization", `Bearer ${"abcDEF".repeat(index % 50)}`);
  return metadata;
}

async function callUnary(client: Client, metadata: Metadata, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    client.makeUnaryRequest(unaryPath, asIs, asIs, bytes, metadata, (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}

async function callStream(client: Client, metadata: Metadata, bytes: Buffer): Promise<void> {
  const call = client.makeBidiStreamRequest(streamPath, asIs, asIs, metadata);
  for (let count = 0; count < 3; count++) {
    call.write(bytes);
    await once(call, "data");
  }
  call.end();
  await once(call, "end");
}

describe("HTTP parser on streams of gRPC", () => {
  it("finds the trace context of every call, unary or streaming", async () => {
    const { server, port } = await listen();
    const proxy = await startRecordingProxy(port);
    const client = new Client(`127.0.0.1:${proxy.port}`, credentials.createInsecure());
    const traces = fc.sample(traceHeader, { seed: 20_260_803, numRuns: 200 });
    for (const [index, trace] of traces.entries()) {
      const call = index % 3 === 0 ? callStream : callUnary;
      await call(client, metadataOf(trace, index), Buffer.alloc(index * 37, "traceparent"));
    }
    client.close();
    const [connection, ...more] = await proxy.close();
    server.forceShutdown();
    assert.ok(connection !== undefined && more.length === 0);
    const events = parseStream(connection.requests, true);
    const heads = events
      .filter(({ kind }) => kind !== "end")
      .map(({ kind, trace }) => (kind === "head" ? { trace } : kind));
    assert.deepEqual(
      heads,
      traces.map(({ trace }) => ({ trace })),
    );
    assert.equal(events.filter(({ kind }) => kind === "end").length, traces.length);
    const answers = parseStream(connection.responses, true);
    assert.equal(answers.filter(({ kind }) => kind === "lost").length, 0);
    assert.equal(answers.filter(({ kind }) => kind === "end").length, traces.length);
  });
});
