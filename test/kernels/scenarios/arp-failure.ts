import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { buildPair, sendUdp } from "../traffic-helpers.js";

export const arpFailure: Scenario = {
  name: "arp-failure",
  title: "an address that nobody answers ARP for",
  async build(lab) {
    await buildPair(lab);
    // Room for about two packets while the neighbour is asked for; shorter waits than the default's three seconds.
    await lab.sysctl("a", {
      "net.ipv4.neigh.eth0.unres_qlen_bytes": 3000,
      "net.ipv4.neigh.eth0.retrans_time_ms": 300,
    });
  },
  async traffic(lab) {
    await sendUdp(lab, "a", { address: "10.9.1.77", port: 87 }, 12, 500);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const neighbours = await lab.ip("a", "neighbour", "show");
    assert.match(neighbours, /10\.9\.1\.77 .*FAILED/, `the laboratory failed: the neighbours are ${neighbours}`);
  },
  expected: [
    {
      title: "a packet that waits for the neighbour in vain",
      packet: { transport: "udp", destination: "10.9.1.77", destinationPort: 87 },
      functions: ["udp_send_skb", "ip_output", "ip_finish_output2"],
      stackFunctions: ["kfree_skb"],
      path: ["a"],
      end: "dropped",
      dropReason: "NEIGH_FAILED",
      dropFunction: ["neigh_invalidate", "arp_error_report"],
    },
    {
      title: "a packet for which the neighbour's queue has no room",
      packet: { transport: "udp", destination: "10.9.1.77", destinationPort: 87 },
      functions: ["udp_send_skb", "ip_output", "ip_finish_output2"],
      stackFunctions: ["kfree_skb"],
      path: ["a"],
      end: "dropped",
      dropReason: "NEIGH_QUEUEFULL",
      dropFunction: "__neigh_event_send",
    },
    {
      title: "the ARP request itself",
      packet: { arpOperation: 1, source: "10.9.1.2", destination: "10.9.1.77" },
      functions: ["arp_xmit", "__dev_queue_xmit", "dev_hard_start_xmit", "arp_rcv"],
      stackFunctions: ["arp_xmit", "net_dev_queue", "veth_xmit", "netif_rx"],
      path: ["a", "b"],
      end: "consumed",
    },
  ],
};
