import assert from "node:assert/strict";
import { test } from "node:test";
import type { InventoryFrame, MemberFrame } from "../decode/frame.js";
import { createPodResolver, type PodResolver } from "./create-pod-resolver.js";
import type { Identity } from "./identity.js";
import type { Pod, PodDirectory } from "./pod-directory.js";

const uidA = "aaaaaaaa-0000-4000-8000-000000000001";
const uidB = "bbbbbbbb-0000-4000-8000-000000000002";
const container = (digit: string): string => digit.repeat(64);
const pathOf = (uid: string, id: string): string => `/kubepods/burstable/pod${uid}/${id}`;

const NODE = 1n;
let nextCgroupId = 100n;
const cgroupIds = new Map<string, bigint>();

function cgroupIdOf(path: string): bigint {
  const known = cgroupIds.get(path) ?? nextCgroupId++;
  cgroupIds.set(path, known);
  return known;
}

function member(cookie: bigint, path: string, fields: Partial<MemberFrame> = {}): MemberFrame {
  return {
    type: "member",
    netnsCookie: cookie,
    netnsInode: 4026531000 + Number(cookie),
    observedMonotonicNs: 0n,
    startMonotonicNs: 1000n,
    processId: 7,
    processName: "app",
    isNode: cookie === NODE,
    isGone: false,
    cgroupId: cgroupIdOf(path),
    cgroupV1Id: 0n,
    cgroupPath: path,
    cgroupV1Path: "",
    ...fields,
  };
}

const gone = (frame: MemberFrame, observedMonotonicNs = 0n): MemberFrame => ({
  ...frame,
  isGone: true,
  cgroupPath: "",
  cgroupV1Path: "",
  observedMonotonicNs,
});

const scanned = (endMonotonicNs: bigint): InventoryFrame => ({
  type: "inventory",
  startMonotonicNs: endMonotonicNs,
  endMonotonicNs,
  method: "iterator",
  isLive: true,
  tasks: 1,
  members: 1,
  lost: 0,
});

interface FakeDirectory extends PodDirectory {
  set(pod: Pod | "pending", uid?: string): void;
  remove(uid: string): void;
}

