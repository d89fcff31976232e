import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { createOtlpReceivers } from "./create-otlp-receivers.js";
import { createTraceStore } from "./create-trace-store.js";
import { ListenError } from "./listen-error.js";
import { exportTraceServiceRequest, exportTraceServiceResponse, rpcStatus } from "./otlp-messages.js";

const store = createTraceStore({ maxSpans: 1000, maxBytes: 10_000_000, maxSpansPerTrace: 3 });
const receivers = createOtlpReceivers({ store, grpcPort: 0, httpPort: 0, maxRequestBytes: 64 * 1024 });
let grpcPort = 0;
let tracesUrl = "";

before(async () => {
  const bound = await receivers.start();
  grpcPort = bound.grpcPort;
  tracesUrl = `http://127.0.0.1:${bound.httpPort}/v1/traces`;
});
after(() => receivers.close());

const jsonSpan = (trace: number, span: number) => ({
  traceId: trace.toString(16).padStart(32, "a"),
  spanId: span.toString(16).padStart(16, "b"),
  name: `span ${span}`,
});
const jsonRequest = (spans: readonly object[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<Response> {
  return fetch(tracesUrl, { method: "POST", body, headers });
}

async function messageIn(response: Response): Promise<string> {
  return ((await response.json()) as { message: string }).message;
}

const JSON_HEADERS = { "content-type": "application/json" };
const PROTOBUF_HEADERS = { "content-type": "application/x-protobuf" };

describe("OTLP/gRPC", () => {
  for (const compression of [CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP]) {
    it(`takes what the official exporter sends, compression ${compression}`, async () => {
      const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${grpcPort}`, compression });
      const resource = resourceFromAttributes({ "service.name": "shop" });
      const provider = new NodeTracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor(exporter)] });
      const span = provider.getTracer("shop-tracer").startSpan("GET /cart");
      span.setAttribute("http.response.status_code", 200);
      span.end();
      await provider.forceFlush();
      await provider.shutdown();
      const stored = store.get(span.spanContext().traceId)?.spans[0];
      assert.equal(stored?.name, "GET /cart");
      assert.equal(stored.attributes["http.response.status_code"], 200);
      assert.equal(stored.resource.attributes["service.name"], "shop");
      assert.equal(stored.scope.name, "shop-tracer");
    });
  }

  function call(bytes: Buffer): Promise<Buffer> {
    const client = new grpc.Client(`127.0.0.1:${grpcPort}`, grpc.credentials.createInsecure());
    const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    const pass = (value: Buffer) => value;
    return new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(path, pass, pass, bytes, (error, value) =>
        error ? reject(error) : resolve(value ?? Buffer.alloc(0)),
      );
    }).finally(() => client.close());
  }

  it("answers INVALID_ARGUMENT to bytes that are not OTLP", async () => {
    await assert.rejects(call(Buffer.from([0x0a, 0xff, 0xff])), { code: grpc.status.INVALID_ARGUMENT });
  });

  it("answers RESOURCE_EXHAUSTED to a request that is too large", async () => {
    await assert.rejects(call(Buffer.alloc(65 * 1024)), { code: grpc.status.RESOURCE_EXHAUSTED });
  });

  it("answers an empty message to success and partial success with a reason otherwise", async () => {
    const encode = (value: object) =>
      Buffer.from(exportTraceServiceRequest.encode(exportTraceServiceRequest.fromObject(value)).finish());
    assert.equal((await call(encode({}))).length, 0);
    const spans = [1, 2, 3, 4].map((number) => ({ traceId: Buffer.alloc(16, 7), spanId: Buffer.alloc(8, number) }));
    const answer = exportTraceServiceResponse.toObject(
      exportTraceServiceResponse.decode(await call(encode(jsonRequest(spans)))),
      {
        longs: Number,
      },
    );
    assert.equal(answer["partialSuccess"].rejectedSpans, 1);
    assert.match(answer["partialSuccess"].errorMessage, /the most that one trace may have/);
  });
});

describe("OTLP/HTTP", () => {
  it("takes JSON and answers JSON", async () => {
    const response = await post(JSON.stringify(jsonRequest([jsonSpan(1, 1)])), JSON_HEADERS);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {});
    assert.equal(store.get(jsonSpan(1, 1).traceId)?.spans[0]?.name, "span 1");
  });

  it("takes protobuf, plain and in gzip, and answers protobuf", async () => {
    for (const [number, headers] of [[2, {}] as const, [3, { "content-encoding": "gzip" }] as const]) {
      const spans = [{ traceId: Buffer.alloc(16, number), spanId: Buffer.alloc(8, 1), name: "bytes" }];
      const bytes = exportTraceServiceRequest.encode(exportTraceServiceRequest.fromObject(jsonRequest(spans))).finish();
      const body = "content-encoding" in headers ? gzipSync(bytes) : bytes;
      const response = await post(new Uint8Array(body), { ...PROTOBUF_HEADERS, ...headers });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), "application/x-protobuf");
      assert.equal((await response.arrayBuffer()).byteLength, 0);
      assert.equal(store.get(Buffer.alloc(16, number).toString("hex"))?.spans[0]?.name, "bytes");
    }
  });

  it("answers partial success", async () => {
    const body = JSON.stringify(jsonRequest([jsonSpan(9, 9), { name: "no ids" }]));
    const answer = (await (await post(body, JSON_HEADERS)).json()) as {
      partialSuccess: { rejectedSpans: string; errorMessage: string };
    };
    assert.equal(answer.partialSuccess.rejectedSpans, "1");
    assert.match(answer.partialSuccess.errorMessage, /trace id/);
  });

  const refusals: readonly [string, string | Uint8Array<ArrayBuffer>, Record<string, string>, number, RegExp][] = [
    ["text that is not JSON", "{", JSON_HEADERS, 400, /not JSON/],
    ["JSON that is not OTLP", '{"resourceSpans":7}', JSON_HEADERS, 400, /must be a list/],
    ["another media type", "x", { "content-type": "text/plain" }, 415, /application\/x-protobuf/],
    ["an unknown compression", "x", { ...JSON_HEADERS, "content-encoding": "br" }, 415, /gzip/],
    ["a body that is not gzip", "x", { ...JSON_HEADERS, "content-encoding": "gzip" }, 400, /not gzip/],
    ["a body that is too large", "x".repeat(65 * 1024), JSON_HEADERS, 413, /more than 65536 bytes/],
    [
      "a small body that unpacks to a large one",
      new Uint8Array(gzipSync(Buffer.alloc(1_000_000))),
      { ...JSON_HEADERS, "content-encoding": "gzip" },
      413,
      /more than 65536 bytes/,
    ],
  ];
  for (const [what, body, headers, status, message] of refusals) {
    it(`refuses ${what}`, async () => {
      const response = await post(body, headers);
      assert.equal(response.status, status);
      assert.match(await messageIn(response), message);
    });
  }

  it("answers a protobuf Status to a protobuf request", async () => {
    const response = await post(new Uint8Array([0x0a, 0xff, 0xff]), PROTOBUF_HEADERS);
    assert.equal(response.status, 400);
    const status = rpcStatus.toObject(rpcStatus.decode(new Uint8Array(await response.arrayBuffer())));
    assert.equal(status["code"], 3);
    assert.match(status["message"], /not a protobuf ExportTraceServiceRequest/);
  });

  it("says where traces go when they are sent elsewhere", async () => {
    const response = await fetch(tracesUrl.replace("traces", "metrics"), {
      method: "POST",
      body: "{}",
      headers: JSON_HEADERS,
    });
    assert.equal(response.status, 404);
    assert.match(await messageIn(response), /\/v1\/traces/);
  });
});

describe("a port that is taken", () => {
  it("is named, with what to do, and the other receiver does not stay", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => squatter.once("listening", resolve));
    const address = squatter.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    for (const ports of [
      { grpcPort: port, httpPort: 0 },
      { grpcPort: 0, httpPort: port },
    ]) {
      const second = createOtlpReceivers({ store, ...ports });
      await assert.rejects(second.start(), (error) => {
        assert.ok(error instanceof ListenError);
        assert.match(error.message, new RegExp(`127.0.0.1:${port}: another program listens there already`));
        return true;
      });
    }
    squatter.close();
  });
});
