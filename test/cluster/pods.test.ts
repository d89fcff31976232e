import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ApiClient } from "../../exporter/kubernetes/api-client.js";
import { createAddressBook } from "../../exporter/kubernetes/create-address-book.js";
import {
  createPodDirectory,
  type PodDirectoryOptions,
  type WatchedPodDirectory,
} from "../../exporter/kubernetes/create-pod-directory.js";
import { openKubernetes } from "../../exporter/kubernetes/open-kubernetes.js";
import { describePodResource } from "../../exporter/kubernetes/pod-resource.js";
import { poll } from "../backends/lib/poll.js";
import { startSkbspan } from "../lib/run-skbspan.js";
import { type ApiServer, startApiServer } from "./lib/start-api-server.js";

const AGENT = "system:serviceaccount:skbspan:agent";
const SECRET = "not for the agent";

let api: ApiServer;

before(async () => {
  api = await startApiServer({ users: [AGENT, "stranger"] });
  await create("/api/v1/namespaces", { metadata: { name: "shop" } });
  await allowPods(AGENT);
});
after(() => api?.stop());

function create(path: string, body: object): Promise<unknown> {
  return api.admin.request({ method: "POST", path, body });
}

async function allowPods(user: string): Promise<void> {
  const name = `pods-of-${user.replaceAll(":", "-")}`;
  const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] }];
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  await create(`${rbac}/clusterroles`, { metadata: { name }, rules });
  await create(`${rbac}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
    subjects: [{ kind: "User", name: user }],
  });
}

const pods = "/api/v1/namespaces/shop/pods";

async function createPod(name: string, node: string, metadata: object = {}, ip?: string): Promise<string> {
  const container = {
    name: "app",
    image: "localhost/shop/checkout:1.9",
    env: [
      { name: "PASSWORD", value: SECRET },
      { name: "OTEL_SERVICE_NAME", value: "from-environment" },
    ],
  };
  const answer = await api.admin.request({
    method: "POST",
    path: pods,
    body: { metadata: { name, ...metadata }, spec: { nodeName: node, containers: [container] } },
  });
  if (ip !== undefined) await setStatus(name, { phase: "Running", podIP: ip, podIPs: [{ ip }] });
  return (answer.body as { metadata: { uid: string } }).metadata.uid;
}

function setStatus(name: string, status: object): Promise<unknown> {
  const contentType = "application/merge-patch+json";
  return api.admin.request({ method: "PATCH", path: `${pods}/${name}/status`, body: { status }, contentType });
}

/** No kubelet confirms that it is gone. */
function deletePod(name: string): Promise<unknown> {
  return api.admin.request({ method: "DELETE", path: `${pods}/${name}`, query: { gracePeriodSeconds: "0" } });
}

/** Pauses are short; what makes them longer or shorter is tested beside the code. */
const timing = {
  now: () => performance.now(),
  random: Math.random,
  sleep: (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      setTimeout(resolve, signal.aborted ? 0 : Math.min(ms, 200));
    }),
};

async function withDirectory(
  options: Partial<PodDirectoryOptions> & { readonly node: string },
  work: (directory: WatchedPodDirectory) => Promise<void>,
): Promise<void> {
  const directory = createPodDirectory({ client: api.clientFor(AGENT), timing, ...options });
  try {
    await work(directory);
  } finally {
    await directory.close();
  }
}

const until = (what: string, look: () => boolean) => poll(what, async () => look() || undefined);
const isReading = (directory: WatchedPodDirectory) => directory.stats().health.state === "reading";
const names = (directory: WatchedPodDirectory) => [...directory.pods()].map(({ name }) => name).sort();

/** All that the API server said, as it came. */
function listen(client: ApiClient, heard: unknown[]): ApiClient {
  return {
    server: client.server,
    async request(request) {
      const answer = await client.request(request);
      heard.push(answer.body);
      return answer;
    },
    async *watch(request, onOpen) {
      for await (const event of client.watch(request, onOpen)) {
        heard.push(event);
        yield event;
      }
    },
  };
}

test("this node's pods with address and owners, as they come, change and go; nothing of their specifications", async () => {
  const ownerReferences = [
    { apiVersion: "apps/v1", kind: "ReplicaSet", name: "checkout-7d4f9", uid: "1", controller: true },
  ];
  const labels = { "pod-template-hash": "7d4f9", app: "checkout" };
  const annotations = { "resource.opentelemetry.io/service.version": "2.0" };
  const uid = await createPod("checkout-7d4f9-x2x5k", "node-a", { labels, annotations, ownerReferences }, "10.244.0.7");
  await createPod("on-another-node", "node-b", {}, "10.244.1.7");
  const heard: unknown[] = [];
  await withDirectory({ node: "node-a", client: listen(api.clientFor(AGENT), heard) }, async (directory) => {
    await until("the list", () => isReading(directory));
    const pod = directory.lookup(uid);
    assert.ok(typeof pod === "object");
    const resource = describePodResource(pod, { areLabelsUsed: false });
    assert.equal(resource["service.name"], "checkout");
    assert.equal(resource["service.version"], "2.0");
    assert.equal(resource["k8s.deployment.name"], "checkout");
    assert.equal(resource["k8s.pod.ip"], "10.244.0.7");
    assert.equal(directory.findByAddress("10.244.0.7"), pod);
    assert.equal(directory.findByAddress("10.244.1.7"), undefined);

    const newUid = await createPod("late", "node-a");
    await until("a pod that came", () => typeof directory.lookup(newUid) === "object");
    await setStatus("late", { phase: "Running", podIP: "10.244.0.8", podIPs: [{ ip: "10.244.0.8" }] });
    await until("its address", () => directory.findByAddress("10.244.0.8") !== undefined);
    await deletePod("late");
    await until("that it went", () => directory.findByAddress("10.244.0.8") === undefined);
    assert.equal(typeof directory.lookup(newUid), "object", "late packets are named");
    await setStatus("checkout-7d4f9-x2x5k", { phase: "Succeeded" });
    await until("that it ended", () => names(directory).length === 0);
  });
  const text = JSON.stringify(heard);
  assert.match(text, /checkout-7d4f9-x2x5k/);
  for (const secret of [SECRET, "on-another-node"]) {
    const at = text.indexOf(secret);
    assert.equal(at, -1, text.slice(Math.max(0, at - 300), at + 100));
  }
});

test("whole pods name the container, its image's version, and the service by the environment", async () => {
  const uid = await createPod("whole", "node-c", {}, "10.244.2.1");
  await setStatus("whole", {
    containerStatuses: [
      {
        name: "app",
        containerID: `containerd://${"ab".repeat(32)}`,
        ready: true,
        restartCount: 0,
        image: "",
        imageID: "",
      },
    ],
  });
  await withDirectory({ node: "node-c", areWholePodsRead: true }, async (directory) => {
    await until("the list", () => isReading(directory));
    const pod = directory.lookup(uid);
    assert.ok(typeof pod === "object");
    const resource = describePodResource(pod, { areLabelsUsed: false });
    assert.equal(resource["service.name"], "from-environment");
    assert.equal(resource["service.version"], "1.9");
    assert.equal(resource["container.id"], "ab".repeat(32));
  });
});

