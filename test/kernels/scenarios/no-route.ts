import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { assertCounter, buildRouted, ping } from "../traffic-helpers.js";

export const noRoute: Scenario = {
  name: "no-route",
  title: "a node without a route to the destination",
  build: (lab) => buildRouted(lab),
  async traffic(lab) {
    const { stdout } = await ping(lab, "a", "10.9.77.1");
    assert.match(stdout, /Net Unreachable/, `the laboratory failed: ping said ${stdout}`);
    await assertCounter(lab, "r", "IpExt.InNoRoutes", 1);
  },
  expected: [
    {
      title: "the packet that nobody can forward",
      packet: { transport: "icmp", destination: "10.9.77.1", icmpType: 8 },
      functions: ["ip_output", "dev_hard_start_xmit", "ip_rcv", "ip_error"],
      stackFunctions: ["ip_output", "veth_xmit", "netif_rx", "ip_error", "icmp_send", "kfree_skb"],
      path: ["a", "r"],
      end: "dropped",
      dropReason: "IP_INNOROUTES",
      dropFunction: "ip_error",
    },
  ],
};
