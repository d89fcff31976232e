import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { assertCounter, buildPair, connectTcp } from "../traffic-helpers.js";

export const tcpNoListener: Scenario = {
  name: "tcp-no-listener",
  title: "a TCP connection to a port where nothing listens: RST",
  build: (lab) => buildPair(lab),
  async traffic(lab) {
    const said = await connectTcp(lab, "a", { address: "10.9.1.3", port: 84 });
    assert.match(said, /Connection refused/, "the laboratory failed: the connection was not refused");
    await assertCounter(lab, "b", "Tcp.OutRsts", 1);
  },
  expected: [
    {
      title: "the connection request, dropped for want of a socket",
      packet: { transport: "tcp", destination: "10.9.1.3", destinationPort: 84, tcpFlags: "S" },
      functions: ["__tcp_transmit_skb", "ip_output", "dev_hard_start_xmit", "ip_rcv", "ip_local_deliver", "tcp_v4_rcv"],
      stackFunctions: ["__tcp_transmit_skb", "ip_output", "veth_xmit", "netif_rx", "tcp_v4_rcv", "kfree_skb"],
      path: ["a", "b"],
      end: "dropped",
      dropReason: "NO_SOCKET",
      dropFunction: "tcp_v4_rcv",
    },
    {
      title: "the reset that answers it",
      packet: { transport: "tcp", source: "10.9.1.3", sourcePort: 84, tcpFlags: "R." },
      functions: ["ip_output", "dev_hard_start_xmit", "ip_rcv", "tcp_v4_rcv"],
      stackFunctions: ["ip_send_unicast_reply", "ip_output", "veth_xmit", "netif_rx"],
      path: ["b", "a"],
      end: ["consumed", "dropped"],
    },
  ],
};
