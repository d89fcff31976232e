import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createOtlpReceivers } from "../../../exporter/store/create-otlp-receivers.js";
import { createTraceStore, type StoredTrace } from "../../../exporter/store/create-trace-store.js";
import type { SpanRecord } from "../../../exporter/store/span-record.js";
import { poll } from "../../backends/lib/poll.js";
import { runProgram } from "../../kernels/run-program.js";
import { makeCertificates } from "../../lib/make-certificates.js";
import { clusterNetwork } from "../lib/cluster-network.js";
import { AGENT_NAMESPACE, describeAgent, installAgent, readAgentProcesses } from "../lib/start-agent.js";
import { type Cluster, startCluster } from "../lib/start-cluster.js";
import { runKubectlSkbspan } from "./kubectl-skbspan.js";
import { addSecondNetwork, secondNetwork } from "./second-network.js";
import {
  ASK_WEB_FOR_EVER,
  BLOCKED_PORT,
  deployment,
  describeShop,
  describeVisitor,
  SHOP,
  WEB_PORT,
} from "./workloads.js";

/*
 * Run by test/cluster/cluster.test.ts in namespaces of its own: node --test inside/journeys.js, with SKBSPAN_CLUSTER_FOLDER,
 * SKBSPAN_CLUSTER_CGROUP and SKBSPAN_CLUSTER_IMAGE, the archive of the agent's image.
 */
const folder = process.env["SKBSPAN_CLUSTER_FOLDER"] ?? "";
const cgroup = process.env["SKBSPAN_CLUSTER_CGROUP"] ?? "";
const image = process.env["SKBSPAN_CLUSTER_IMAGE"] ?? "";

const deploy = fileURLToPath(new URL("../../../../deploy", import.meta.url));
const kubeconfig = join(folder, "pki/admin.kubeconfig");

const SLOW_MS = 300_000;
const VISITORS = 50;
/** Both of BPF and PERFMON. */
const TWO_CAPABILITIES = "000000c000000000";

const store = createTraceStore();
const receivers = createOtlpReceivers({ store, host: "0.0.0.0" });
let cluster: Cluster;

before(
  async () => {
    await receivers.start();
    cluster = await startCluster({ folder, cgroup }, [image]);
    await poll("a node that is ready", isNodeReady, SLOW_MS);
    await cluster.apply(...describeShop());
    await cluster.kubectl("apply", "-f", join(deploy, "crds/packettraces.yaml"));
    await installAgent(cluster, kubeconfig, [
      "sessions.enabled=true",
      "kubernetes.farEnds=services",
      `options.filter=tcp port 80 or tcp port ${WEB_PORT} or tcp port ${BLOCKED_PORT} or host ${secondNetwork.pod}`,
      "options.max_journeys_per_second=0",
      "options.expire=3s",
    ]);
  },
  { timeout: 15 * 60_000 },
);

after(async () => {
  await cluster?.stop();
  await receivers.close();
});

async function isNodeReady(): Promise<true | undefined> {
  const path = '{.items[*].status.conditions[?(@.type=="Ready")].status}';
  return (await cluster.kubectl("get", "nodes", "-o", `jsonpath=${path}`)).trim() === "True" ? true : undefined;
}

function podOf(span: SpanRecord): string {
  return String(span.resource.attributes["k8s.pod.name"] ?? "");
}

function traces(): StoredTrace[] {
  return [...store.traces()];
}

/** A trace that the condition holds for, waited for; with what the agent says when there is none. */
async function findTrace(
  what: string,
  isIt: (trace: StoredTrace) => boolean,
  timeoutMs = SLOW_MS,
): Promise<StoredTrace> {
  return poll(what, async () => traces().find(isIt), timeoutMs).catch(async (error: Error) => {
    throw new Error(`${error.message}; ${JSON.stringify(store.stats())}\n${await describeAgent(cluster)}`);
  });
}

async function podName(app: string): Promise<string> {
  const path = "jsonpath={.items[0].metadata.name}";
  return (await cluster.kubectl("-n", SHOP, "get", "pods", "-l", `app=${app}`, "-o", path)).trim();
}

