import type { Scenario } from "../scenario.js";
import { assertIptablesCounted, buildRouted, sendUdp } from "../traffic-helpers.js";

/** `iptables` is a front end of nftables on today's distributions. */
export const iptablesDrop: Scenario = {
  name: "iptables-drop",
  title: "a firewall drop by iptables",
  needs: ["iptables"],
  async build(lab) {
    await buildRouted(lab);
    await lab.require("r", ["iptables", "-N", "POLICY"]);
    await lab.require("r", ["iptables", "-A", "FORWARD", "-j", "POLICY"]);
    await lab.require("r", ["iptables", "-A", "POLICY", "-d", "10.9.2.2", "-p", "udp", "--dport", "82", "-j", "DROP"]);
  },
  async traffic(lab) {
    await sendUdp(lab, "a", { address: "10.9.2.2", port: 82 });
    await assertIptablesCounted(lab, "r", "iptables", "POLICY");
  },
  expected: [
    {
      title: "the packet that the rule drops",
      packet: { transport: "udp", source: "10.9.1.2", destination: "10.9.2.2", destinationPort: 82 },
      functions: ["udp_send_skb", "ip_output", "dev_hard_start_xmit", "ip_rcv", "ip_forward", "nf_hook_slow"],
      stackFunctions: ["udp_sendmsg", "ip_output", "veth_xmit", "netif_rx", "ip_forward", "nf_hook_slow", "kfree_skb"],
      path: ["a", "r"],
      end: "dropped",
      dropReason: "NETFILTER_DROP",
      dropFunction: ["nft_do_chain", "nf_hook_slow"],
    },
  ],
};
