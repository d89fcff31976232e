import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import type { ApiClient } from "../../exporter/kubernetes/api-client.js";
import { ApiError } from "../../exporter/kubernetes/api-error.js";
import type { NodeStatus } from "../../exporter/session/packet-trace.js";
import { poll } from "../backends/lib/poll.js";
import { type Cgroups, type FakePod, makePod, openCgroups } from "../lib/make-pod.js";
import { type RunningSkbspan, startSkbspan } from "../lib/run-skbspan.js";
import { installCluster } from "./lib/install-cluster.js";
import { type ApiServer, startApiServer } from "./lib/start-api-server.js";

const AGENT = "system:serviceaccount:skbspan:agent";
const DEVELOPER = "developer";
const nodes = ["node-s", "node-t"] as const;
const traces = "/apis/skbspan.dev/v1alpha1/namespaces/shop/packettraces";

interface Agent {
  readonly running: RunningSkbspan;
  readonly url: string;
}

let api: ApiServer;
let cgroups: Cgroups;
const pods: FakePod[] = [];
const agents = new Map<string, Agent>();

before(async () => {
  api = await startApiServer({ users: [AGENT, DEVELOPER] });
  const crd = parse(await readFile("deploy/crds/packettraces.yaml", "utf8"));
  await create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
  for (const name of ["shop", "other"]) await create("/api/v1/namespaces", { metadata: { name } });
  await allow(AGENT, undefined, [
    { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] },
    { apiGroups: ["skbspan.dev"], resources: ["packettraces"], verbs: ["get", "list", "watch"] },
    { apiGroups: ["skbspan.dev"], resources: ["packettraces/status"], verbs: ["patch"] },
  ]);
  await allow(DEVELOPER, "shop", [
    { apiGroups: ["skbspan.dev"], resources: ["packettraces"], verbs: ["create", "get", "update", "delete"] },
  ]);
  await poll("the new kind", () => api.admin.request({ path: traces }).catch(() => undefined));
  cgroups = openCgroups();
  await addPod("web-a", "shop", nodes[0], { app: "web" });
  await addPod("web-b", "shop", nodes[1], { app: "web" });
  await addPod("db", "shop", nodes[0], { app: "db" });
  await addPod("web-c", "other", nodes[0], { app: "web" });
  for (const node of nodes) agents.set(node, await startAgent(node));
});
after(async () => {
  for (const { running } of agents.values()) {
    running.child.kill("SIGTERM");
    await running.result;
  }
  for (const pod of pods) await pod.remove();
  cgroups?.remove();
  await api?.stop();
});

function create(path: string, body: object, client: ApiClient = api.admin): Promise<unknown> {
  return client.request({ method: "POST", path, body });
}

