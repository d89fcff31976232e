import { readdir, readFile } from "node:fs/promises";
import { runProgram } from "../../kernels/run-program.js";
import { clusterNetwork } from "../lib/cluster-network.js";

/** The second network of a pod that has two, as Multus makes them. */
export const secondNetwork = { pod: "10.98.0.2", node: "10.98.0.1" } as const;

export interface MultiHomedPod {
  readonly uid: string;
  /** Of its first interface, eth0. */
  readonly address: string;
}

/**
 * Gives a pod a second interface, net1, and the mistake of the story: the pod asks the API server over net1, the node answers to the
 * pod's second address by way of its first. The pod's kernel wants packets from the API server on net1 (rp_filter is 1), and drops.
 */
export async function addSecondNetwork({ uid, address }: MultiHomedPod): Promise<void> {
  const pid = await findProcess(uid);
  const ip = (...args: string[]) => runProgram("ip", args);
  const inPod = (...argv: string[]) => runProgram("nsenter", [`--net=/proc/${pid}/ns/net`, ...argv]);
  await ip("link", "add", "second", "type", "veth", "peer", "name", "net1", "netns", pid);
  await ip("addr", "add", `${secondNetwork.node}/32`, "dev", "second");
  await ip("link", "set", "second", "up");
  for (const name of ["all", "second"]) await runProgram("sysctl", ["-qw", `net.ipv4.conf.${name}.rp_filter=0`]);
  await ip("route", "add", `${secondNetwork.pod}/32`, "via", address, "dev", "cni0");
  await inPod("ip", "addr", "add", `${secondNetwork.pod}/24`, "dev", "net1");
  await inPod("ip", "link", "set", "net1", "up");
  await inPod("ip", "route", "add", `${clusterNetwork.node}/32`, "via", secondNetwork.node, "dev", "net1");
  for (const name of ["all", "eth0"]) await inPod("sysctl", "-qw", `net.ipv4.conf.${name}.rp_filter=1`);
}

/** The first of the pod's processes, which holds its namespaces, by the control group that has the pod's UID in its path. */
async function findProcess(uid: string): Promise<string> {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const name of processes.sort((left, right) => Number(left) - Number(right))) {
    const cgroups = await readFile(`/proc/${name}/cgroup`, "utf8").catch(() => "");
    if (cgroups.includes(`pod${uid}`)) return name;
  }
  throw new Error(`No process is in a control group of the pod ${uid}.`);
}
