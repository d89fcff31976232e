import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseCgroupPath } from "./parse-cgroup-path.js";

const uid = "dde1244b-5bb5-4e0a-9f3c-2b1d00c0ffee";
const sliceUid = uid.replaceAll("-", "_");
const id = "acb62d5e".repeat(8);
const outerId = "0123abcd".repeat(8);
const staticUid = "0f3a8c2d".repeat(4);

const ofContainer = { podUid: uid, containerId: id, isRuntime: false };
const ofPod = { podUid: uid, isRuntime: false };

/** Driver, runtime and class; the path; what it says. The same grammar holds for version 1 and 2. */
const pods: readonly (readonly [string, string, ReturnType<typeof parseCgroupPath>])[] = [
  [
    "systemd, containerd, burstable",
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${sliceUid}.slice/cri-containerd-${id}.scope`,
    ofContainer,
  ],
  [
    "systemd, CRI-O, besteffort",
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${sliceUid}.slice/crio-${id}.scope`,
    ofContainer,
  ],
  [
    "systemd, CRI-O, a container's own subgroup",
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${sliceUid}.slice/crio-${id}.scope/container`,
    ofContainer,
  ],
  [
    "systemd, CRI-O's monitor, which is in the node's namespace",
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${sliceUid}.slice/crio-conmon-${id}.scope`,
    { podUid: uid, isRuntime: true },
  ],
  ["systemd, cri-dockerd, guaranteed", `/kubepods.slice/kubepods-pod${sliceUid}.slice/docker-${id}.scope`, ofContainer],
  ["systemd, libpod", `/kubepods.slice/kubepods-pod${sliceUid}.slice/libpod-${id}.scope`, ofContainer],
  ["systemd, the pod's own slice", `/kubepods.slice/kubepods-pod${sliceUid}.slice`, ofPod],
  [
    "systemd, a static pod",
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${staticUid}.slice/cri-containerd-${id}.scope`,
    { podUid: staticUid, containerId: id, isRuntime: false },
  ],
  ["cgroupfs, burstable", `/kubepods/burstable/pod${uid}/${id}`, ofContainer],
  ["cgroupfs, besteffort", `/kubepods/besteffort/pod${uid}/${id}`, ofContainer],
  ["cgroupfs, guaranteed", `/kubepods/pod${uid}/${id}`, ofContainer],
  ["cgroupfs, CRI-O", `/kubepods/burstable/pod${uid}/crio-${id}`, ofContainer],
  ["cgroupfs, the pod's own", `/kubepods/besteffort/pod${uid}`, ofPod],
  [
    "cgroupfs, a static pod",
    `/kubepods/burstable/pod${staticUid}/${id}`,
    { podUid: staticUid, containerId: id, isRuntime: false },
  ],
  ["cgroupfs below a root of the kubelet's", `/kubelet/kubepods/burstable/pod${uid}/${id}`, ofContainer],
  [
    "kind, systemd",
    `/docker/${outerId}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod${sliceUid}.slice/cri-containerd-${id}.scope`,
    ofContainer,
  ],
  [
    "kind, systemd on the outside",
    `/system.slice/docker-${outerId}.scope/kubelet/kubepods/pod${uid}/${id}`,
    ofContainer,
  ],
  ["kind, cgroupfs", `/docker/${outerId}/kubelet/kubepods/besteffort/pod${uid}/${id}`, ofContainer],
  [
    "a cluster whose node is a pod of another",
    `/kubepods/besteffort/pod11111111-2222-3333-4444-555555555555/${outerId}/kubepods/burstable/pod${uid}/${id}`,
    ofContainer,
  ],
  ["Docker in a pod", `/kubepods/burstable/pod${uid}/${id}/docker/${outerId}`, ofContainer],
  ["Kata", `/kubepods/burstable/pod${uid}/kata_${id}`, ofContainer],
  ["Kata's overhead", `/kubepods/burstable/pod${uid}/kata_overhead`, ofPod],
];

for (const [name, path, owner] of pods)
  test(`the pod of a cgroup: ${name}`, () => assert.deepEqual(parseCgroupPath(path), owner));

const others: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["the root", "/"],
  ["a service", "/system.slice/containerd.service"],
  ["the kubelet", "/kubelet.slice/kubelet.service"],
  ["all pods", "/kubepods.slice"],
  ["a class", "/kubepods/burstable"],
  ["a login", "/user.slice/user-1000.slice/session-3.scope"],
  ["Docker, cgroupfs", `/docker/${id}`],
  ["Docker, systemd", `/system.slice/docker-${id}.scope`],
  ["containerd without Kubernetes", `/k8s.io/${id}`],
  ["podman", `/machine.slice/libpod-${id}.scope`],
  ["a pod of podman's", `/machine.slice/machine-libpod_pod_${id}.slice/libpod-${id}.scope`],
  ["a name like a pod's where pods do not stand", `/user.slice/pod${uid}/${id}`],
  ["a uid that is too short", `/kubepods/burstable/pod${uid.slice(1)}/${id}`],
  ["a uid that is too long", `/kubepods/burstable/pod${uid}0/${id}`],
  ["a path whose outer levels did not fit", `/pod${uid}/${id}`],
];

for (const [name, path] of others)
  test(`no pod's cgroup: ${name}`, () => assert.equal(parseCgroupPath(path), undefined));

test("whatever a container names its own cgroups, its pod stays the same or is a nested cluster's", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z0-9._-]{1,70}$/), { maxLength: 8 }), (levels) => {
      assert.deepEqual(parseCgroupPath([`/kubepods/pod${uid}/${id}`, ...levels].join("/")), ofContainer);
    }),
  );
});
