import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePorts } from "./find-free-ports.js";
import { buildGoPrograms, collectorProgram } from "./go-programs.js";
import { type Service, startService } from "./start-service.js";

export interface CollectorPorts {
  readonly grpc: number;
  readonly http: number;
  readonly health: number;
  /** Its own metrics. */
  readonly metrics: number;
}

export interface CollectorOptions {
  /**
   * A configuration as YAML text, for example of `renderCollectorConfig`. It listens where `ports` says and has the extension
   * healthcheckv2 on `ports.health`.
   */
  readonly config: (ports: CollectorPorts) => string;
  /** Those of one that was stopped, to start it again in its place. Absent: free ones. */
  readonly ports?: CollectorPorts;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Collector extends Service {
  readonly ports: CollectorPorts;
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly grpcUrl: string;
  readonly httpUrl: string;
  /** The sum of a counter of its own metrics, e.g. "otelcol_receiver_accepted_spans"; 0 when it has none yet. */
  count(name: string): Promise<number>;
}

/** Starts the real OpenTelemetry Collector on ports of 127.0.0.1. Stop it in the end. */
export async function startCollector({ config, ports, environment = {} }: CollectorOptions): Promise<Collector> {
  const [collector = ""] = await buildGoPrograms([collectorProgram]);
  const chosen = ports ?? (await choosePorts());
  const folder = await mkdtemp(join(tmpdir(), "skbspan-collector-"));
  try {
    const path = join(folder, "collector.yaml");
    await writeFile(path, config(chosen));
    const service = await startService({
      name: "The OpenTelemetry Collector",
      argv: [collector, "--config", path],
      environment,
      ready: `http://127.0.0.1:${chosen.health}/status`,
    });
    return {
      ...service,
      ports: chosen,
      grpcUrl: `http://127.0.0.1:${chosen.grpc}`,
      httpUrl: `http://127.0.0.1:${chosen.http}`,
      count: (name) => sumCounter(`http://127.0.0.1:${chosen.metrics}/metrics`, name),
    };
  } finally {
    // It has read it.
    await rm(folder, { recursive: true, force: true });
  }
}

/** OTLP in, to nowhere or to the exporters given: `parts` are lines of YAML, as deep as they stand in a configuration. */
export function renderCollectorConfig(
  { grpc, http, health, metrics }: CollectorPorts,
  parts: {
    readonly processors?: string;
    readonly exporters?: string;
    readonly pipeline?: string;
    readonly grpc?: string;
  } = {},
): string {
  return `
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:${grpc}"${parts.grpc === undefined ? "" : `, ${parts.grpc}`}}
      http: {endpoint: "127.0.0.1:${http}"}
processors: ${parts.processors ?? "{}"}
exporters: ${parts.exporters ?? "{nop: {}}"}
extensions: {healthcheckv2: {use_v2: true, http: {endpoint: "127.0.0.1:${health}"}}}
service:
  extensions: [healthcheckv2]
  telemetry: {metrics: {level: normal, readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metrics}}}}}]}}
  pipelines:
    traces: ${parts.pipeline ?? "{receivers: [otlp], exporters: [nop]}"}
`;
}

async function choosePorts(): Promise<CollectorPorts> {
  const [grpc = 0, http = 0, health = 0, metrics = 0] = await findFreePorts(4);
  return { grpc, http, health, metrics };
}

async function sumCounter(url: string, name: string): Promise<number> {
  const text = await (await fetch(url)).text();
  const pattern = new RegExp(`^${name}(?:_total)?(?:\\{[^}]*\\})? (\\S+)`, "gm");
  return [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
}