test("the agent's pod has exactly two capabilities, and its tracer none once it is attached", async () => {
  const processes = await readAgentProcesses();
  const [tracer, agent] = [
    processes.find(({ command }) => command.startsWith("/app/build/skbspan-tracer")),
    processes.find(({ command }) => /^\S*node /.test(command)),
  ];
  for (const set of ["CapEff", "CapPrm", "CapBnd"]) assert.equal(agent?.status.get(set), TWO_CAPABILITIES, set);
  for (const set of ["CapInh", "CapAmb"]) assert.equal(agent?.status.get(set), "0".repeat(16), set);
  for (const set of ["CapEff", "CapPrm", "CapInh", "CapAmb"])
    assert.equal(tracer?.status.get(set), "0".repeat(16), set);
  for (const process of [tracer, agent]) {
    assert.equal(process?.status.get("NoNewPrivs"), "1");
    assert.equal(process?.status.get("Seccomp"), "2", "a filter");
  }
});

test("in the pod, doctor misses nothing that this kernel has", async () => {
  const text = await cluster.kubectl(
    "-n",
    AGENT_NAMESPACE,
    "exec",
    "daemonset/skbspan",
    "--",
    "skbspan",
    "doctor",
    "--json",
  );
  const answers = new Map(
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
      .map((each) => [each.check, each]),
  );
  for (const check of [
    "tracer",
    "rights.bpf",
    "rights.perfmon",
    "btf.kernel",
    "tracepoint",
    "stack",
    "symbols",
    "trace",
  ])
    assert.equal(answers.get(check)?.answer, "yes", JSON.stringify(answers.get(check)));
});

test("the pod's root file system cannot be written, and there is no shell in it", async () => {
  const exec = (...command: string[]) =>
    cluster.kubectl("-n", AGENT_NAMESPACE, "exec", "daemonset/skbspan", "--", ...command);
  await assert.rejects(exec("sh", "-c", "true"), /executable file not found|no such file/);
  await assert.rejects(exec("node", "-e", "fs.writeFileSync('/app/x', '')"), /EROFS/);
});

test("no other level of pod security lets the pod in, which is why the namespace has to say `privileged`", async () => {
  const template = JSON.parse(
    await cluster.kubectl("-n", AGENT_NAMESPACE, "get", "daemonset", "skbspan", "-o", "jsonpath={.spec.template.spec}"),
  );
  const { priorityClassName: _, ...spec } = template;
  await cluster.apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "baseline", labels: { "pod-security.kubernetes.io/enforce": "baseline" } },
  });
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "agent", namespace: "baseline" } };
  const refused = cluster.apply({ ...pod, spec: { ...spec, serviceAccountName: "default" } });
  await assert.rejects(refused, /violates PodSecurity "baseline:latest": non-default capabilities/);
});

test("the plain manifests are taken by the API server", async () => {
  const options = ["--dry-run=server", "--server-side", "--force-conflicts"];
  const text = await cluster.kubectl("apply", ...options, "-f", join(deploy, "manifests/skbspan.yaml"));
  for (const kind of ["daemonset.apps", "networkpolicy.networking.k8s.io", "clusterrole.rbac.authorization.k8s.io"])
    assert.match(text, new RegExp(`^${kind}/skbspan serverside-applied`, "m"));
});

test("metrics are refused to other pods, health is not", async () => {
  const path = "jsonpath={.items[0].status.podIP}";
  const address = (await cluster.kubectl("-n", AGENT_NAMESPACE, "get", "pods", "-o", path)).trim();
  assert.equal((await fetch(`http://${address}:9464/healthz`)).status, 200);
  const refused = await fetch(`http://${address}:9464/metrics`);
  assert.equal(refused.status, 403);
  assert.ok(!(await refused.text()).includes("skbspan_"));
});

