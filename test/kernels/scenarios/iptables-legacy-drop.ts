import type { Scenario } from "../scenario.js";
import { assertIptablesCounted, buildRouted, sendUdp } from "../traffic-helpers.js";

export const iptablesLegacyDrop: Scenario = {
  name: "iptables-legacy-drop",
  title: "a firewall drop by the iptables of before nftables",
  needs: ["iptables-legacy"],
  async build(lab) {
    await buildRouted(lab);
    await lab.require("r", [
      "iptables-legacy",
      "-A",
      "FORWARD",
      "-d",
      "10.9.2.2",
      "-p",
      "udp",
      "--dport",
      "83",
      "-j",
      "DROP",
    ]);
  },
  async traffic(lab) {
    await sendUdp(lab, "a", { address: "10.9.2.2", port: 83 });
    await assertIptablesCounted(lab, "r", "iptables-legacy", "FORWARD");
  },
  expected: [
    {
      title: "the packet that the rule drops",
      packet: { transport: "udp", source: "10.9.1.2", destination: "10.9.2.2", destinationPort: 83 },
      functions: ["udp_send_skb", "ip_output", "dev_hard_start_xmit", "ip_rcv", "ip_forward", "nf_hook_slow"],
      stackFunctions: ["udp_sendmsg", "ip_output", "veth_xmit", "netif_rx", "ip_forward", "nf_hook_slow", "kfree_skb"],
      path: ["a", "r"],
      end: "dropped",
      dropReason: "NETFILTER_DROP",
      dropFunction: "nf_hook_slow",
    },
  ],
};