async function allow(user: string, namespace: string | undefined, rules: readonly object[]): Promise<void> {
  const name = `rights-of-${user.replaceAll(":", "-")}`;
  const rbac = `/apis/rbac.authorization.k8s.io/v1${namespace === undefined ? "" : `/namespaces/${namespace}`}`;
  const prefix = namespace === undefined ? "cluster" : "";
  await create(`${rbac}/${prefix}roles`, { metadata: { name }, rules });
  await create(`${rbac}/${prefix}rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: prefix ? "ClusterRole" : "Role", name },
    subjects: [{ kind: "User", name: user }],
  });
}

/** In the API, and in the kernel: a network namespace whose process is in a cgroup named after the pod. It sends to itself. */
async function addPod(name: string, namespace: string, node: string, labels: object): Promise<void> {
  const spec = { nodeName: node, containers: [{ name: "app", image: "app" }] };
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const answer = await api.admin.request({ method: "POST", path, body: { metadata: { name, labels }, spec } });
  const { uid } = (answer.body as { metadata: { uid: string } }).metadata;
  const script = "while true; do echo x > /dev/udp/127.0.0.1/20007; sleep 0.2; done";
  pods.push(makePod({ cgroups, path: `kubepods/burstable/pod${uid}/${"ab".repeat(32)}`, version: 2, script }));
}

async function startAgent(node: string): Promise<Agent> {
  const kubeconfig = await api.kubeconfigFor(AGENT);
  // What it traces for itself is little: the sessions are what is tested.
  const argv = ["run", "--sessions", "--kubeconfig", kubeconfig, "--node-name", node, "--probes", "drops"];
  const running = startSkbspan([...argv, "--dropped-only", "--export", "json", "--listen", "127.0.0.1:0"], {
    environment: { POD_NAME: `agent-of-${node}`, POD_NAMESPACE: "skbspan" },
    timeoutMs: 20 * 60_000,
  });
  await running.untilStderr(/on http:\/\/127\.0\.0\.1:\d+/);
  const url = /on (http:\/\/127\.0\.0\.1:\d+)/.exec(running.written().stderr)?.[1] ?? "";
  await poll("that the agent is ready", async () => {
    const answer = await fetch(`${url}/readyz`);
    return answer.status === 200 && !JSON.stringify(await answer.json()).includes("lack") ? true : undefined;
  });
  return { running, url };
}

const filter = "udp and dst port 20007";
const web = { podSelector: { matchLabels: { app: "web" } }, filter };

function createTrace(name: string, spec: object, client = api.clientFor(DEVELOPER)): Promise<unknown> {
  return create(traces, { apiVersion: "skbspan.dev/v1alpha1", kind: "PacketTrace", metadata: { name }, spec }, client);
}

interface Trace {
  readonly metadata: { readonly managedFields: readonly { readonly manager: string; readonly subresource?: string }[] };
  readonly status?: { readonly phase?: string; readonly reason?: string; readonly nodes?: readonly NodeStatus[] };
}

async function readTrace(name: string): Promise<Trace> {
  return (await api.clientFor(DEVELOPER).request({ path: `${traces}/${name}` })).body as Trace;
}

function untilTrace(name: string, what: string, condition: (trace: Trace) => boolean): Promise<Trace> {
  return poll(`${name}: ${what}`, async () => {
    const trace = await readTrace(name);
    return condition(trace) ? trace : undefined;
  });
}

const entryOf = ({ status }: Trace, node: string) => status?.nodes?.find(({ name }) => name === node);
const countRunning = async ({ url }: Agent): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^skbspan_sessions_running (\d+)$/m.exec(text)?.[1]);
};

function hasStatus(status: number, pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.status, status);
    assert.match(error.message, pattern);
    return true;
  };
}

test("who may make one is said by RBAC, what is wrong with one by the CRD", async () => {
  const other = traces.replace("shop", "other");
  const developer = api.clientFor(DEVELOPER);
  await assert.rejects(create(other, { metadata: { name: "a" }, spec: {} }, developer), hasStatus(403, /forbidden/));
  await assert.rejects(createTrace("a", {}, api.clientFor(AGENT)), hasStatus(403, /forbidden/));
  const wrong: [object, RegExp][] = [
    [{ limits: { journeys: 0 } }, /journeys.*greater than or equal to 1/],
    [{ limits: { durationSeconds: 100_000 } }, /durationSeconds/],
    [{ probes: "/x/" }, /probes/],
    [{ podSelector: { matchExpressions: [{ key: "app", operator: "In" }] } }, /In and NotIn need values/],
  ];
  for (const [spec, pattern] of wrong) await assert.rejects(createTrace("a", spec), hasStatus(422, pattern));
});

test("agents start it on their nodes, each writes its own entry, and it ends by itself after its journeys", async () => {
  await createTrace("journeys", { ...web, limits: { journeys: 5, durationSeconds: 600 } });
  const trace = await untilTrace(
    "journeys",
    "the end",
    ({ status }) => status?.phase === "Ended" && status.nodes?.length === 2,
  );
  for (const node of nodes) {
    const entry = entryOf(trace, node);
    assert.equal(entry?.phase, "Ended");
    assert.equal(entry?.reason, "its 5 journeys are there");
    assert.equal(entry?.kept, 5);
    assert.equal(entry?.pods, 1);
    assert.equal(entry?.agent, `skbspan/agent-of-${node}`);
    assert.ok(entry?.startedAt && entry.endedAt && (entry.seen ?? 0) >= 5);
  }
  const managers = trace.metadata.managedFields.filter(({ subresource }) => subresource === "status");
  assert.deepEqual(managers.map(({ manager }) => manager).sort(), [
    "skbspan-node-s",
    "skbspan-node-t",
    "skbspan-summary",
  ]);
  assert.equal(trace.status?.reason, "its 5 journeys are there");
});

test("its packets are those of the selected pods and of no others, streamed while they come", async () => {
  await createTrace("streamed", { ...web, nodeNames: ["node-s"], limits: { journeys: 4, durationSeconds: 600 } });
  const { url } = agents.get("node-s") as Agent;
  const path = `${url}/v1/sessions/shop/streamed/journeys`;
  const response = await poll("the session", async () => {
    const answer = await fetch(path);
    return answer.status === 200 ? answer : void (await answer.arrayBuffer());
  });
  const text = await response.text();
  assert.equal(text.match(/^ended: its 4 journeys are there; /gm)?.length, 1, text);
  assert.equal(text.match(/127\.0\.0\.1:20007/g)?.length, 4, text);
  assert.match(text, /^ {2}shop\/web-a +\+/m);
  assert.doesNotMatch(text, /web-b|web-c|shop\/db/);
  const trace = await untilTrace("streamed", "the end", ({ status }) => status?.phase === "Ended");
  assert.deepEqual(
    trace.status?.nodes?.map(({ name }) => name),
    ["node-s"],
  );
});

test("deletion detaches, and time ends", async () => {
  await createTrace("deleted", { ...web, limits: { journeys: 100_000, durationSeconds: 600 } });
  await createTrace("timed", { ...web, nodeNames: ["node-t"], limits: { journeys: 100_000, durationSeconds: 5 } });
  await untilTrace("deleted", "running on both", ({ status }) => status?.nodes?.length === 2);
  await api.clientFor(DEVELOPER).request({ method: "DELETE", path: `${traces}/deleted` });
  const timed = await untilTrace("timed", "the end", ({ status }) => status?.phase === "Ended");
  assert.equal(timed.status?.reason, "its time of 5 s is over");
  for (const agent of agents.values())
    await poll("that nothing runs", async () => (await countRunning(agent)) === 0 || undefined);
});

test("a filter that is wrong fails on its node, with the reason in the status", async () => {
  await createTrace("wrong", { ...web, filter: "tcp prot 80", limits: { durationSeconds: 600 } });
  const trace = await untilTrace("wrong", "the failure", ({ status }) => status?.phase === "Failed");
  assert.match(trace.status?.reason ?? "", /filter|syntax/);
});

test("the same by HTTP, for this machine alone", async () => {
  const { url } = agents.get("node-s") as Agent;
  const post = (body: object) =>
    fetch(`${url}/v1/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const refused = await post({ spec: { limits: { journeys: -1 } } });
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /spec\.limits\.journeys must be a whole number from 1 to 100000/);
  const made = await post({ namespace: "shop", spec: { podNames: ["db"], filter, limits: { durationSeconds: 600 } } });
  assert.equal(made.status, 201);
  const { id } = (await made.json()) as { id: string };
  const response = await fetch(`${url}/v1/sessions/${id}/journeys`, { headers: { accept: "application/x-ndjson" } });
  const reader = response.body?.getReader();
  const first = await reader?.read();
  assert.match(new TextDecoder().decode(first?.value), /"stringValue":"db"/);
  const ended = await fetch(`${url}/v1/sessions/${id}`, { method: "DELETE" });
  assert.match(await ended.text(), /"phase":"Ended","reason":"it was asked to end"/);
  await reader?.cancel();
});

