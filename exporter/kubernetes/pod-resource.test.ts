import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Pod } from "../enrich/pod-directory.js";
import { MAX_VALUE_BYTES } from "../map/cut-value.js";
import { describePodResource, MAX_KEY_BYTES, MAX_OWN_ATTRIBUTES } from "./pod-resource.js";

const deployed: Pod = {
  namespace: "shop",
  name: "checkout-7d4f9-x2x5k",
  uid: "dde1244b-5bb5-4c4e-9e5a-0f3c1d2e3f4a",
  ip: "10.244.0.7",
  node: "node1",
  labels: new Map([
    ["app.kubernetes.io/name", "checkout-app"],
    ["app.kubernetes.io/version", "2.1"],
  ]),
  annotations: new Map(),
  owners: [
    { kind: "ReplicaSet", name: "checkout-7d4f9" },
    { kind: "Deployment", name: "checkout" },
  ],
};

const describe = (changes: Partial<Pod>, areLabelsUsed = false) =>
  describePodResource({ ...deployed, ...changes }, { areLabelsUsed });
const own = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([key, value]) => [`resource.opentelemetry.io/${key}`, value]));

test("a pod of a Deployment is known by the Deployment's name, and says where it is", () => {
  assert.deepEqual(describe({}), {
    "service.name": "checkout",
    "service.namespace": "shop",
    "k8s.namespace.name": "shop",
    "k8s.pod.name": "checkout-7d4f9-x2x5k",
    "k8s.pod.uid": "dde1244b-5bb5-4c4e-9e5a-0f3c1d2e3f4a",
    "k8s.pod.ip": "10.244.0.7",
    "k8s.node.name": "node1",
    "k8s.deployment.name": "checkout",
    "k8s.replicaset.name": "checkout-7d4f9",
  });
});

test("every kind of owner names the service, the pod itself when there is none", () => {
  for (const kind of ["ReplicaSet", "StatefulSet", "DaemonSet", "CronJob", "Job"]) {
    const resource = describe({ owners: [{ kind, name: "owner" }] });
    assert.equal(resource["service.name"], "owner");
    assert.equal(resource[`k8s.${kind.toLowerCase()}.name`], "owner");
  }
  const cron = [
    { kind: "Job", name: "backup-29000000" },
    { kind: "CronJob", name: "backup" },
  ];
  assert.equal(describe({ owners: cron })["service.name"], "backup");
  assert.equal(describe({ owners: [{ kind: "Rollout", name: "argo" }] })["service.name"], "checkout-7d4f9-x2x5k");
  assert.equal(describe({ owners: [] })["service.name"], "checkout-7d4f9-x2x5k");
});

test("labels name the service only when they are used; annotations come before them", () => {
  assert.equal(describe({}, true)["service.name"], "checkout-app");
  assert.equal(describe({}, true)["service.version"], "2.1");
  const instance = new Map([...deployed.labels, ["app.kubernetes.io/instance", "checkout-eu"]]);
  assert.equal(describe({ labels: instance }, true)["service.name"], "checkout-eu");
  const annotations = own({
    "service.name": "pay",
    "service.namespace": "money",
    "deployment.environment.name": "prod",
  });
  const resource = describe({ labels: instance, annotations }, true);
  assert.equal(resource["service.name"], "pay");
  assert.equal(resource["service.namespace"], "money");
  assert.equal(resource["deployment.environment.name"], "prod");
  assert.equal(resource["k8s.namespace.name"], "shop");
});

test("one container is named, with its image's version; of several the one that the pod says", () => {
  const app = { name: "app", id: "ab".repeat(32), image: "registry.example:5000/shop/checkout:1.9@sha256:0123" };
  const proxy = { name: "proxy", id: "cd".repeat(32), image: "registry.example:5000/proxy" };
  const resource = describe({ containers: [app] });
  assert.equal(resource["service.version"], "1.9@sha256:0123");
  assert.equal(resource["service.instance.id"], "shop.checkout-7d4f9-x2x5k.app");
  assert.equal(resource["k8s.container.name"], "app");
  assert.equal(resource["container.id"], app.id);
  assert.equal(describe({ containers: [proxy] })["service.version"], undefined);
  assert.equal(describe({ containers: [proxy, app] })["k8s.container.name"], undefined);
  const annotations = new Map([["kubectl.kubernetes.io/default-container", "app"]]);
  assert.equal(describe({ containers: [proxy, app], annotations })["container.id"], app.id);
});

test("what the application's SDK is told comes before annotations", () => {
  const container = { name: "app", resource: new Map([["service.name", "from-environment"]]) };
  const annotations = own({ "service.name": "from-annotation", team: "blue" });
  const resource = describe({ containers: [container], annotations });
  assert.equal(resource["service.name"], "from-environment");
  assert.equal(resource["team"], "blue");
});

test("a pod cannot say that it is another, nor where it is", () => {
  const lies = own({
    "k8s.pod.name": "other",
    "k8s.statefulset.name": "db",
    "host.name": "h",
    "k8s.cluster.name": "eu",
  });
  const resource = describe({ annotations: lies });
  assert.equal(resource["k8s.pod.name"], deployed.name);
  assert.equal(resource["k8s.statefulset.name"], undefined);
  assert.equal(resource["host.name"], undefined);
  assert.equal(resource["k8s.cluster.name"], "eu");
});

test("hostile keys and values are text, within bounds", () => {
  const control = "a\u0000b\u001b[31m\nc";
  const annotations = own({ constructor: "text", control, long: "ä".repeat(100_000), ["k".repeat(257)]: "left out" });
  annotations.set("resource.opentelemetry.io/__proto__", "polluted");
  annotations.set("resource.opentelemetry.io/", "no key");
  const resource = describe({ annotations });
  assert.equal(Object.getOwnPropertyDescriptor(resource, "__proto__")?.value, "polluted");
  assert.equal(Object.getPrototypeOf(resource), Object.prototype);
  assert.equal(resource["constructor"], "text");
  assert.equal(resource["control"], control);
  assert.ok(Buffer.byteLength(resource["long"] ?? "") <= MAX_VALUE_BYTES);
  assert.ok(!Object.keys(resource).some((key) => key === "" || key.length > MAX_KEY_BYTES));
  const many = own(Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`key${index}`, "x"])));
  assert.equal(
    Object.keys(describe({ annotations: many })).filter((key) => /^key/.test(key)).length,
    MAX_OWN_ATTRIBUTES,
  );
});

const text = fc.string({ unit: "binary", maxLength: 40 });

test("whatever a pod says, its resource has a service and stays the pod's", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), (entries) => {
      const annotations = new Map(entries.map(([key, value]) => [`resource.opentelemetry.io/${key}`, value]));
      const resource = describe({ annotations });
      assert.equal(resource["k8s.pod.uid"], deployed.uid);
      assert.ok(resource["service.name"]);
    }),
  );
});