test("a request through a Service is a journey from one pod to the other, over the node", {
  timeout: SLOW_MS * 2,
}, async () => {
  const [client, web] = [await podName("client"), await podName("web")];
  const trace = await findTrace("a journey with both pods", ({ spans }) => {
    const pods = new Set(spans.map(podOf));
    return pods.has(client) && pods.has(web);
  });
  const resources = new Map(trace.spans.map((span) => [podOf(span), span.resource.attributes]));
  for (const [pod, app] of [
    [client, "client"],
    [web, "web"],
  ] as const) {
    const attributes = resources.get(pod);
    assert.equal(attributes?.["k8s.namespace.name"], SHOP);
    assert.equal(attributes?.["k8s.deployment.name"], app);
    assert.equal(attributes?.["service.name"], app);
    assert.match(String(attributes?.["k8s.pod.uid"]), /^[0-9a-f-]{36}$/);
  }
  assert.ok(
    trace.spans.some((span) => podOf(span) === ""),
    "the node between them is no pod",
  );
  assert.ok(
    trace.spans.some(({ name }) => /^(ip_|tcp_|__dev_queue_xmit)/.test(name)),
    "functions have names",
  );
});

test("a request's journey names the Service that was asked, and the pod that is behind it", {
  timeout: SLOW_MS * 2,
}, async () => {
  const [client, web] = [await podName("client"), await podName("web")];
  const trace = await findTrace("a request to the Service", ({ spans }) =>
    spans.some((span) => podOf(span) === client && span.attributes["destination.k8s.service.name"] === "web"),
  );
  const named = trace.spans.find(({ attributes }) => attributes["destination.k8s.service.name"] === "web");
  assert.equal(named?.attributes["destination.k8s.namespace.name"], SHOP);
  assert.equal(named?.attributes["source.k8s.pod.name"], client);
  assert.ok(trace.spans.some((span) => podOf(span) === web));
});

test("a PacketTrace traces the pods that it selects, ends by itself, and says how it went", {
  timeout: SLOW_MS * 2,
}, async () => {
  const trace = {
    ...{ apiVersion: "skbspan.dev/v1alpha1", kind: "PacketTrace", metadata: { name: "client-web", namespace: SHOP } },
    spec: { podSelector: { matchLabels: { app: "client" } }, filter: "tcp port 80", limits: { journeys: 5 } },
  };
  await cluster.apply(trace);
  const read = async () =>
    JSON.parse(await cluster.kubectl("-n", SHOP, "get", "packettrace", "client-web", "-o", "json"));
  const { status } = await poll(
    "a PacketTrace that has ended",
    async () => {
      const current = await read();
      return current.status?.phase === "Ended" || current.status?.phase === "Failed" ? current : undefined;
    },
    SLOW_MS,
  );
  const [entry, ...others] = status.nodes;
  assert.deepEqual(others, []);
  assert.deepEqual(
    [status.phase, entry.name, entry.phase, entry.pods],
    ["Ended", "node1", "Ended", 1],
    JSON.stringify(status),
  );
  assert.ok(entry.kept >= 5 && entry.seen >= entry.kept, JSON.stringify(entry));
  await cluster.kubectl("-n", SHOP, "delete", "packettrace", "client-web");
});

test("a packet that the node's firewall drops says whose it was", { timeout: SLOW_MS * 2 }, async () => {
  await runProgram("nft", ["add", "table", "inet", "guard"]);
  await runProgram("nft", ["add chain inet guard forward { type filter hook forward priority 0; }"]);
  await runProgram("nft", ["add", "rule", "inet", "guard", "forward", "tcp", "dport", String(BLOCKED_PORT), "drop"]);
  const path = "jsonpath={.items[0].status.podIP}";
  // Pods of one node talk over its bridge: another subnet makes the packet pass the forward hook.
  const script = `while :; do nc -w 1 10.99.0.1 ${BLOCKED_PORT} </dev/null; sleep 0.5; done`;
  await runProgram("ip", ["link", "add", "outside", "type", "bridge"]);
  await runProgram("ip", ["addr", "add", "10.99.0.2/24", "dev", "outside"]);
  await runProgram("ip", ["link", "set", "outside", "up"]);
  await cluster.apply(deployment("caller", script));
  const caller = await poll(
    "the caller's pod",
    async () => (await podName("caller").catch(() => "")) || undefined,
    SLOW_MS,
  );
  const trace = await findTrace(
    "a drop of the caller's",
    ({ spans }) =>
      spans.some((span) => podOf(span) === caller) && spans.some((span) => span.attributes["error.type"] !== undefined),
  );
  // The trace may well be there before the kubelet has told the API.
  await cluster.kubectl("-n", SHOP, "rollout", "status", "deployment/caller", "--timeout=170s");
  const address = (await cluster.kubectl("-n", SHOP, "get", "pods", "-l", "app=caller", "-o", path)).trim();
  const root = trace.spans.find((span) => span.attributes["journey.end"] === "dropped");
  assert.equal(root?.attributes["error.type"], "NETFILTER_DROP");
  assert.equal(root?.attributes["source.address"], address);
  assert.equal(root && podOf(root), caller);
  await cluster.kubectl("-n", SHOP, "delete", "deployment", "caller", "--wait=false");
});