test("probes that take too much of a processor end it", async () => {
  const { url } = agents.get("node-s") as Agent;
  // It sends to itself as fast as it can; none of that is dropped, so its journeys do not end the session.
  const load = spawn("build/tests/udp-load", ["20008", "600000"], { stdio: "ignore" });
  try {
    const limits = { durationSeconds: 600, journeys: 100_000, overheadPercent: 1 };
    const made = await fetch(`${url}/v1/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ spec: { filter: "udp and dst port 20008", droppedOnly: true, limits } }),
    });
    const { id } = (await made.json()) as { id: string };
    const session = await poll("the end", async () => {
      const now = (await (await fetch(`${url}/v1/sessions/${id}`)).json()) as { phase: string; reason?: string };
      return now.phase === "Running" ? undefined : now;
    });
    assert.match(session.reason ?? "", /^its probes took about \d+ % of a processor, it may take 1 %$/);
  } finally {
    load.kill("SIGKILL");
  }
});

/** `kubectl skbspan`, by the real kubectl; it cannot forward to pods where there is no kubelet, so it is told where agents are. */
async function startPlugin(argv: readonly string[]) {
  const { kubectl } = await installCluster(["kubectl"]);
  const kubeconfig = await api.kubeconfigFor(DEVELOPER);
  const agentArguments = [...agents].flatMap(([node, { url }]) => ["--agent", `${node}=${url}`]);
  const child = spawn(kubectl, ["skbspan", ...argv, "--kubeconfig", kubeconfig, ...agentArguments], {
    env: { ...process.env, PATH: `${dirname(kubectl)}:${resolve("bin")}:${process.env["PATH"]}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const exited = new Promise<number | null>((end) => child.on("close", end));
  return { child, output, exited };
}

async function listTraces(): Promise<readonly string[]> {
  const { body } = await api.admin.request({ path: traces });
  return (body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
}

test("kubectl skbspan shows journeys of all nodes as trees, and leaves nothing behind", async () => {
  const { output, exited } = await startPlugin(["-n", "shop", "-l", "app in (web)", filter, "--journeys", "3"]);
  assert.equal(await exited, 0, output.stderr);
  for (const [node, pod] of [
    ["node-s", "web-a"],
    ["node-t", "web-b"],
  ]) {
    assert.match(output.stderr, new RegExp(`${node}: Ended, its 3 journeys are there; \\d+ journeys seen, 3 kept`));
    assert.match(output.stdout, new RegExp(`^ {2}shop/${pod} +\\+`, "m"));
  }
  assert.equal(output.stdout.match(/127\.0\.0\.1:20007/g)?.length, 6, output.stdout);
  assert.ok(!(await listTraces()).some((name) => name.startsWith("kubectl-")));
});

test("Ctrl-C ends it, and detaches; who may not make one is told by the API server", async () => {
  const { child, output, exited } = await startPlugin(["-n", "shop", "--pod", "web-a", filter, "--duration", "10m"]);
  await poll("a journey", async () => output.stdout.includes("20007") || undefined);
  child.kill("SIGINT");
  assert.equal(await exited, 0, output.stderr);
  assert.match(output.stderr, /is deleted/);
  assert.ok(!(await listTraces()).some((name) => name.startsWith("kubectl-")));
  for (const agent of agents.values())
    await poll("that nothing runs", async () => (await countRunning(agent)) === 0 || undefined);
  const refused = await startPlugin(["-n", "other"]);
  assert.equal(await refused.exited, 1);
  assert.match(refused.output.stderr, /packettraces.skbspan.dev is forbidden/);
});

test("an agent that dies leaves an entry that the next one closes", async () => {
  await createTrace("orphaned", { ...web, nodeNames: ["node-t"], limits: { journeys: 100_000, durationSeconds: 600 } });
  await untilTrace("orphaned", "running", (trace) => entryOf(trace, "node-t")?.phase === "Running");
  const agent = agents.get("node-t") as Agent;
  agent.running.child.kill("SIGKILL");
  await agent.running.result;
  agents.set("node-t", await startAgent("node-t"));
  const trace = await untilTrace("orphaned", "the end", ({ status }) => status?.phase === "Ended");
  assert.equal(entryOf(trace, "node-t")?.reason, "the agent was restarted");
});
