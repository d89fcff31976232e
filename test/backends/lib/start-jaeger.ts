import { fileURLToPath } from "node:url";
import { findFreePorts } from "./find-free-ports.js";
import { buildGoPrograms, jaegerProgram } from "./go-programs.js";
import { type Service, startService } from "./start-service.js";

export interface Jaeger extends Service {
  /** Where it takes OTLP/gRPC and OTLP/HTTP. */
  readonly grpcUrl: string;
  readonly httpUrl: string;
  /** Its API; its page where a release of Jaeger has one. */
  readonly queryUrl: string;
}

export interface JaegerPorts {
  readonly grpc: number;
  readonly http: number;
  readonly ui: number;
  readonly queryGrpc: number;
  readonly health: number;
}

const configPath = fileURLToPath(new URL("../../../../otel-config/jaeger.yaml", import.meta.url));

/** Starts the real Jaeger with otel-config/jaeger.yaml, on free ports of 127.0.0.1 or those given. Stop it in the end. */
export async function startJaeger(ports?: JaegerPorts): Promise<Jaeger> {
  const [program = ""] = await buildGoPrograms([jaegerProgram]);
  const { grpc, http, ui, queryGrpc, health } = ports ?? (await choosePorts());
  const service = await startService({
    name: "Jaeger",
    argv: [program, "--config", configPath],
    environment: {
      SKBSPAN_JAEGER_GRPC: `127.0.0.1:${grpc}`,
      SKBSPAN_JAEGER_HTTP: `127.0.0.1:${http}`,
      SKBSPAN_JAEGER_UI: `127.0.0.1:${ui}`,
      SKBSPAN_JAEGER_QUERY_GRPC: `127.0.0.1:${queryGrpc}`,
      SKBSPAN_JAEGER_HEALTH: `127.0.0.1:${health}`,
    },
    ready: `http://127.0.0.1:${health}/status`,
  });
  return {
    ...service,
    grpcUrl: `http://127.0.0.1:${grpc}`,
    httpUrl: `http://127.0.0.1:${http}`,
    queryUrl: `http://127.0.0.1:${ui}`,
  };
}

async function choosePorts(): Promise<JaegerPorts> {
  const [grpc = 0, http = 0, ui = 0, queryGrpc = 0, health = 0] = await findFreePorts(5);
  return { grpc, http, ui, queryGrpc, health };
}