function directoryOf(...initial: readonly Pod[]): FakeDirectory {
  const known = new Map<string, Pod | "pending">(initial.map((pod) => [pod.uid, pod]));
  const listeners = new Set<(uid?: string) => void>();
  return {
    lookup: (uid) => known.get(uid),
    *pods() {
      for (const pod of known.values()) if (pod !== "pending") yield pod;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(pod, uid = pod === "pending" ? "" : pod.uid) {
      known.set(uid, pod);
      for (const listener of listeners) listener(uid);
    },
    remove(uid) {
      known.delete(uid);
      for (const listener of listeners) listener(uid);
    },
  };
}

const podOf = (uid: string, name: string, fields: Partial<Pod> = {}): Pod => ({
  namespace: "shop",
  name,
  uid,
  node: "n1",
  labels: new Map(),
  annotations: new Map(),
  owners: [],
  ...fields,
});

function resolverOf(directory?: PodDirectory): PodResolver {
  const resolver = createPodResolver({
    describePod: (pod) => ({ "service.name": pod.name }),
    ...(directory ? { directory, nodeName: "n1" } : {}),
  });
  resolver.apply(scanned(1_000_000_000n));
  return resolver;
}

function identify(resolver: PodResolver, cookie: bigint): Identity | "node" | undefined {
  return resolver.identify({ inode: 4026531000, cookie, isNode: false, isGone: false, name: "" });
}

function labelOf(resolver: PodResolver, cookie: bigint): string | undefined {
  const identity = identify(resolver, cookie);
  return typeof identity === "object" ? identity.label : identity;
}

const isPending = (resolver: PodResolver, cookie: bigint): boolean => resolver.isPending({ cookie, inode: 1 });

test("a namespace is its pod's: by name with a directory, by uid and container without", () => {
  const path = pathOf(uidA, container("1"));
  const named = resolverOf(directoryOf(podOf(uidA, "web")));
  named.apply(member(5n, path));
  assert.deepEqual(identify(named, 5n), { kind: "pod", label: "shop/web", attributes: { "service.name": "web" } });
  assert.equal(identify(named, 5n), identify(named, 5n), "one object");
  const plain = resolverOf();
  plain.apply(member(5n, path));
  assert.deepEqual(identify(plain, 5n), {
    kind: "pod",
    label: "pod aaaaaaaa",
    attributes: { "service.name": "unknown-pod", "k8s.pod.uid": uidA, "container.id": container("1") },
  });
});

test("the same inode with another cookie is another namespace", () => {
  const resolver = resolverOf();
  resolver.apply(member(5n, pathOf(uidA, container("1")), { netnsInode: 77 }));
  resolver.apply(gone(member(5n, pathOf(uidA, container("1")), { netnsInode: 77 })));
  assert.equal(resolver.identify({ inode: 77, cookie: 6n, isNode: false, isGone: false, name: "" }), undefined);
  resolver.apply(member(6n, pathOf(uidB, container("2")), { netnsInode: 77 }));
  assert.equal(labelOf(resolver, 6n), "pod bbbbbbbb");
  assert.equal(labelOf(resolver, 5n), "pod aaaaaaaa", "late packets of the dead");
});

test("version 1 counts where version 2 says nothing of a pod", () => {
  const resolver = resolverOf();
  resolver.apply(member(5n, "/", { cgroupV1Path: pathOf(uidA, container("1")) }));
  assert.equal(labelOf(resolver, 5n), "pod aaaaaaaa");
});

test("the container's id is said when the application has one container beside the one that holds the namespaces", () => {
  const resolver = resolverOf();
  resolver.apply(member(5n, pathOf(uidA, container("0")), { processName: "pause" }));
  assert.equal((identify(resolver, 5n) as Identity).attributes["container.id"], undefined);
  resolver.apply(member(5n, pathOf(uidA, container("1"))));
  assert.equal((identify(resolver, 5n) as Identity).attributes["container.id"], container("1"));
  resolver.apply(member(5n, pathOf(uidA, container("2"))));
  assert.equal((identify(resolver, 5n) as Identity).attributes["container.id"], undefined, "which of two?");
});

test("the node's namespace is the node's, whatever pods run in it", () => {
  const resolver = resolverOf(directoryOf(podOf(uidA, "kube-proxy", { hostNetwork: true })));
  resolver.apply(member(NODE, "/", { processId: 0 }));
  resolver.apply(member(NODE, pathOf(uidA, container("1"))));
  assert.equal(labelOf(resolver, NODE), "node");
  assert.equal(isPending(resolver, NODE), false);
});

test("under kind the kubelet tells which namespace is the node's", () => {
  const resolver = resolverOf();
  resolver.apply(member(9n, "/docker/x/kubelet.slice/kubelet.service", { processName: "kubelet" }));
  resolver.apply(member(9n, pathOf(uidA, container("1"))));
  assert.equal(labelOf(resolver, 9n), "node");
});

test("a plugin of the network that runs in a pod of the node's does not own the namespaces that it prepares", () => {
  const resolver = resolverOf();
  resolver.apply(member(NODE, pathOf(uidA, container("1")), { startMonotonicNs: 10n, processName: "multus-daemon" }));
  resolver.apply(member(5n, pathOf(uidA, container("1")), { startMonotonicNs: 900n, processName: "bridge" }));
  assert.equal(identify(resolver, 5n), undefined);
  assert.equal(isPending(resolver, 5n), true);
  resolver.apply(member(5n, pathOf(uidB, container("2")), { startMonotonicNs: 950n, processName: "pause" }));
  assert.equal(labelOf(resolver, 5n), "pod bbbbbbbb");
});

test("nor does a pod own another pod's namespace that it visits", () => {
  const resolver = resolverOf();
  resolver.apply(member(6n, pathOf(uidB, container("2")), { startMonotonicNs: 10n }));
  resolver.apply(member(5n, pathOf(uidB, container("2")), { startMonotonicNs: 900n, processName: "tcpdump" }));
  assert.equal(identify(resolver, 5n), undefined);
  resolver.apply(member(5n, pathOf(uidA, container("1")), { startMonotonicNs: 20n }));
  assert.equal(labelOf(resolver, 5n), "pod aaaaaaaa");
  assert.equal(labelOf(resolver, 6n), "pod bbbbbbbb");
});

test("a runtime's helper in the pod's cgroup and the node's namespace does not take the pod from its own", () => {
  const resolver = resolverOf();
  const slice = `/kubepods.slice/kubepods-pod${uidA.replaceAll("-", "_")}.slice`;
  resolver.apply(member(NODE, `${slice}/crio-conmon-${container("1")}.scope`, { startMonotonicNs: 10n }));
  resolver.apply(member(5n, `${slice}/crio-${container("1")}.scope`, { startMonotonicNs: 20n }));
  assert.equal(labelOf(resolver, 5n), "pod aaaaaaaa");
});

test("a container that is being made is in the node's namespace for a moment", () => {
  const resolver = resolverOf();
  const path = pathOf(uidA, container("1"));
  const parent = member(NODE, path, { startMonotonicNs: 10n, processName: "runc:[0:PARENT]" });
  resolver.apply(parent);
  resolver.apply(member(5n, path, { startMonotonicNs: 20n, processName: "pause" }));
  assert.equal(identify(resolver, 5n), undefined);
  assert.equal(isPending(resolver, 5n), true);
  resolver.apply(gone(parent));
  assert.equal(labelOf(resolver, 5n), "pod aaaaaaaa");
});

test("a namespace that two pods are at home in is nobody's, and is counted", () => {
  const resolver = resolverOf();
  resolver.apply(member(5n, pathOf(uidA, container("1"))));
  resolver.apply(member(5n, pathOf(uidB, container("2"))));
  assert.equal(identify(resolver, 5n), undefined);
  assert.equal(isPending(resolver, 5n), false);
  assert.equal(resolver.stats().disputedNamespaces, 1);
});

test("a sandbox that is made anew has another namespace and the same pod", () => {
  const resolver = resolverOf();
  const before = member(5n, pathOf(uidA, container("1")), { startMonotonicNs: 10n });
  resolver.apply(before);
  resolver.apply(gone(before));
  resolver.apply(member(6n, pathOf(uidA, container("2")), { startMonotonicNs: 20n }));
  assert.equal(labelOf(resolver, 6n), "pod aaaaaaaa");
  assert.equal(labelOf(resolver, 5n), "pod aaaaaaaa");
});

test("nothing is pending where there are no pods", () => {
  const resolver = createPodResolver({ describePod: () => ({}) });
  assert.equal(isPending(resolver, 5n), false, "the tracer reports nothing");
  resolver.apply(scanned(1n));
  assert.equal(isPending(resolver, 5n), false, "no pod was seen");
  resolver.apply(member(6n, pathOf(uidA, container("1"))));
  assert.equal(isPending(resolver, 5n), true);
});

test("a namespace that has long had processes, none of a pod, is not waited for", () => {
  const resolver = resolverOf(directoryOf());
  resolver.apply(scanned(20_000_000_000n));
  resolver.apply(member(5n, "/system.slice/named.service", { startMonotonicNs: 1n }));
  resolver.apply(member(6n, "/system.slice/containerd.service", { startMonotonicNs: 19_000_000_000n }));
  assert.equal(isPending(resolver, 5n), false);
  assert.equal(isPending(resolver, 6n), true);
  resolver.giveUp({ cookie: 6n, inode: 1 });
  assert.equal(isPending(resolver, 6n), false);
  resolver.apply(member(6n, pathOf(uidA, container("1"))));
  assert.equal(labelOf(resolver, 6n), "pod aaaaaaaa");
});

test("a pod whose name is under way is pending, and its identity changes when the name comes", () => {
  const directory = directoryOf();
  directory.set("pending", uidA);
  const resolver = resolverOf(directory);
  const changed: (bigint | undefined)[] = [];
  resolver.onChange?.((key) => changed.push(key));
  resolver.apply(member(5n, pathOf(uidA, container("1"))));
  assert.equal(isPending(resolver, 5n), true);
  assert.equal(labelOf(resolver, 5n), "pod aaaaaaaa");
  changed.length = 0;
  directory.set(podOf(uidA, "web"));
  assert.ok(changed.includes(5n));
  assert.equal(isPending(resolver, 5n), false);
  assert.equal(labelOf(resolver, 5n), "shop/web");
  directory.set(podOf(uidA, "web", { labels: new Map([["a", "b"]]) }));
  assert.equal(labelOf(resolver, 5n), "shop/web");
});

test("the dead are remembered for a minute and more, and make room when there is need", () => {
  const resolver = resolverOf();
  const second = 1_000_000_000n;
  const dead = member(70_000n, pathOf(uidA, container("1")));
  resolver.apply(dead);
  resolver.apply(gone(dead, 10n * second));
  for (let cookie = 1n; cookie < 65_536n; cookie++)
    resolver.apply(member(cookie, "/x", { observedMonotonicNs: 60n * second }));
  assert.equal(labelOf(resolver, 70_000n), "pod aaaaaaaa");
  assert.equal(resolver.stats().namespaces, 65_536);
  resolver.apply(member(80_000n, "/x", { observedMonotonicNs: 71n * second }));
  assert.equal(identify(resolver, 70_000n), undefined);
  assert.equal(resolver.stats().namespaces, 65_536);
});

test("the node has its name in Kubernetes where that is known", () => {
  assert.deepEqual(resolverOf(directoryOf()).nodeAttributes?.(), { "k8s.node.name": "n1" });
  assert.deepEqual(resolverOf().nodeAttributes?.(), {});
});
