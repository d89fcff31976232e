import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { assertCounter, buildRouted, ping } from "../traffic-helpers.js";

export const forwardingDisabled: Scenario = {
  name: "forwarding-disabled",
  title: "a node that does not forward",
  async build(lab) {
    await buildRouted(lab);
    await lab.sysctl("r", { "net.ipv4.ip_forward": 0 });
  },
  async traffic(lab) {
    const { code } = await ping(lab, "a", "10.9.2.2");
    assert.notEqual(code, 0, "the laboratory failed: an answer came");
    await assertCounter(lab, "r", "Ip.InAddrErrors", 1);
  },
  expected: [
    {
      title: "the packet that is for another host",
      packet: { transport: "icmp", destination: "10.9.2.2", icmpType: 8 },
      functions: ["ip_output", "dev_hard_start_xmit", "ip_rcv", "ip_error"],
      stackFunctions: ["ip_output", "veth_xmit", "netif_rx", "ip_error", "kfree_skb"],
      path: ["a", "r"],
      end: "dropped",
      dropReason: "IP_INADDRERRORS",
      dropFunction: "ip_error",
    },
  ],
};
