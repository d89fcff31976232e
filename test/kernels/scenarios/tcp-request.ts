import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { introduce, send, startReceiver } from "../traffic-helpers.js";

/** A Service on one node: client pod on its own veth, web pod on a bridge, and DNAT in between. */
export const tcpRequest: Scenario = {
  name: "tcp-request",
  title: "a TCP request across veth, bridge and DNAT",
  async build(lab) {
    await Promise.all(["client", "node", "web"].map((namespace) => lab.addNamespace(namespace)));
    await lab.addBridge("node", "cbr0", "10.9.2.1/24");
    await lab.connect(
      { namespace: "client", interface: "eth0", address: "10.9.1.2/24" },
      { namespace: "node", interface: "veth-client", address: "10.9.1.1/24" },
    );
    await lab.connect(
      { namespace: "web", interface: "eth0", address: "10.9.2.2/24" },
      { namespace: "node", interface: "veth-web", bridge: "cbr0" },
    );
    await lab.ip("client", "route", "add", "default", "via", "10.9.1.1");
    await lab.ip("web", "route", "add", "default", "via", "10.9.2.1");
    await lab.sysctl("node", { "net.ipv4.ip_forward": 1 });
    await introduce(lab, "client", "10.9.1.1");
    await introduce(lab, "web", "10.9.2.1");
    await lab.nft(
      "node",
      `table ip service {
         chain prerouting {
           type nat hook prerouting priority dstnat;
           ip daddr 10.9.96.10 tcp dport 80 counter dnat to 10.9.2.2:8080
         }
       }`,
    );
  },
  async traffic(lab) {
    await startReceiver(lab, "web", "serve-tcp", 8080);
    const result = await send(lab, "client", "send-tcp", "10.9.96.10", 80, 300);
    assert.deepEqual(result, { answer: "300" }, "the laboratory failed: the web pod did not answer");
  },
  expected: [
    {
      title: "the connection request (SYN)",
      packet: { transport: "tcp", destination: "10.9.96.10", destinationPort: 80, tcpFlags: "S" },
      functions: [
        "__tcp_transmit_skb",
        "ip_queue_xmit|__ip_queue_xmit",
        "ip_output",
        "__dev_queue_xmit",
        "dev_hard_start_xmit",
        "ip_rcv",
        "ip_forward",
        "ip_output",
        "dev_hard_start_xmit",
        "br_handle_frame_finish|br_dev_xmit|br_dev_queue_push_xmit",
        "dev_hard_start_xmit",
        "ip_rcv",
        "ip_local_deliver",
        "tcp_v4_rcv",
      ],
      stackFunctions: [
        "__tcp_transmit_skb",
        "ip_output",
        "net_dev_queue",
        "veth_xmit",
        "netif_rx",
        "ip_output",
        "br_dev_xmit",
        "veth_xmit",
        "netif_rx",
      ],
      path: ["client", "node", "web"],
      destinations: ["10.9.96.10:80", "10.9.2.2:8080"],
      end: "consumed",
    },
    {
      title: "the request's data, to the receiving socket",
      packet: { transport: "tcp", destination: "10.9.2.2", destinationPort: 8080, minLengthBytes: 340 },
      functions: [
        "__tcp_transmit_skb",
        "ip_output",
        "dev_hard_start_xmit",
        "ip_rcv",
        "ip_forward",
        "dev_hard_start_xmit",
        "ip_rcv",
        "tcp_v4_rcv",
      ],
      stackFunctions: [
        "__tcp_transmit_skb",
        "ip_output",
        "veth_xmit",
        "netif_rx",
        "ip_output",
        "br_dev_xmit",
        "veth_xmit",
        "netif_rx",
        "skb_copy_datagram_iovec",
      ],
      path: ["client", "node", "web"],
      destinations: ["10.9.96.10:80", "10.9.2.2:8080"],
      end: "delivered",
    },
    {
      title: "the answer's data, its source translated back",
      packet: { transport: "tcp", sourcePort: 8080, source: "10.9.2.2", minLengthBytes: 55, tcpFlags: "P." },
      functions: [
        "__tcp_transmit_skb",
        "ip_output",
        "dev_hard_start_xmit",
        "br_handle_frame_finish",
        "ip_rcv",
        "ip_forward",
        "dev_hard_start_xmit",
        "ip_rcv",
        "tcp_v4_rcv",
      ],
      stackFunctions: [
        "__tcp_transmit_skb",
        "ip_output",
        "veth_xmit",
        "netif_rx",
        "ip_output",
        "veth_xmit",
        "netif_rx",
        "skb_copy_datagram_iovec",
      ],
      path: ["web", "node", "client"],
      sources: ["10.9.2.2:8080", "10.9.96.10:80"],
      end: "delivered",
    },
  ],
};
