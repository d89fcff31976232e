import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { assertCounter, introduce, ping } from "../traffic-helpers.js";

/** The pod p is asked on net1 and answers on eth0, where the node does not expect that source. */
export const reversePathFilter: Scenario = {
  name: "reverse-path-filter",
  title: "the reverse-path filter on a multi-homed pod whose replies leave by the wrong interface",
  async build(lab) {
    await Promise.all(["c", "r", "p"].map((namespace) => lab.addNamespace(namespace)));
    await lab.connect(
      { namespace: "c", interface: "eth0", address: "10.9.9.2/24" },
      { namespace: "r", interface: "vc", address: "10.9.9.1/24" },
    );
    await lab.connect(
      { namespace: "p", interface: "eth0", address: "10.9.1.2/24" },
      { namespace: "r", interface: "ve", address: "10.9.1.1/24" },
    );
    await lab.connect(
      { namespace: "p", interface: "net1", address: "10.9.5.2/24" },
      { namespace: "r", interface: "vn", address: "10.9.5.1/24" },
    );
    await lab.ip("c", "route", "add", "default", "via", "10.9.9.1");
    await lab.ip("p", "route", "add", "default", "via", "10.9.1.1");
    await lab.sysctl("r", {
      "net.ipv4.ip_forward": 1,
      "net.ipv4.conf.ve.rp_filter": 1,
      "net.ipv4.conf.vn.rp_filter": 1,
      "net.ipv4.conf.vc.rp_filter": 1,
    });
    await introduce(lab, "c", "10.9.9.1");
    await introduce(lab, "r", "10.9.5.2");
    // Else the node ignores the pod's ARP for its gateway as well, for the same reason.
    await introduce(lab, "p", "10.9.1.1");
  },
  async traffic(lab) {
    const { code, stdout } = await ping(lab, "c", "10.9.5.2");
    assert.notEqual(code, 0, `the laboratory failed: an answer came: ${stdout}`);
    await assertCounter(lab, "r", "TcpExt.IPReversePathFilter", 1);
  },
  expected: [
    {
      title: "the request, which arrives on net1",
      packet: { transport: "icmp", source: "10.9.9.2", destination: "10.9.5.2", icmpType: 8 },
      functions: ["ip_output", "ip_rcv", "ip_forward", "dev_hard_start_xmit", "ip_rcv", "icmp_rcv"],
      stackFunctions: ["ip_output", "veth_xmit", "netif_rx", "ip_output", "veth_xmit", "netif_rx"],
      path: ["c", "r/vn", "p/net1"],
      end: "consumed",
    },
    {
      title: "the reply, which leaves by eth0 and is dropped by the node",
      packet: { transport: "icmp", source: "10.9.5.2", destination: "10.9.9.2", icmpType: 0 },
      functions: ["ip_output", "dev_hard_start_xmit", "ip_rcv"],
      stackFunctions: ["icmp_reply", "ip_output", "veth_xmit", "netif_rx", "ip_rcv_finish_core", "kfree_skb"],
      path: ["p/eth0", "r/ve"],
      end: "dropped",
      dropReason: "IP_RPFILTER",
      dropFunction: ["ip_rcv_finish_core", "ip_rcv_finish"],
    },
  ],
};
