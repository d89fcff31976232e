import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodNamespace, PodResolver } from "./create-pod-resolver.js";
import { followPods } from "./follow-pods.js";
import { parseLabelSelector } from "./parse-label-selector.js";
import type { Pod } from "./pod-directory.js";
import { isPodSelected, needsNames, type PodSelection } from "./select-pod.js";

const uid = "dde1244b-5bb5-4e0a-9f3c-2b1d00c0ffee";
const pod: Pod = {
  namespace: "shop",
  name: "web-7d4b9c-x2x8z",
  uid,
  node: "n1",
  labels: new Map([["app", "web"]]),
  annotations: new Map(),
  owners: [
    { kind: "ReplicaSet", name: "web-7d4b9c" },
    { kind: "Deployment", name: "web" },
  ],
};
const everything: PodSelection = { pods: [], namespaces: [], selector: [], workloads: [] };
const selector = (text: string) => parseLabelSelector(text) ?? assert.fail("it is one");

const fitting: readonly Partial<PodSelection>[] = [
  {},
  { pods: [pod.name] },
  { pods: ["other", "shop/web-7d4b9c-x2x8z"] },
  { pods: [uid] },
  { namespaces: ["billing", "shop"] },
  { selector: selector("app=web") },
  { workloads: [{ name: "web" }] },
  { workloads: [{ kind: "deployment", name: "web" }] },
  { pods: [pod.name], namespaces: ["shop"], selector: selector("app"), workloads: [{ name: "web" }] },
];
const others: readonly Partial<PodSelection>[] = [
  { pods: ["web"] },
  { pods: ["billing/web-7d4b9c-x2x8z"] },
  { namespaces: ["billing"] },
  { selector: selector("app=db") },
  { workloads: [{ kind: "statefulset", name: "web" }] },
  { pods: [pod.name], namespaces: ["billing"] },
];

test("a pod is selected when one of each list fits", () => {
  for (const part of fitting) assert.ok(isPodSelected({ ...everything, ...part }, uid, pod), JSON.stringify(part));
  for (const part of others) assert.ok(!isPodSelected({ ...everything, ...part }, uid, pod), JSON.stringify(part));
});

test("as long as nothing but its uid is known only that can select it", () => {
  assert.ok(isPodSelected({ ...everything, pods: [uid] }, uid, undefined));
  assert.ok(!isPodSelected({ ...everything, pods: [uid], namespaces: ["shop"] }, uid, undefined));
  assert.ok(!isPodSelected({ ...everything, pods: [pod.name] }, uid, undefined));
  assert.ok(needsNames({ ...everything, pods: [uid, pod.name] }));
  assert.ok(!needsNames({ ...everything, pods: [uid] }));
});

test("the tracer is told of namespaces as their pods come, are named, and go", () => {
  const namespaces = new Map<bigint, PodNamespace>([[5n, { key: 5n, uid, pod }]]);
  const listeners: ((key: bigint | undefined) => void)[] = [];
  const resolver = {
    podNamespaces: () => namespaces.values(),
    podNamespace: (key: bigint) => namespaces.get(key),
    onChange: (listener: (key: bigint | undefined) => void) => void listeners.push(listener),
  } as unknown as PodResolver;
  const tell = (key: bigint | undefined): void => {
    for (const listener of listeners) listener(key);
  };
  const sent: string[] = [];
  const followed = followPods({
    resolver,
    selection: { ...everything, namespaces: ["shop"] },
    send: (command) => sent.push(command),
  });
  assert.deepEqual(sent.splice(0), ["choose 5"]);
  namespaces.set(6n, { key: 6n, uid: "later", pod: undefined });
  tell(6n);
  assert.deepEqual(sent.splice(0), []);
  namespaces.set(6n, { key: 6n, uid: "later", pod: { ...pod, uid: "later" } });
  tell(6n);
  tell(6n);
  assert.deepEqual(sent.splice(0), ["choose 6"]);
  assert.equal(followed.namespaces, 2);
  namespaces.delete(5n);
  tell(undefined);
  assert.deepEqual(sent.splice(0), ["forget 5"]);
  namespaces.clear();
  tell(6n);
  assert.deepEqual(sent.splice(0), ["forget 6"]);
});