/** docs/story-reverse-path.md tells it. */
test("a pod in two networks asks the API server: the answer comes by the wrong interface and dies, and the trace says so", {
  timeout: SLOW_MS * 2,
}, async () => {
  const { node } = clusterNetwork;
  await cluster.apply(deployment("operator", `while :; do nc -w 1 ${node} 6443 </dev/null; sleep 0.5; done`));
  await cluster.kubectl("-n", SHOP, "rollout", "status", "deployment/operator", "--timeout=170s");
  const path = "jsonpath={.items[0].metadata.uid} {.items[0].status.podIP} {.items[0].metadata.name}";
  const text = await cluster.kubectl("-n", SHOP, "get", "pods", "-l", "app=operator", "-o", path);
  const [uid = "", address = "", name = ""] = text.trim().split(" ");
  await addSecondNetwork({ uid, address });
  const hasRoot = (trace: StoredTrace, wanted: Readonly<Record<string, unknown>>) =>
    trace.spans.some(
      ({ attributes }) =>
        attributes["journey.end"] !== undefined &&
        Object.entries(wanted).every(([key, value]) => attributes[key] === value),
    );
  const reply = { "source.address": node, "destination.address": secondNetwork.pod };
  const died = await findTrace("the answer that is dropped", (trace) =>
    hasRoot(trace, { ...reply, "journey.end": "dropped" }),
  );
  const asked = await findTrace("the question on the second interface", (trace) =>
    hasRoot(trace, { "source.address": secondNetwork.pod, "destination.address": node }),
  );
  const ofDrop = died.spans.find(
    ({ attributes, parentSpanId }) => parentSpanId !== "" && attributes["error.type"] !== undefined,
  );
  assert.equal(ofDrop?.attributes["error.type"], "IP_RPFILTER");
  assert.equal(ofDrop && podOf(ofDrop), name, "the pod's own kernel drops it");
  const interfaces = ({ spans }: StoredTrace) =>
    new Set(spans.filter((span) => podOf(span) === name).map(({ attributes }) => attributes["network.interface.name"]));
  assert.ok(interfaces(asked).has("net1"), [...interfaces(asked)].join());
  assert.ok(interfaces(died).has("eth0"), [...interfaces(died)].join());
  await cluster.kubectl("-n", SHOP, "delete", "deployment", "operator", "--wait=false");
});

test(`${VISITORS} pods that come and go get no wrong name`, { timeout: SLOW_MS * 4 }, async () => {
  const addresses = new Map<string, string>();
  const seen = new Map<string, string>();
  for (let start = 0; start < VISITORS; start += 10) {
    const names = Array.from({ length: 10 }, (_, index) => `visitor-${start + index}`);
    await cluster.apply(...names.map((name) => describeVisitor(name, name)));
    await cluster.kubectl(
      "-n",
      SHOP,
      "wait",
      "--for=condition=Ready",
      "--timeout=170s",
      ...names.map((name) => `pod/${name}`),
    );
    const path = '{range .items[*]}{.metadata.name} {.metadata.uid} {.status.podIP}{"\\n"}{end}';
    for (const line of (await cluster.kubectl("-n", SHOP, "get", "pods", "-o", `jsonpath=${path}`))
      .trim()
      .split("\n")) {
      const [name = "", uid = "", address = ""] = line.split(" ");
      addresses.set(name, address);
      seen.set(uid, name);
    }
    await poll("their journeys", async () => (names.every((name) => hasSpans(name)) ? true : undefined), SLOW_MS).catch(
      () => undefined, // not every one has to be caught; none may be wrong
    );
    await cluster.kubectl("-n", SHOP, "delete", "--grace-period=0", "--force", ...names.map((name) => `pod/${name}`));
  }
  const named = new Set<string>();
  for (const { spans } of traces())
    for (const span of spans) {
      const name = podOf(span);
      if (!name.startsWith("visitor-")) continue;
      named.add(name);
      assert.equal(seen.get(String(span.resource.attributes["k8s.pod.uid"])), name);
      const ends = [span.attributes["source.address"], span.attributes["destination.address"]];
      if (ends[0] !== undefined) assert.ok(ends.includes(addresses.get(name) ?? ""), `${name}: ${ends.join(" -> ")}`);
    }
  assert.ok(named.size >= VISITORS / 2, `only ${named.size} of ${VISITORS} were seen`);
});

