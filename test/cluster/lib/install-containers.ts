import { join } from "node:path";
import { unpackDebianPackages } from "../../backends/lib/debian-programs.js";

/** What runs containers on a node. */
export interface ContainerPrograms {
  readonly containerd: string;
  readonly ctr: string;
  readonly runc: string;
  /** The folder of the CNI plugins. */
  readonly cniPlugins: string;
  /** Where containerd finds its shim. */
  readonly path: string;
}

/** Debian's packages, unpacked: installed, containerd would start as a service. */
export async function installContainers(onProgress: (text: string) => void = () => {}): Promise<ContainerPrograms> {
  const tree = await unpackDebianPackages({
    name: "containerd",
    packages: ["containerd", "runc", "containernetworking-plugins"],
    programs: ["usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/sbin/runc", "usr/lib/cni/bridge"],
    onProgress,
  });
  return {
    containerd: join(tree, "usr/bin/containerd"),
    ctr: join(tree, "usr/bin/ctr"),
    runc: join(tree, "usr/sbin/runc"),
    cniPlugins: join(tree, "usr/lib/cni"),
    path: join(tree, "usr/bin"),
  };
}
