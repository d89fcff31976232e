import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createOtlpSink } from "../../exporter/export/create-otlp-sink.js";
import { createJoiner } from "../../exporter/join/create-joiner.js";
import { createPipeline, runPipeline } from "../../exporter/pipeline.js";
import { createOtlpReceivers } from "../../exporter/store/create-otlp-receivers.js";
import { createPageServer } from "../../exporter/store/create-page-server.js";
import { createTraceStore, DEFAULT_STORE_LIMITS, type TraceStore } from "../../exporter/store/create-trace-store.js";
import { defaultJoining } from "../lib/default-joining.js";

export interface RunningPage {
  readonly url: string;
  readonly store: TraceStore;
  readonly grpcUrl: string;
  readonly httpUrl: string;
  /** Takes a stream of the tracer through all stages, over OTLP/gRPC, into the store. */
  send(recording: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** The store, both receivers and the page, on free ports. `npm run build` must have made the page. */
export async function startPage(ports: { readonly page?: number } = {}): Promise<RunningPage> {
  const store = createTraceStore(DEFAULT_STORE_LIMITS);
  const receivers = createOtlpReceivers({ store, grpcPort: 0, httpPort: 0 });
  const { host, grpcPort, httpPort } = await receivers.start();
  const addresses = { grpc: `${host}:${grpcPort}`, http: `${host}:${httpPort}` };
  const pageDirectory = `${repository}/build/web`;
  const page = createPageServer({
    store,
    limits: DEFAULT_STORE_LIMITS,
    port: ports.page ?? 0,
    pageDirectory,
    receivers: addresses,
  });
  const { url } = await page.start();
  return {
    url,
    store,
    grpcUrl: `http://${addresses.grpc}`,
    httpUrl: `http://${addresses.http}`,
    async send(recording) {
      const sink = createOtlpSink({ url: `http://${addresses.grpc}`, isPatient: true, flushTimeoutMs: 60_000 });
      const pipeline = createPipeline({ sinks: [sink], joiner: createJoiner(defaultJoining) });
      await runPipeline(pipeline, slices(recording));
      await pipeline.close();
      assert.equal(sink.stats().sentSpans, pipeline.spans, JSON.stringify(sink.stats().lostSpans));
    },
    async close() {
      await Promise.all([page.close(), receivers.close()]);
    },
  };
}

const SLICE_BYTES = 64 * 1024;

/** As a pipe gives them. */
async function* slices(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}
