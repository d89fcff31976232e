import { runProgram } from "../../kernels/run-program.js";

/** Addresses of the cluster's own network namespace: nobody else sees them. */
export const clusterNetwork = {
  node: "10.89.0.2",
  pods: "10.244.0.0/16",
  podsOfNode: "10.244.0.0/24",
  services: "10.96.0.0/16",
  apiService: "10.96.0.1",
} as const;

/** In a new network namespace: a node's interface, as a bridge, with a route to nowhere. */
export async function setUpNodeNetwork(): Promise<void> {
  const { node } = clusterNetwork;
  for (const command of [
    "link set lo up",
    "link add node0 type bridge",
    `addr add ${node}/24 dev node0`,
    "link set node0 up",
    "route add default via 10.89.0.1 dev node0",
  ])
    await runProgram("ip", command.split(" "));
  const settings = [
    "net.ipv4.ip_forward=1",
    "net.ipv4.conf.all.route_localnet=1",
    "net.bridge.bridge-nf-call-iptables=1",
  ];
  for (const setting of settings.slice(0, 2)) await runProgram("sysctl", ["-qw", setting]);
  // It is there when the module is: kube-proxy's rules see bridged packets then.
  for (const setting of settings.slice(2)) await runProgram("sysctl", ["-qw", setting]).catch(() => "");
}
