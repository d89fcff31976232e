import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { metrics } from "../../exporter/control/metrics.js";
import { runProgram } from "../kernels/run-program.js";
import { type Backends, installBackends } from "./lib/install-backends.js";
import { startJaeger } from "./lib/start-jaeger.js";
import { startPrometheus } from "./lib/start-prometheus.js";

const directory = fileURLToPath(new URL("../../../otel-config/", import.meta.url));
let backends: Backends;

before(async () => {
  backends = await installBackends();
});

function readConfig(name: string): Promise<string> {
  return readFile(join(directory, name), "utf8");
}

const collectorConfigs = [
  ["collector-node.yaml"],
  ["collector-gateway.yaml"],
  ["collector-gateway.yaml", "collector-gateway-tempo.yaml"],
];

for (const files of collectorConfigs)
  test(`the Collector takes ${files.join(" with ")}`, async () => {
    const configs = files.flatMap((file) => ["--config", join(directory, file)]);
    await runProgram(backends.collector, ["validate", ...configs]);
  });

test("no Collector looks up the pod of a packet by the address of the sender, which is the agent", async () => {
  for (const file of new Set(collectorConfigs.flat()))
    assert.deepEqual(
      Object.keys(parse(await readConfig(file)).processors ?? {}).filter((name) => /k8s/.test(name)),
      [],
    );
});

test("requests of both Collectors stay under the 4 MiB that gRPC servers accept", async () => {
  for (const file of new Set(collectorConfigs.flat()))
    for (const [name, exporter] of Object.entries<Record<string, never>>(parse(await readConfig(file)).exporters)) {
      if (!name.startsWith("otlp_grpc/")) continue;
      const { batch, sizer } = exporter["sending_queue"] as unknown as {
        batch: { sizer: string; max_size: number };
        sizer: string;
      };
      assert.deepEqual([sizer, batch.sizer], ["bytes", "bytes"], `${file} ${name}`);
      assert.ok(batch.max_size <= 4_194_304 * 0.9, `${file} ${name}`);
    }
});

test("Jaeger starts with jaeger.yaml and answers", async () => {
  const jaeger = await startJaeger();
  try {
    const answer = await fetch(`${jaeger.queryUrl}/api/services`);
    assert.equal(answer.status, 200);
  } finally {
    await jaeger.stop();
  }
});

test("promtool takes Prometheus' configuration, and the rules do what their unit tests say", async () => {
  await runProgram(backends.promtool, ["check", "config", join(directory, "prometheus.yml")]);
  await runProgram(backends.promtool, ["test", "rules", join(directory, "rules/skbspan_test.yml")]);
});

test("every alert has a unit test", async () => {
  const alerts = await readAlerts();
  const tested = new Set(
    parse(await readConfig("rules/skbspan_test.yml")).tests.flatMap(
      (unit: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }) =>
        unit.alert_rule_test.filter(({ exp_alerts }) => exp_alerts.length > 0).map(({ alertname }) => alertname),
    ),
  );
  assert.deepEqual(
    alerts.map(({ alert }) => alert).filter((alert) => !tested.has(alert)),
    [],
  );
});

test("amtool takes Alertmanager's configuration, and an alert comes to a receiver", async () => {
  const file = join(directory, "alertmanager.yml");
  await runProgram(backends.amtool, ["check-config", file]);
  const routes = ["config", "routes", "test", `--config.file=${file}`, "severity=info", "alertname=X"];
  assert.equal((await runProgram(backends.amtool, routes)).trim(), "people");
});

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource: { readonly uid: string };
  readonly targets: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] };
}

async function readDashboards(): Promise<Dashboard[]> {
  const folder = "grafana/dashboards";
  const files = (await readdir(join(directory, folder))).filter((file) => file.endsWith(".json"));
  return Promise.all(files.map(async (file) => JSON.parse(await readConfig(join(folder, file))) as Dashboard));
}

async function readAlerts(): Promise<{ alert: string; expr: string }[]> {
  const { groups } = parse(await readConfig("rules/skbspan.yml"));
  return groups.flatMap(({ rules }: { rules: unknown[] }) => rules);
}

test("the dashboards' panels have a place each, and data sources that are provisioned", async () => {
  const { datasources } = parse(await readConfig("grafana/provisioning/datasources/skbspan.yaml"));
  const uids = new Set<string>(datasources.map(({ uid }: { uid: string }) => uid));
  const dashboards = await readDashboards();
  assert.deepEqual(dashboards.map(({ uid }) => uid).sort(), ["skbspan-agent", "skbspan-drops"]);
  for (const { title, panels } of dashboards) {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, title);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    assert.equal(new Set(cells).size, cells.length, `${title}: panels overlap`);
    assert.ok(panels.every(({ gridPos: { x, w } }) => x + w <= 24));
    for (const panel of panels)
      for (const { datasource } of [panel, ...panel.targets]) assert.ok(uids.has(datasource.uid), panel.title);
  }
});

test("data sources point at each other: exemplars at traces, traces at metrics", async () => {
  const { datasources } = parse(await readConfig("grafana/provisioning/datasources/skbspan.yaml"));
  const find = (type: string) => datasources.find((each: { type: string }) => each.type === type);
  const [destination] = find("prometheus").jsonData.exemplarTraceIdDestinations;
  assert.deepEqual([destination.name, destination.datasourceUid], ["trace_id", find("tempo").uid]);
  assert.equal(find("tempo").jsonData.tracesToMetrics.datasourceUid, find("prometheus").uid);
});

