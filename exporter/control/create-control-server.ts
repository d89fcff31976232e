import type { Server as HttpsServer } from "node:https";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { ListenAddress } from "../config/value-type.js";
import { describeSystemError } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import { addSessionRoutes } from "../session/add-session-routes.js";
import type { SessionManager } from "../session/create-session-manager.js";
import { createAccess } from "./access.js";
import type { AgentSnapshot } from "./agent-snapshot.js";
import { chooseMetricsFormat, renderMetrics } from "./render-metrics.js";
import { type CertificateFileNames, readServerCertificate } from "./server-certificate.js";

/** A certificate that was renewed is served after so long: Kubernetes puts new contents into a mounted Secret. */
const READ_CERTIFICATE_EVERY_MS = 60_000;
/** Requests are a few lines; who sends them slowly, or keeps connections, holds nothing up. */
const LIMITS = { connectionTimeout: 10_000, requestTimeout: 10_000, bodyLimit: 64 * 1024 } as const;
const MAX_CONNECTIONS = 256;

export interface ControlServerOptions {
  readonly takeSnapshot: () => AgentSnapshot;
  /** Exporting may fail for so long before the agent says that it is not ready. */
  readonly unreadyAfterMs: number;
  /** What everybody who reads metrics has to show; default: only this machine may read them. */
  readonly tokenFile?: string | undefined;
  /** With TLS from these files; default: without. */
  readonly certificateFiles?: CertificateFileNames | undefined;
  /** Whose sessions are served; default: none are. */
  readonly sessions?: SessionManager | undefined;
}

export interface ControlServer {
  /** For tests: `server.inject`. */
  readonly server: FastifyInstance;
  /** The address with the port that was given, where port 0 was asked for. Throws UserError. */
  start(address: ListenAddress): Promise<ListenAddress>;
  close(): Promise<void>;
}

/**
 * /healthz: the process answers. /readyz: the tracer is attached and spans get through. Both are open, they say no more than
 * that. /metrics: OpenMetrics or Prometheus' text, for those whom access.ts lets. Throws UserError.
 */
export function createControlServer(options: ControlServerOptions): ControlServer {
  const { takeSnapshot, unreadyAfterMs, tokenFile, certificateFiles } = options;
  const access = createAccess(tokenFile);
  const server = createServer(certificateFiles);
  const refuses = async (request: FastifyRequest, reply: FastifyReply): Promise<boolean> => {
    const refusal = await access.whyRefused(describeCaller(request));
    if (refusal?.code === 401) void reply.header("www-authenticate", "Bearer");
    if (refusal) void reply.code(refusal.code).send({ status: "refused", reason: refusal.reason });
    return refusal !== undefined;
  };
  if (options.sessions) addSessionRoutes(server, options.sessions, { refuses, asksForToken: tokenFile !== undefined });
  server.get("/healthz", async () => ({ status: "ok" }));
  server.get("/readyz", async (_, reply) => {
    const snapshot = takeSnapshot();
    const reason = whyNotReady(snapshot, unreadyAfterMs);
    if (reason === undefined) return { status: "ready", ...describeLack(snapshot) };
    return reply.code(503).send({ status: "not ready", reason });
  });
  server.get("/metrics", async (request, reply) => {
    if (await refuses(request, reply)) return reply;
    const format = chooseMetricsFormat(request.headers.accept);
    return reply.type(format.contentType).send(renderMetrics(takeSnapshot(), format));
  });
  server.setNotFoundHandler(async (_, reply) =>
    reply.code(404).send({ status: "not found", reason: "there are /healthz, /readyz and /metrics" }),
  );
  return {
    server,
    async start({ host, port }) {
      await access.check();
      try {
        await server.listen({ host, port });
      } catch (error) {
        throw new UserError(exitCode.failure, `Cannot listen on ${host}:${port}: ${describeSystemError(error)}.`, {
          hint: "Stop what uses it, or choose another address with --listen.",
          cause: error,
        });
      }
      const bound = server.server.address();
      return { host, port: typeof bound === "object" && bound !== null ? bound.port : port };
    },
    close: () => server.close(),
  };
}

function createServer(files: CertificateFileNames | undefined): FastifyInstance {
  // A scraper that keeps its connection is not to hold up the end of the agent.
  const settings = { ...LIMITS, forceCloseConnections: true } as const;
  const server = files
    ? (Fastify({ ...settings, https: readServerCertificate(files) }) as unknown as FastifyInstance)
    : Fastify(settings);
  server.server.maxConnections = MAX_CONNECTIONS;
  if (files) renewCertificate(server, files);
  return server;
}

/** One that cannot be read any more, or is half written, leaves the last good one in place. */
function renewCertificate(server: FastifyInstance, files: CertificateFileNames): void {
  const renew = (): void => {
    try {
      (server.server as unknown as HttpsServer).setSecureContext(readServerCertificate(files));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  };
  const timer = setInterval(renew, READ_CERTIFICATE_EVERY_MS);
  timer.unref();
  server.addHook("onClose", async () => clearInterval(timer));
}

function describeCaller({ socket, headers }: FastifyRequest) {
  return { address: socket.remoteAddress, isEncrypted: "encrypted" in socket, authorization: headers.authorization };
}

/** Tracing goes on without names: an API server that is away is not to have all of its agents taken for broken. */
function describeLack({ pods }: AgentSnapshot): { readonly lack?: string } {
  if (pods === undefined || pods.health.state === "reading") return {};
  return { lack: `new pods are not named: the API server ${pods.health.isRefused ? "refuses" : "does not answer"}` };
}

function whyNotReady({ state, exportFailingMs }: AgentSnapshot, unreadyAfterMs: number): string | undefined {
  if (!state.hello) return "the tracer is not attached yet";
  if (exportFailingMs > unreadyAfterMs) return `exporting has failed for ${Math.floor(exportFailingMs / 1000)} s`;
  return undefined;
}
