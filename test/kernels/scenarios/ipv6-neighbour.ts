import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { buildPair, ping } from "../traffic-helpers.js";

/** 6.1 lets go of every ICMPv6 packet that it has received as if it dropped it. */
const received = {
  end: ["consumed", "dropped"],
  dropReason: ["", "NOT_SPECIFIED"],
  dropFunction: ["", "icmpv6_rcv"],
} as const;

export const ipv6Neighbour: Scenario = {
  name: "ipv6-neighbour",
  title: "IPv6 neighbour discovery",
  build: (lab) => buildPair(lab, { ipv6: true }),
  async traffic(lab) {
    const { code, stdout } = await ping(lab, "a", "fd09::3");
    assert.equal(code, 0, `the laboratory failed: no answer: ${stdout}`);
  },
  expected: [
    {
      title: "the neighbour solicitation",
      packet: { transport: "icmpv6", source: "fd09::2", icmpType: 135 },
      functions: [
        "ndisc_send_skb|ip6_output",
        "ip6_finish_output2",
        "dev_hard_start_xmit",
        "ipv6_rcv",
        "icmpv6_rcv",
        "ndisc_rcv",
      ],
      stackFunctions: ["ndisc_send_skb", "ip6_output", "veth_xmit", "netif_rx"],
      path: ["a", "b"],
      ...received,
    },
    {
      title: "the neighbour advertisement",
      packet: { transport: "icmpv6", source: "fd09::3", destination: "fd09::2", icmpType: 136 },
      functions: ["ip6_output", "dev_hard_start_xmit", "ipv6_rcv", "icmpv6_rcv", "ndisc_rcv"],
      stackFunctions: ["ndisc_send_skb", "veth_xmit", "netif_rx"],
      path: ["b", "a"],
      ...received,
    },
    {
      title: "the echo request that waited for it",
      packet: { transport: "icmpv6", source: "fd09::2", destination: "fd09::3", icmpType: 128 },
      functions: ["ip6_output", "ip6_finish_output2", "dev_hard_start_xmit", "ipv6_rcv", "icmpv6_rcv"],
      stackFunctions: ["net_dev_queue", "veth_xmit", "netif_rx"],
      path: ["a", "b"],
      ...received,
    },
  ],
};
