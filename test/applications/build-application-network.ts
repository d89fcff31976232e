import type { Lab } from "../../exporter/demo/lab/create-lab.js";

/** A client, a proxy and a server, each in a network namespace of its own; a router translates addresses in both directions. */
export const applicationNetwork = {
  client: "client",
  router: "router",
  proxy: "proxy",
  server: "server",
  clientAddress: "10.210.1.2",
  proxyAddress: "10.210.3.2",
  serverAddress: "10.210.2.2",
  /** Only the router knows it: what is sent there goes to the server or the proxy. */
  serviceAddress: "10.210.9.1",
  filter: "tcp and net 10.210.0.0/16",
} as const;

/** The service's port, and the one on the other side. */
export const ports = {
  http: { service: 80, target: 8080 },
  https: { service: 443, target: 8443 },
  grpc: { service: 50051, target: 50052 },
  proxy: { service: 81, target: 8081 },
  /** The router's firewall drops it. */
  dropped: { service: 8999, target: 8999 },
} as const;

export async function buildApplicationNetwork(lab: Lab): Promise<void> {
  const { client, router, proxy, server } = applicationNetwork;
  for (const namespace of [router, client, proxy, server]) await lab.addNamespace(namespace);
  await connectToRouter(lab, client, applicationNetwork.clientAddress);
  await connectToRouter(lab, server, applicationNetwork.serverAddress);
  await connectToRouter(lab, proxy, applicationNetwork.proxyAddress);
  await lab.sysctl(router, { "net.ipv4.ip_forward": 1 });
  await lab.nft(router, rules());
}

async function connectToRouter(lab: Lab, namespace: string, address: string): Promise<void> {
  const gateway = address.replace(/\d+$/, "1");
  await lab.connect(
    { namespace, interface: "eth0", address: `${address}/24` },
    { namespace: applicationNetwork.router, interface: `to-${namespace}`, address: `${gateway}/24` },
  );
  await lab.ip(namespace, "route", "add", "default", "via", gateway);
}

function rules(): string {
  const { serviceAddress, serverAddress, proxyAddress } = applicationNetwork;
  const translate = (port: { readonly service: number; readonly target: number }, address: string): string =>
    `ip daddr ${serviceAddress} tcp dport ${port.service} dnat to ${address}:${port.target}`;
  return `table ip services {
      chain prerouting {
        type nat hook prerouting priority dstnat;
        ${translate(ports.http, serverAddress)}
        ${translate(ports.https, serverAddress)}
        ${translate(ports.grpc, serverAddress)}
        ${translate(ports.dropped, serverAddress)}
        ${translate(ports.proxy, proxyAddress)}
      }
      chain postrouting {
        type nat hook postrouting priority srcnat;
        masquerade
      }
    }
    table inet firewall {
      chain forward {
        type filter hook forward priority filter;
        tcp dport ${ports.dropped.target} counter drop
      }
    }`;
}
