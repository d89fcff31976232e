import { fileURLToPath } from "node:url";
import { createOtlpSink } from "../../exporter/export/create-otlp-sink.js";
import { createPipeline } from "../../exporter/pipeline.js";
import { createOtlpReceivers } from "../../exporter/store/create-otlp-receivers.js";
import { createPageServer } from "../../exporter/store/create-page-server.js";
import { createTraceStore, DEFAULT_STORE_LIMITS, type TraceStore } from "../../exporter/store/create-trace-store.js";

export interface RunningPage {
  readonly url: string;
  readonly store: TraceStore;
  readonly grpcUrl: string;
  readonly httpUrl: string;
  /** Takes a stream of the tracer through decode, enrich, map and export, over OTLP/gRPC, into the store. */
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
      const pipeline = createPipeline({
        sinks: [createOtlpSink({ url: `http://${addresses.grpc}`, isPatient: true })],
      });
      pipeline.push(recording);
      pipeline.end();
      await pipeline.close();
    },
    async close() {
      await Promise.all([page.close(), receivers.close()]);
    },
  };
}
