import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { runSkbspan } from "../lib/run-skbspan.js";
import { poll } from "./lib/poll.js";
import { readJson } from "./lib/read-json.js";
import { chooseStackPorts, type Stack, startStack } from "./lib/start-stack.js";

const recording = "test/fixtures/recordings/6.12-kprobe.session-http.skbspan";
let stack: Stack;

before(async () => {
  stack = await startStack({ ports: await chooseStackPorts() });
});
after(() => stack?.stop());

test("every page that the stack tells of is there", async () => {
  const urls = stack.description.match(/http:\/\/[\d.]+:\d+\/\S+[a-z]/g) ?? [];
  assert.ok(urls.length >= 3, stack.description);
  for (const url of urls) assert.equal((await fetch(url)).status, 200, url);
  const page = await (await fetch(`${stack.prometheusUrl}/classic/alerts`)).text();
  assert.match(page, /PacketsDropped/);
});

test("what is sent to the node's Collector comes to Jaeger through the gateway, drops above all; Prometheus counts them", async () => {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: stack.otlpUrl };
  const { code, stderr } = await runSkbspan(["replay", recording, "--export", "otlp"], { environment });
  assert.equal(code, 0, stderr);
  const drops = await poll("drops in Jaeger", async () => {
    const query = new URLSearchParams({ service: "router", tags: '{"error.type":"NETFILTER_DROP"}', limit: "100" });
    // The recording is of another day.
    query.set("start", "0");
    query.set("end", String(Date.now() * 1_000));
    const { data } = await readJson<{ data: { traceID: string }[] }>(`${stack.jaegerUrl}/api/traces?${query}`);
    return data.length > 0 ? data : undefined;
  });
  const ids = new Set(drops.map(({ traceID }) => traceID));
  const counted = await poll("drops counted by the gateway, with an exemplar", async () => {
    const query = new URLSearchParams({ query: 'traces_span_metrics_calls_total{error_type="NETFILTER_DROP"}' });
    query.set("start", String(Date.now() / 1_000 - 600));
    query.set("end", String(Date.now() / 1_000 + 60));
    type Exemplars = {
      data: { seriesLabels: Record<string, string>; exemplars: { labels: Record<string, string> }[] }[];
    };
    const { data } = await readJson<Exemplars>(`${stack.prometheusUrl}/api/v1/query_exemplars?${query}`);
    return data[0]?.exemplars[0] ? data[0] : undefined;
  });
  assert.equal(counted.seriesLabels["span_name"], "tcp packet dropped");
  assert.ok(ids.has(counted.exemplars[0]?.labels["trace_id"] ?? ""), "the exemplar's trace is in Jaeger");
});
