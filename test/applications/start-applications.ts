import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLab, type Lab } from "../../exporter/demo/lab/create-lab.js";
import { createOtlpReceivers } from "../../exporter/store/create-otlp-receivers.js";
import { createTraceStore, DEFAULT_STORE_LIMITS, type TraceStore } from "../../exporter/store/create-trace-store.js";
import { makeCertificates } from "../lib/make-certificates.js";
import { applicationNetwork, buildApplicationNetwork, ports } from "./build-application-network.js";

/** Servers that wait for requests, and a store that takes their spans. */
export interface Applications {
  readonly lab: Lab;
  readonly store: TraceStore;
  /** OTLP/gRPC into the store, from this machine's own namespace. */
  readonly otlpUrl: string;
  /** Runs an application of the folder apps to its end, in the client's namespace; returns what it printed. */
  runClient(name: string, args: readonly string[], options: ApplicationOptions): Promise<string>;
  close(): Promise<void>;
}

export interface ApplicationOptions {
  /** The service's name in its spans. */
  readonly service: string;
  /** Whether it tells of its sockets by skbspan/register. */
  readonly hasHelper?: boolean;
}

const READY = { ready: /^ready$/, readyTimeoutMs: 180_000 };
const CLIENT_TIMEOUT_MS = 180_000;

export async function startApplications(): Promise<Applications> {
  const folder = mkdtempSync(join(tmpdir(), "skbspan-applications-"));
  const certificates = makeCertificates();
  const store = createTraceStore({ ...DEFAULT_STORE_LIMITS, maxSpansPerTrace: 100_000 });
  const receivers = createOtlpReceivers({ store, grpcPort: 0, httpPort: 0 });
  const { host, grpcPort } = await receivers.start();
  const socketPath = join(folder, "otlp.sock");
  const forwarder = await forward(socketPath, host, grpcPort);
  const lab = await createLab();
  const authority = certificates.createAuthority("authority");
  const node = ({ service, hasHelper = false }: ApplicationOptions): string[] => [
    ...[
      "env",
      `OTEL_SERVICE_NAME=${service}`,
      `OTEL_EXPORTER_OTLP_INSECURE=true`,
      `OTEL_EXPORTER_OTLP_ENDPOINT=unix://${socketPath}`,
    ],
    ...["OTEL_BSP_SCHEDULE_DELAY=200", `NODE_EXTRA_CA_CERTS=${authority.certificateFile}`],
    ...[process.execPath, ...(hasHelper ? ["--import", "skbspan/register"] : [])],
    ...["--import", applicationPath("instrument")],
  ];
  const close = async (): Promise<void> => {
    await lab.close();
    forwarder.close();
    await receivers.close();
    certificates.remove();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await buildApplicationNetwork(lab);
    const { server } = applicationNetwork;
    const { keyFile, certificateFile } = authority.issue("server", {
      names: `IP:${applicationNetwork.serviceAddress}`,
    });
    const start = (name: string, args: readonly (string | number)[], options: ApplicationOptions): Promise<unknown> =>
      lab.start(server, [...node(options), applicationPath(name), ...args.map(String)], READY);
    await Promise.all([
      start("http-server", [ports.http.target], { service: "http-server" }),
      start("http-server", [ports.https.target, keyFile, certificateFile], {
        service: "https-server",
        hasHelper: true,
      }),
      start("grpc-server", [ports.grpc.target], { service: "grpc-server" }),
      startNginx(lab, folder),
    ]);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    lab,
    store,
    otlpUrl: `http://${host}:${grpcPort}`,
    runClient: (name, args, options) =>
      lab.require(applicationNetwork.client, [...node(options), applicationPath(name), ...args], {
        timeoutMs: CLIENT_TIMEOUT_MS,
      }),
    close,
  };
}

/**
 * A socket with a path is there in every network namespace: the applications' spans reach the store without a packet that could be
 * traced.
 */
async function forward(path: string, host: string, port: number): Promise<Server> {
  const server = createServer((from) => {
    const to = connect(port, host);
    from.pipe(to).pipe(from);
    from.on("error", () => to.destroy());
    to.on("error", () => from.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  server.unref();
  return server;
}

/** Debian's, with files and a configuration of its own. It passes headers on as they come, the trace context among them. */
async function startNginx(lab: Lab, folder: string): Promise<void> {
  const home = join(folder, "nginx");
  mkdirSync(home);
  const { proxyAddress, serviceAddress, proxy } = applicationNetwork;
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    join(home, "nginx.conf"),
    `daemon off;
     master_process off;
     pid ${home}/nginx.pid;
     error_log stderr;
     events {}
     http {
       access_log off;
       ${temporary.map((name) => `${name}_temp_path ${home}/${name};`).join("\n")}
       server {
         listen ${proxyAddress}:${ports.proxy.target};
         location / { proxy_pass http://${serviceAddress}:${ports.http.service}; }
       }
     }`,
  );
  await lab.start(proxy, ["nginx", "-p", home, "-c", join(home, "nginx.conf")]);
  await lab.require(proxy, [
    "sh",
    "-c",
    `for i in $(seq 600); do test -s ${home}/nginx.pid && exit 0; sleep 0.1; done; exit 1`,
  ]);
}

function applicationPath(name: string): string {
  return fileURLToPath(new URL(`apps/${name}.js`, import.meta.url));
}
