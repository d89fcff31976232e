import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import { createOtlpReceivers } from "../store/create-otlp-receivers.js";
import { createPageServer } from "../store/create-page-server.js";
import { createTraceStore, DEFAULT_STORE_LIMITS, type TraceStore } from "../store/create-trace-store.js";
import { ListenError } from "../store/listen-error.js";
import { pageDirectory } from "../store/page-directory.js";

export interface DemoServers {
  readonly store: TraceStore;
  readonly pageUrl: string;
  /** Where OTLP/gRPC is received, as a URL for an exporter. */
  readonly otlpUrl: string;
  /** `host:port` each. */
  readonly grpcAddress: string;
  readonly httpAddress: string;
  close(): Promise<void>;
}

export interface DemoPorts {
  readonly pagePort: number;
  readonly otlpGrpcPort: number;
  readonly otlpHttpPort: number;
}

const HOST = "127.0.0.1";

/** The store with its receivers and its page; all or none. Throws UserError when a port is taken. */
export async function startDemoServers(ports: DemoPorts): Promise<DemoServers> {
  try {
    return await startAll(ports);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const hint = "--otlp-grpc-port, --otlp-http-port and --port choose other ports; 0 takes any that is free.";
    throw new UserError(exitCode.failure, error.message, { hint, cause: error });
  }
}

async function startAll(ports: DemoPorts): Promise<DemoServers> {
  const store = createTraceStore();
  const receivers = createOtlpReceivers({
    store,
    host: HOST,
    grpcPort: ports.otlpGrpcPort,
    httpPort: ports.otlpHttpPort,
  });
  const { grpcPort, httpPort } = await receivers.start();
  const [grpcAddress, httpAddress] = [`${HOST}:${grpcPort}`, `${HOST}:${httpPort}`];
  const page = createPageServer({
    store,
    limits: DEFAULT_STORE_LIMITS,
    host: HOST,
    port: ports.pagePort,
    pageDirectory,
    receivers: { grpc: grpcAddress, http: httpAddress },
  });
  try {
    const { url } = await page.start();
    return {
      store,
      pageUrl: url,
      otlpUrl: `http://${grpcAddress}`,
      grpcAddress,
      httpAddress,
      close: async () => void (await Promise.all([page.close(), receivers.close()])),
    };
  } catch (error) {
    await receivers.close();
    throw error;
  }
}
