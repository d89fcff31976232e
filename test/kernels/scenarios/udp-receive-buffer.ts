import type { Scenario } from "../scenario.js";
import { assertCounter, buildPair, sendUdp, startReceiver } from "../traffic-helpers.js";

export const udpReceiveBuffer: Scenario = {
  name: "udp-receive-buffer",
  title: "a UDP socket whose receive buffer is full",
  build: (lab) => buildPair(lab),
  async traffic(lab) {
    await startReceiver(lab, "b", "ignore-udp", 86, 4096);
    await sendUdp(lab, "a", { address: "10.9.1.3", port: 86 }, 20, 1000);
    await assertCounter(lab, "b", "Udp.RcvbufErrors", 1);
  },
  expected: [
    {
      title: "a packet that finds no room",
      packet: { transport: "udp", destination: "10.9.1.3", destinationPort: 86 },
      functions: [
        "udp_send_skb",
        "ip_output",
        "dev_hard_start_xmit",
        "ip_rcv",
        "ip_local_deliver",
        "__udp4_lib_rcv|udp_rcv",
        "__udp_enqueue_schedule_skb",
      ],
      stackFunctions: ["udp_sendmsg", "ip_output", "veth_xmit", "netif_rx", "udp_queue_rcv_one_skb", "kfree_skb"],
      path: ["a", "b"],
      end: "dropped",
      dropReason: "SOCKET_RCVBUFF",
      dropFunction: ["udp_queue_rcv_one_skb", "__udp_queue_rcv_skb", "udp_queue_rcv_skb", "udp_unicast_rcv_skb"],
    },
  ],
};
