import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { clusterNetwork, setUpNodeNetwork } from "./cluster-network.js";
import { installCluster } from "./install-cluster.js";
import { installContainers } from "./install-containers.js";
import { makeClusterCertificates } from "./make-cluster-certificates.js";
import { makeBusyboxImage } from "./make-folder-image.js";
import type { Isolated } from "./run-isolated.js";
import { type ControlPlane, startControlPlane } from "./start-control-plane.js";
import { PAUSE_IMAGE, startNode } from "./start-node.js";

export const BUSYBOX_IMAGE = "localhost/busybox:test";

export interface Cluster extends ControlPlane {
  /** Makes what a manifest describes. */
  apply(...manifests: readonly object[]): Promise<void>;
}

/** A cluster of one node, in the namespaces that this process is in: see runIsolated. `images`: docker archives besides busybox. */
export async function startCluster({ folder, cgroup }: Isolated, images: readonly string[]): Promise<Cluster> {
  const [programs, containers] = [await installCluster(), await installContainers()];
  await setUpNodeNetwork();
  const { node, apiService } = clusterNetwork;
  const names = ["localhost", "node1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const addresses = ["127.0.0.1", node, apiService];
  const subjects = [...names.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP:${address}`)].join(",");
  const pki = await makeFolder(folder, "pki");
  const certificates = makeClusterCertificates(pki, `https://${node}:6443`, subjects);
  const wait = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait; done"];
  const own = [
    await makeBusyboxImage({ name: PAUSE_IMAGE, command: wait }, await makeFolder(folder, "pause")),
    await makeBusyboxImage({ name: BUSYBOX_IMAGE, command: wait }, await makeFolder(folder, "busybox")),
  ];
  const control = await startControlPlane(programs, certificates, folder);
  const worker = await startNode({ programs, containers, certificates, folder, cgroup, images: [...own, ...images] });
  return {
    ...control,
    async apply(...manifests) {
      const file = join(folder, "apply.json");
      await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }));
      await control.kubectl("apply", "-f", file);
    },
    async stop() {
      await worker.stop();
      await control.stop();
    },
  };
}

async function makeFolder(parent: string, name: string): Promise<string> {
  const path = join(parent, name);
  await mkdir(path, { recursive: true });
  return path;
}
