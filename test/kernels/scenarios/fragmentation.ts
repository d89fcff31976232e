import type { Scenario } from "../scenario.js";
import { assertCounter, buildRouted, sendUdp, startReceiver } from "../traffic-helpers.js";

export const fragmentation: Scenario = {
  name: "fragmentation",
  title: "a UDP packet longer than the link allows: fragments, and one packet again at the receiver",
  async build(lab) {
    await buildRouted(lab);
  },
  async traffic(lab) {
    await startReceiver(lab, "b", "receive-udp", 88);
    await sendUdp(lab, "a", { address: "10.9.2.2", port: 88 }, 1, 3000);
    await assertCounter(lab, "a", "Ip.FragCreates", 3);
    await assertCounter(lab, "b", "Ip.ReasmOKs", 1);
    await assertCounter(lab, "b", "Udp.InDatagrams", 1);
  },
  expected: [
    {
      title: "a fragment that is not the first",
      packet: { transport: "udp", source: "10.9.1.2", destination: "10.9.2.2", isFragment: true },
      functions: ["dev_hard_start_xmit", "ip_rcv", "ip_forward", "dev_hard_start_xmit", "ip_rcv", "ip_local_deliver"],
      stackFunctions: ["ip_do_fragment|ip_fragment", "veth_xmit", "netif_rx", "ip_output", "veth_xmit", "netif_rx"],
      path: ["a", "r", "b"],
      end: ["merged", "consumed"],
    },
    {
      // In the sk_buff of the fragment that came last, emptied and filled again: another journey.
      title: "the packet put together, to the receiving socket",
      packet: {
        transport: "udp",
        source: "10.9.1.2",
        destination: "10.9.2.2",
        destinationPort: 88,
        minLengthBytes: 3000,
      },
      functions: ["__udp4_lib_rcv|udp_rcv", "udp_queue_rcv_one_skb"],
      stackFunctions: [],
      untoldByStacks: "no tracepoint sees a packet between reassembly and a reader that checks its checksum",
      path: ["b"],
      end: "delivered",
    },
  ],
};
