import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { buildRouted, send, startReceiver } from "../traffic-helpers.js";

const BYTES = 200_000;

export const largeTcpSend: Scenario = {
  name: "large-tcp-send",
  title: "a large TCP send: one sk_buff carries many segments (GSO)",
  build: (lab) => buildRouted(lab),
  async traffic(lab) {
    await startReceiver(lab, "b", "serve-tcp", 89);
    const result = await send(lab, "a", "send-tcp", "10.9.2.2", 89, BYTES);
    assert.deepEqual(result, { answer: String(BYTES) }, "the laboratory failed: the data did not arrive");
    const [link] = JSON.parse(await lab.ip("a", "-j", "-s", "link", "show", "eth0")) as LinkStatistics[];
    const packets = link?.stats64.tx.packets ?? 0;
    assert.ok(packets < BYTES / 1448, `the laboratory failed: ${packets} packets left, as many as segments`);
  },
  expected: [
    {
      title: "an sk_buff with several segments, to the receiving socket",
      packet: {
        transport: "tcp",
        destination: "10.9.2.2",
        destinationPort: 89,
        minGsoSegments: 2,
        minLengthBytes: 2000,
      },
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
        "veth_xmit",
        "netif_rx",
      ],
      path: ["a", "r", "b"],
      end: ["delivered", "merged"],
    },
  ],
};

interface LinkStatistics {
  readonly stats64: { readonly tx: { readonly packets: number } };
}