test("who may not read pods names none, says so, and catches up when rights come", async () => {
  const uid = await createPod("hidden", "node-d");
  const reasons: (string | undefined)[] = [];
  const client = api.clientFor("stranger");
  const onHealth: PodDirectoryOptions["onHealth"] = ({ reason }) => reasons.push(reason);
  await withDirectory({ node: "node-d", client, onHealth }, async (directory) => {
    await until("the refusal", () => directory.stats().health.isRefused);
    assert.match(reasons[0] ?? "", /403: pods is forbidden: User "stranger" cannot list resource "pods"/);
    assert.equal(directory.lookup(uid), undefined);
    await allowPods("stranger");
    await until("the list", () => typeof directory.lookup(uid) === "object");
  });
});

test("an API server that dies and comes back: names stay, and what changed meanwhile is caught up with", async () => {
  const uid = await createPod("before", "node-e");
  await withDirectory({ node: "node-e" }, async (directory) => {
    await until("the list", () => isReading(directory));
    await api.kill();
    await until("that it is away", () => directory.stats().health.state === "failing");
    assert.equal(typeof directory.lookup(uid), "object");
    await api.restart();
    const newUid = await createPod("after", "node-e");
    await deletePod("before");
    await until("both changes", () => typeof directory.lookup(newUid) === "object" && names(directory).length === 1);
    assert.deepEqual(names(directory), ["after"]);
  });
});

