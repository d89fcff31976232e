import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findFreePorts } from "./find-free-ports.js";
import { buildGoPrograms, collectorProgram } from "./go-programs.js";
import { startAlertmanager } from "./start-alertmanager.js";
import { startJaeger } from "./start-jaeger.js";
import { startPrometheus } from "./start-prometheus.js";
import { type Service, startService } from "./start-service.js";

export interface StackPorts {
  readonly nodeGrpc: number;
  readonly nodeHttp: number;
  readonly nodeHealth: number;
  readonly nodeMetrics: number;
  readonly gatewayGrpc: number;
  readonly gatewayHttp: number;
  readonly gatewayHealth: number;
  readonly gatewayMetrics: number;
  readonly gatewayDrops: number;
  readonly jaegerGrpc: number;
  readonly jaegerHttp: number;
  readonly jaegerUi: number;
  readonly jaegerQueryGrpc: number;
  readonly jaegerHealth: number;
  readonly prometheus: number;
  readonly alertmanager: number;
}

/** Those of the files in otel-config, except Jaeger's OTLP, which would be the node's. */
export const documentedPorts: StackPorts = {
  nodeGrpc: 4317,
  nodeHttp: 4318,
  nodeHealth: 13134,
  nodeMetrics: 8888,
  gatewayGrpc: 14317,
  gatewayHttp: 14318,
  gatewayHealth: 13135,
  gatewayMetrics: 8890,
  gatewayDrops: 8889,
  jaegerGrpc: 24317,
  jaegerHttp: 24318,
  jaegerUi: 16686,
  jaegerQueryGrpc: 16685,
  jaegerHealth: 13133,
  prometheus: 9090,
  alertmanager: 9093,
};

export interface StackOptions {
  /** Absent: the documented ones. */
  readonly ports?: StackPorts;
  /** `host:port` of the agent's metrics. Default 127.0.0.1:9464. */
  readonly agent?: string;
  /** Where Alertmanager's messages go. Default: where otel-config/alertmanager.yml says. */
  readonly webhookUrl?: string;
  readonly onProgress?: (text: string) => void;
  /** Gives up starting. */
  readonly signal?: AbortSignal;
}

