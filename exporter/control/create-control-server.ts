import Fastify, { type FastifyInstance } from "fastify";
import type { ListenAddress } from "../config/value-type.js";
import { describeSystemError } from "../lib/describe-system-error.js";
import { exitCode } from "../lib/exit-code.js";
import { UserError } from "../lib/user-error.js";
import type { AgentSnapshot } from "./agent-snapshot.js";
import { chooseMetricsFormat, renderMetrics } from "./render-metrics.js";

export interface ControlServerOptions {
  readonly takeSnapshot: () => AgentSnapshot;
  /** Exporting may fail for so long before the agent says that it is not ready. */
  readonly unreadyAfterMs: number;
}

export interface ControlServer {
  /** For tests: `server.inject`. */
  readonly server: FastifyInstance;
  /** The address with the port that was given, where port 0 was asked for. Throws UserError. */
  start(address: ListenAddress): Promise<ListenAddress>;
  close(): Promise<void>;
}

/** /healthz: the process answers. /readyz: the tracer is attached and spans get through. /metrics: OpenMetrics or Prometheus' text. */
export function createControlServer({ takeSnapshot, unreadyAfterMs }: ControlServerOptions): ControlServer {
  // A scraper that keeps its connection is not to hold up the end of the agent.
  const server = Fastify({ forceCloseConnections: true });
  server.get("/healthz", async () => ({ status: "ok" }));
  server.get("/readyz", async (_, reply) => {
    const reason = whyNotReady(takeSnapshot(), unreadyAfterMs);
    if (reason === undefined) return { status: "ready" };
    return reply.code(503).send({ status: "not ready", reason });
  });
  server.get("/metrics", async (request, reply) => {
    const format = chooseMetricsFormat(request.headers.accept);
    return reply.type(format.contentType).send(renderMetrics(takeSnapshot(), format));
  });
  server.setNotFoundHandler(async (_, reply) =>
    reply.code(404).send({ status: "not found", reason: "there are /healthz, /readyz and /metrics" }),
  );
  return {
    server,
    async start({ host, port }) {
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

function whyNotReady({ state, exportFailingMs }: AgentSnapshot, unreadyAfterMs: number): string | undefined {
  if (!state.hello) return "the tracer is not attached yet";
  if (exportFailingMs > unreadyAfterMs) return `exporting has failed for ${Math.floor(exportFailingMs / 1000)} s`;
  return undefined;
}
