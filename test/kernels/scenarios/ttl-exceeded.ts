import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { buildRouted, ping } from "../traffic-helpers.js";

export const ttlExceeded: Scenario = {
  name: "ttl-exceeded",
  title: "a packet whose TTL ends at the node",
  build: (lab) => buildRouted(lab),
  async traffic(lab) {
    const { stdout } = await ping(lab, "a", "-t", "1", "10.9.2.2");
    assert.match(stdout, /Time to live exceeded/, `the laboratory failed: ping said ${stdout}`);
  },
  expected: [
    {
      title: "the packet, dropped while forwarded",
      packet: { transport: "icmp", destination: "10.9.2.2", icmpType: 8 },
      functions: ["ip_output", "dev_hard_start_xmit", "ip_rcv", "ip_forward"],
      stackFunctions: ["ip_output", "veth_xmit", "netif_rx", "ip_forward", "icmp_send", "kfree_skb"],
      path: ["a", "r"],
      end: "dropped",
      dropReason: "IP_INHDR",
      dropFunction: "ip_forward",
    },
    {
      title: "the ICMP time exceeded that answers it",
      packet: { transport: "icmp", source: "10.9.1.1", icmpType: 11 },
      functions: ["ip_output", "dev_hard_start_xmit", "ip_rcv", "icmp_rcv"],
      stackFunctions: ["__icmp_send", "ip_output", "veth_xmit", "netif_rx"],
      path: ["r", "a"],
      end: ["consumed", "delivered", "dropped"],
    },
  ],
};