export interface Stack {
  readonly ports: StackPorts;
  /** For OTEL_EXPORTER_OTLP_ENDPOINT: the node's Collector. */
  readonly otlpUrl: string;
  readonly jaegerUrl: string;
  readonly prometheusUrl: string;
  readonly alertmanagerUrl: string;
  /** What is where, for a person. */
  readonly description: string;
  /** Resolves, with what to tell, when a part has ended by itself. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

const configDirectory = fileURLToPath(new URL("../../../../otel-config/", import.meta.url));

/** Free ports for all. */
export async function chooseStackPorts(): Promise<StackPorts> {
  const names = Object.keys(documentedPorts);
  const ports = await findFreePorts(names.length);
  return Object.fromEntries(names.map((name, index) => [name, ports[index]])) as unknown as StackPorts;
}

/** Starts what can be had without Docker, with the files of otel-config: all or nothing. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { ports = documentedPorts, onProgress = () => {}, signal } = options;
  const services: Service[] = [];
  const stop = async (): Promise<void> => {
    // Those who send before those who receive, so that what they hold gets through.
    for (const service of services.reverse().splice(0)) await service.stop();
  };
  let ended: Promise<string>[] = [];
  const add = async (name: string, start: () => Promise<Service>): Promise<void> => {
    signal?.throwIfAborted();
    onProgress(`starting ${name} ...`);
    const service = await start();
    services.push(service);
    ended = [
      ...ended,
      service.exited.then(() => `${name} has ended by itself; it said:\n${service.output().slice(-2_000)}`),
    ];
  };
  try {
    await startAll(options, ports, add);
  } catch (error) {
    await stop();
    throw error;
  }
  const { nodeGrpc, nodeHttp, jaegerUi, prometheus, alertmanager } = ports;
  return {
    ports,
    otlpUrl: `http://127.0.0.1:${nodeGrpc}`,
    jaegerUrl: `http://127.0.0.1:${jaegerUi}`,
    prometheusUrl: `http://127.0.0.1:${prometheus}`,
    alertmanagerUrl: `http://127.0.0.1:${alertmanager}`,
    description: describe({ nodeGrpc, nodeHttp, jaegerUi, prometheus, alertmanager }),
    ended: Promise.race(ended),
    stop,
  };
}

async function startAll(
  { agent = "127.0.0.1:9464", webhookUrl }: StackOptions,
  ports: StackPorts,
  add: (name: string, start: () => Promise<Service>) => Promise<void>,
): Promise<void> {
  const [collector = ""] = await buildGoPrograms([collectorProgram]);
  const local = (port: number): string => `127.0.0.1:${port}`;
  await add("Jaeger", () =>
    startJaeger({
      grpc: ports.jaegerGrpc,
      http: ports.jaegerHttp,
      ui: ports.jaegerUi,
      queryGrpc: ports.jaegerQueryGrpc,
      health: ports.jaegerHealth,
    }),
  );
  await add("the gateway's Collector", () =>
    startService({
      name: "The gateway's Collector",
      argv: [collector, "--config", join(configDirectory, "collector-gateway.yaml")],
      environment: {
        SKBSPAN_GATEWAY_GRPC: local(ports.gatewayGrpc),
        SKBSPAN_GATEWAY_HTTP: local(ports.gatewayHttp),
        SKBSPAN_GATEWAY_HEALTH: local(ports.gatewayHealth),
        SKBSPAN_GATEWAY_METRICS_PORT: String(ports.gatewayMetrics),
        SKBSPAN_GATEWAY_DROPS: local(ports.gatewayDrops),
        SKBSPAN_BACKEND: local(ports.jaegerGrpc),
      },
      ready: `http://${local(ports.gatewayHealth)}/status`,
    }),
  );
  await add("the node's Collector", () =>
    startService({
      name: "The node's Collector",
      argv: [collector, "--config", join(configDirectory, "collector-node.yaml")],
      environment: {
        SKBSPAN_NODE_GRPC: local(ports.nodeGrpc),
        SKBSPAN_NODE_HTTP: local(ports.nodeHttp),
        SKBSPAN_NODE_HEALTH: local(ports.nodeHealth),
        SKBSPAN_NODE_METRICS_PORT: String(ports.nodeMetrics),
        SKBSPAN_GATEWAY: local(ports.gatewayGrpc),
      },
      ready: `http://${local(ports.nodeHealth)}/status`,
    }),
  );
  await add("Alertmanager", () =>
    startAlertmanager({ port: ports.alertmanager, ...(webhookUrl === undefined ? {} : { webhookUrl }) }),
  );
  await add("Prometheus", () =>
    startPrometheus({
      port: ports.prometheus,
      alertmanager: local(ports.alertmanager),
      targets: {
        skbspan: [agent],
        "skbspan-gateway": [local(ports.gatewayDrops)],
        otelcol: [local(ports.nodeMetrics), local(ports.gatewayMetrics)],
      },
    }),
  );
}

type ShownPorts = Pick<StackPorts, "nodeGrpc" | "nodeHttp" | "jaegerUi" | "prometheus" | "alertmanager">;

function describe({ nodeGrpc, nodeHttp, jaegerUi, prometheus, alertmanager }: ShownPorts): string {
  return `
  OTLP          127.0.0.1:${nodeGrpc} (gRPC), 127.0.0.1:${nodeHttp} (HTTP): the node's Collector, then the gateway's, then Jaeger
  Prometheus    http://127.0.0.1:${prometheus}/classic/alerts
  Alertmanager  http://127.0.0.1:${alertmanager}/api/v2/alerts
  Jaeger        http://127.0.0.1:${jaegerUi}/api/services: its API; built from its module, it has no page of its own

Send traces there, and look at them:

  sudo OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:${nodeGrpc} npx skbspan run 'tcp or udp'
  npx skbspan page --jaeger http://127.0.0.1:${jaegerUi}

The agent's metrics are read from 127.0.0.1:9464, where \`skbspan run\` serves them. Ctrl-C ends it all.
`;
}