test("Prometheus parses every expression of the dashboards and data sources", async () => {
  const prometheus = await startPrometheus({ targets: {} });
  try {
    for (const expression of await readExpressions()) {
      const body = new URLSearchParams({ query: expression });
      const answer = await fetch(`${prometheus.url}/api/v1/query`, { method: "POST", body });
      const { status, error } = (await answer.json()) as { status: string; error?: string };
      assert.equal(status, "success", `${expression}: ${error}`);
    }
  } finally {
    await prometheus.stop();
  }
});

/** With Grafana's variables filled in. */
async function readExpressions(): Promise<string[]> {
  const { datasources } = parse(await readConfig("grafana/provisioning/datasources/skbspan.yaml"));
  const queries = datasources.flatMap(
    ({ jsonData }: { jsonData?: { tracesToMetrics?: { queries: { query: string }[] } } }) =>
      jsonData?.tracesToMetrics?.queries.map(({ query }) => query) ?? [],
  );
  const panels = (await readDashboards()).flatMap((dashboard) => dashboard.panels);
  const expressions = [...queries, ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))];
  assert.ok(expressions.length > 30);
  return expressions.map((expression) => {
    const filled = expression
      .replaceAll("$__rate_interval", "1m")
      .replaceAll("$__range", "30m")
      .replaceAll("$$__tags", 'workload="checkout"')
      .replaceAll(/\$(namespace|workload|reason|instance)/g, ".*");
    assert.doesNotMatch(filled, /\$/, "an unknown variable");
    return filled;
  });
}

test("every metric of ours that an alert or a dashboard asks for is one that the agent has", async () => {
  const known = new Set(metrics.map(({ name }) => name));
  const dashboards = await readDashboards();
  const texts = [
    ...(await readExpressions()),
    ...(await readAlerts()).map(({ expr }) => expr),
    ...dashboards.flatMap(({ templating }) => templating.list.map(({ definition }) => definition)),
  ];
  const asked = new Set(texts.flatMap((text) => text.match(/\b(skbspan|process)_[a-z_]+/g) ?? []));
  assert.ok(asked.size > 15);
  assert.deepEqual(
    [...asked].filter((name) => !known.has(name)),
    [],
  );
});

test("compose.yaml: images are pinned, what is mounted is there, what is set from outside is read", async () => {
  const { services } = parse(await readConfig("compose.yaml")) as {
    services: Record<
      string,
      { image: string; volumes?: string[]; environment?: Record<string, string>; depends_on?: string[] }
    >;
  };
  for (const [name, { image, volumes = [], environment = {}, depends_on = [] }] of Object.entries(services)) {
    assert.match(image, /^[a-z/-]+:v?\d+\.\d+\.\d+$/, name);
    for (const other of depends_on) assert.ok(services[other], `${name} depends on ${other}`);
    let mounted = "";
    for (const [from = "", to = ""] of volumes.map((volume) => volume.split(":"))) {
      if (!from.startsWith("./")) continue;
      const path = join(directory, from);
      assert.ok(await stat(path).catch(() => undefined), `${name} mounts ${from}`);
      assert.ok(to.startsWith("/"));
      if (from.endsWith(".yaml")) mounted += await readFile(path, "utf8");
    }
    for (const variable of Object.keys(environment))
      if (variable.startsWith("SKBSPAN_")) assert.ok(mounted.includes(`\${env:${variable}:-`), `${name}: ${variable}`);
  }
});

test("compose.yaml publishes what Prometheus scrapes and Grafana asks, on loopback alone", async () => {
  const { services } = parse(await readConfig("compose.yaml")) as {
    services: Record<string, { ports?: string[]; network_mode?: string; command?: string[] }>;
  };
  const published = Object.values(services).flatMap(({ ports = [] }) => ports);
  for (const port of published) assert.match(port, /^127\.0\.0\.1:(\d+):\1$/);
  assert.deepEqual([services["prometheus"]?.network_mode, services["grafana"]?.network_mode], ["host", "host"]);
  const reachable = new Set([
    ...published.map((port) => port.replace(/:\d+$/, "")),
    // On this machine's own network: the agent, and Prometheus.
    ...["127.0.0.1:9464", services["prometheus"]?.command?.join().match(/listen-address=([\d.:]+)/)?.[1] ?? ""],
  ]);
  const texts = [await readConfig("prometheus.yml"), await readConfig("grafana/provisioning/datasources/skbspan.yaml")];
  const asked = texts.flatMap((text) => text.match(/127\.0\.0\.1:\d+/g) ?? []);
  assert.ok(asked.length >= 8);
  assert.deepEqual(
    asked.filter((address) => !reachable.has(address)),
    [],
  );
});

test("tempo.yaml raises limits and lowers none of Tempo's defaults", async () => {
  const { overrides, distributor } = parse(await readConfig("tempo.yaml"));
  const { ingestion, global } = overrides.defaults;
  assert.ok(ingestion.max_traces_per_user > 10_000);
  assert.ok(ingestion.rate_limit_bytes > 30_000_000);
  assert.ok(ingestion.burst_size_bytes >= ingestion.rate_limit_bytes);
  assert.ok(global.max_bytes_per_trace >= 5_000_000);
  assert.ok(distributor.max_attribute_bytes >= 2_048);
});
