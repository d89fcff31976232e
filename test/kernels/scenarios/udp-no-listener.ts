import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { assertCounter, buildPair, sendUdp } from "../traffic-helpers.js";

export const udpNoListener: Scenario = {
  name: "udp-no-listener",
  title: "a UDP packet to a port where nothing listens: ICMP port unreachable",
  build: (lab) => buildPair(lab),
  async traffic(lab) {
    const said = await sendUdp(lab, "a", { address: "10.9.1.3", port: 85 }, 2);
    assert.match(said, /Connection refused/, "the laboratory failed: no ICMP error came back");
    await assertCounter(lab, "b", "Udp.NoPorts", 1);
  },
  expected: [
    {
      title: "the packet, dropped for want of a socket",
      packet: { transport: "udp", destination: "10.9.1.3", destinationPort: 85 },
      functions: [
        "udp_send_skb",
        "ip_output",
        "dev_hard_start_xmit",
        "ip_rcv",
        "ip_local_deliver",
        "__udp4_lib_rcv|udp_rcv",
      ],
      stackFunctions: ["udp_sendmsg", "ip_output", "veth_xmit", "netif_rx", "__udp4_lib_rcv", "icmp_send", "kfree_skb"],
      path: ["a", "b"],
      end: "dropped",
      dropReason: "NO_SOCKET",
      dropFunction: ["__udp4_lib_rcv", "udp_rcv"],
    },
    {
      title: "the ICMP error that answers it",
      packet: { transport: "icmp", source: "10.9.1.3", icmpType: 3, icmpCode: 3 },
      functions: ["ip_output", "dev_hard_start_xmit", "ip_rcv", "icmp_rcv"],
      stackFunctions: ["__icmp_send", "ip_output", "veth_xmit", "netif_rx"],
      path: ["b", "a"],
      end: ["consumed", "delivered"],
    },
  ],
};
