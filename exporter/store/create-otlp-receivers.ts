import { createGrpcReceiver } from "./create-grpc-receiver.js";
import { createHttpReceiver } from "./create-http-receiver.js";
import type { TraceStore } from "./create-trace-store.js";

export interface OtlpReceiversOptions {
  readonly store: TraceStore;
  /** Default 127.0.0.1: what is received is shown to anyone who can open the page. */
  readonly host?: string;
  /** Default 4317; 0: any free port. */
  readonly grpcPort?: number;
  /** Default 4318; 0: any free port. */
  readonly httpPort?: number;
  /** Default 16 MiB. */
  readonly maxRequestBytes?: number;
}

export interface OtlpReceivers {
  /** Starts both or none. Throws ListenError. */
  start(): Promise<{ readonly host: string; readonly grpcPort: number; readonly httpPort: number }>;
  close(): Promise<void>;
}

const DEFAULT_MAX_REQUEST_BYTES = 16 * 1024 * 1024;

/** OTLP/gRPC and OTLP/HTTP into one store, for our own spans and for those of any application on this machine. */
export function createOtlpReceivers(options: OtlpReceiversOptions): OtlpReceivers {
  const { store, host = "127.0.0.1", grpcPort = 4317, httpPort = 4318 } = options;
  const maxRequestBytes = options.maxRequestBytes ?? DEFAULT_MAX_REQUEST_BYTES;
  const grpcReceiver = createGrpcReceiver({ store, host, port: grpcPort, maxRequestBytes });
  const httpReceiver = createHttpReceiver({ store, host, port: httpPort, maxRequestBytes });

  async function close(): Promise<void> {
    await Promise.all([grpcReceiver.close(), httpReceiver.close()]);
  }

  return {
    async start() {
      const [grpcBound, httpBound] = await Promise.allSettled([grpcReceiver.start(), httpReceiver.start()]);
      if (grpcBound.status === "fulfilled" && httpBound.status === "fulfilled") {
        return { host, grpcPort: grpcBound.value.port, httpPort: httpBound.value.port };
      }
      await close();
      throw grpcBound.status === "rejected" ? grpcBound.reason : (httpBound as PromiseRejectedResult).reason;
    },
    close,
  };
}