test("the agent starts, traces and is ready while the API server is away; it says so, and catches up", async () => {
  await createPod("waiting", "node-h");
  await api.kill();
  const argv = ["run", "--kubeconfig", await api.kubeconfigFor(AGENT), "--node-name", "node-h", "--probes", "drops"];
  const agent = startSkbspan([...argv, "--dropped-only", "--export", "json", "--listen", "127.0.0.1:0"], {
    timeoutMs: 10 * 60_000,
  });
  try {
    await agent.untilStderr(/on http:\/\/127\.0\.0\.1:\d+/);
    const url = /on (http:\/\/127\.0\.0\.1:\d+)/.exec(agent.written().stderr)?.[1];
    const read = async (path: string) => (await fetch(`${url}${path}`)).text();
    await until("that it is ready all the same", () => agent.written().stderr.includes("attached to"));
    assert.deepEqual(JSON.parse(await read("/readyz")), {
      status: "ready",
      lack: "new pods are not named: the API server does not answer",
    });
    assert.match(await read("/metrics"), /^skbspan_kubernetes_up 0$/m);
    assert.match(agent.written().stderr, /warning: cannot read .* about the pods of node-h, .*nothing listens there/);
    await api.restart();
    await poll(
      "that it has caught up",
      async () => /^skbspan_kubernetes_up 1$/m.test(await read("/metrics")) || undefined,
    );
    assert.match(await read("/metrics"), /^skbspan_kubernetes_pods 1$/m);
    assert.deepEqual(JSON.parse(await read("/readyz")), { status: "ready" });
  } finally {
    agent.child.kill("SIGTERM");
    await agent.result;
  }
});

test("by a kubeconfig, as an agent opens it; without a node's name it says what is missing", async () => {
  const uid = await createPod("opened", "node-f");
  const said: string[] = [];
  const options = {
    environment: { NODE_NAME: "node-f" },
    say: (text: string) => void said.push(text),
    warn: (text: string) => void said.push(text),
  };
  const config = {
    kubernetes: "auto",
    nodeName: undefined,
    kubeconfigFile: await api.kubeconfigFor(AGENT),
    areWholePodsRead: false,
    farEnds: "node",
  } as const;
  const kubernetes = await openKubernetes({ config, ...options });
  assert.ok(kubernetes);
  try {
    await until("the pod", () => typeof kubernetes.directory.lookup(uid) === "object");
    assert.deepEqual(said, [`skbspan: reading ${api.url} about the pods of node-f`]);
  } finally {
    await kubernetes.close();
  }
  await assert.rejects(openKubernetes({ config, ...options, environment: {} }), /Which of the cluster's nodes/);
  const off = await openKubernetes({ config: { ...config, kubernetes: "off" }, ...options });
  assert.equal(off, undefined);
});

test("Services and what is behind them are found by their addresses, as they come and go", async () => {
  const book = createAddressBook({ client: api.admin, extent: "cluster", timing });
  try {
    await create("/api/v1/namespaces/shop/services", { metadata: { name: "pay" }, spec: { ports: [{ port: 80 }] } });
    const { body } = await api.admin.request({ path: "/api/v1/namespaces/shop/services/pay" });
    const { clusterIP } = (body as { spec: { clusterIP: string } }).spec;
    await until("the Service", () => book.find(clusterIP, 80) !== undefined);
    assert.deepEqual(book.find(clusterIP, 80), { namespace: "shop", service: "pay" });
    await create("/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices", {
      metadata: { name: "pay-1", labels: { "kubernetes.io/service-name": "pay" } },
      addressType: "IPv4",
      ports: [{ port: 8080, protocol: "TCP" }],
      endpoints: [{ addresses: ["10.244.9.1"], targetRef: { kind: "Pod", name: "pay-x", namespace: "shop" } }],
    });
    await until("what is behind it", () => book.find("10.244.9.1", 8080) !== undefined);
    assert.deepEqual(book.find("10.244.9.1", 8080), { namespace: "shop", pod: "pay-x" });
    await createPod("far", "node-of-others", {}, "10.244.9.2");
    await until("a pod of any node", () => book.find("10.244.9.2", 9)?.pod === "far");
    await api.admin.request({ method: "DELETE", path: "/api/v1/namespaces/shop/services/pay" });
    await until("that the Service went", () => book.find(clusterIP, 80) === undefined);
    for (const [what, { failures }] of book.stats()) assert.equal(failures, 0, what);
  } finally {
    await book.close();
  }
});

test("500 pods are read by one list and one watch", async () => {
  const indexes = Array.from({ length: 500 }, (_, index) => index);
  const batch = 25;
  for (let from = 0; from < indexes.length; from += batch)
    await Promise.all(indexes.slice(from, from + batch).map((index) => createPod(`many-${index}`, "node-g")));
  await withDirectory({ node: "node-g" }, async (directory) => {
    await until("all pods", () => directory.stats().pods === 500 && directory.stats().watches === 1);
    assert.equal(directory.stats().lists, 1);
    assert.equal(directory.stats().failures, 0);
  });
});
