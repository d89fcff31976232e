import type { Lab } from "./lab/create-lab.js";

/** Who is who in the demo. The terminal, the page and the tests speak of these. */
export const demoNetwork = {
  client: "pod-client",
  node: "node-a",
  web: "pod-web",
  clientAddress: "10.218.1.2",
  webAddress: "10.218.2.2",
  serviceAddress: "10.219.0.10",
  servicePort: 80,
  webPort: 8080,
  /** The node's firewall drops it. */
  blockedPort: 8443,
  /** Nothing listens there. */
  closedUdpPort: 5300,
  /** Journeys of the demo's own packets, and no other. */
  filter: "net 10.218.0.0/16 or net 10.219.0.0/16",
} as const;

export const demoPicture = `
   pod-client                 node-a                              pod-web
   10.218.1.2   eth0 ──── veth-client                             10.218.2.2
                              │  service 10.219.0.10:80           web server on :8080
                              │  is translated to 10.218.2.2:8080
                              │  firewall drops port 8443
                            cbr0 (bridge) ── veth-web ──── eth0
`;

/** A node as a small container network makes it: a pod on its own veth pair, another on a bridge, a Service by DNAT. */
export async function buildDemoNetwork(lab: Lab): Promise<void> {
  const { client, node, web } = demoNetwork;
  for (const namespace of [node, client, web]) await lab.addNamespace(namespace);
  await lab.addBridge(node, "cbr0", "10.218.2.1/24");
  await lab.connect(
    { namespace: client, interface: "eth0", address: `${demoNetwork.clientAddress}/24` },
    { namespace: node, interface: "veth-client", address: "10.218.1.1/24" },
  );
  await lab.connect(
    { namespace: web, interface: "eth0", address: `${demoNetwork.webAddress}/24` },
    { namespace: node, interface: "veth-web", bridge: "cbr0" },
  );
  await lab.ip(client, "route", "add", "default", "via", "10.218.1.1");
  await lab.ip(web, "route", "add", "default", "via", "10.218.2.1");
  await lab.sysctl(node, { "net.ipv4.ip_forward": 1 });
}

export async function addDemoRules(lab: Lab): Promise<void> {
  const { serviceAddress, servicePort, webAddress, webPort, blockedPort } = demoNetwork;
  await lab.nft(
    demoNetwork.node,
    `table ip services {
       chain prerouting {
         type nat hook prerouting priority dstnat;
         ip daddr ${serviceAddress} tcp dport ${servicePort} dnat to ${webAddress}:${webPort}
       }
     }
     table inet firewall {
       chain forward {
         type filter hook forward priority filter;
         tcp dport ${blockedPort} counter drop comment "the demo drops this port"
       }
     }`,
  );
}