function hasSpans(pod: string): boolean {
  return traces().some(({ spans }) => spans.some((span) => podOf(span) === pod));
}

test("kubectl skbspan traces a Deployment's pods by a PacketTrace, and reads them by kubectl's own way", {
  timeout: SLOW_MS,
}, async () => {
  const argv = [
    "-n",
    SHOP,
    "-l",
    "app=client",
    "--journeys",
    "3",
    "--duration",
    "2m",
    `tcp dst port ${WEB_PORT} or tcp port 80`,
  ];
  const text = await runKubectlSkbspan(kubeconfig, argv).catch(async (error: Error) => {
    throw new Error(`${error.message}\n${await describeAgent(cluster)}`);
  });
  assert.equal(text.match(/^ {2}(delivered|transmitted|consumed|dropped|merged|expired)/gm)?.length, 3, text);
  assert.match(text, new RegExp(`^ {2}${SHOP}/client-`, "m"));
  assert.equal((await cluster.kubectl("-n", SHOP, "get", "packettraces", "-o", "name")).trim(), "");
});

test("while the API server is away packets are traced all the same, and new pods are named when it is back", {
  timeout: SLOW_MS * 3,
}, async () => {
  await cluster.killApiServer();
  const before = store.stats().receivedSpans;
  await poll(
    "spans without an API server",
    async () => (store.stats().receivedSpans > before ? true : undefined),
    SLOW_MS,
  );
  await cluster.startApiServer();
  await cluster.apply(deployment("latecomer", ASK_WEB_FOR_EVER));
  await findTrace("the pod that came after", ({ spans }) => spans.some((span) => podOf(span).startsWith("latecomer-")));
  const restarts = "jsonpath={.items[0].status.containerStatuses[0].restartCount}";
  assert.equal(await cluster.kubectl("-n", AGENT_NAMESPACE, "get", "pods", "-o", restarts), "0");
});

test("with a certificate and a token, probes and metrics go over TLS, and metrics are for who shows the token", {
  timeout: SLOW_MS * 2,
}, async () => {
  const certificates = makeCertificates();
  const token = "0123456789abcdef0123456789abcdef";
  try {
    const { certificateFile, keyFile } = certificates
      .createAuthority("authority")
      .issue("agent", { names: "DNS:skbspan" });
    const secret = ["-n", AGENT_NAMESPACE, "create", "secret"];
    await cluster.kubectl(...secret, "tls", "skbspan-tls", `--cert=${certificateFile}`, `--key=${keyFile}`);
    await cluster.kubectl(...secret, "generic", "skbspan-token", `--from-literal=token=${token}`);
  } finally {
    certificates.remove();
  }
  await installAgent(cluster, kubeconfig, ["server.tlsSecret=skbspan-tls", "server.tokenSecret.name=skbspan-token"]);
  const path = "jsonpath={.items[?(@.status.phase=='Running')].status.podIP}";
  const address = (await cluster.kubectl("-n", AGENT_NAMESPACE, "get", "pods", "-o", path)).trim().split(" ").at(-1);
  // The certificate's authority is the test's own.
  const ask = (...headers: string[]) =>
    runProgram("curl", ["-sk", "-w", "\n%{http_code}", ...headers, `https://${address}:9464/metrics`]);
  assert.match(await ask(), /\n401$/);
  const answer = await ask("-H", `Authorization: Bearer ${token}`);
  assert.match(answer, /^skbspan_tracer_up 1$/m);
  assert.match(answer, /\n200$/);
});
