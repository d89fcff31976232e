import type { Scenario } from "../scenario.js";
import { assertFirewallCounted, buildRouted, sendUdp } from "../traffic-helpers.js";

export const nftablesDrop: Scenario = {
  name: "nftables-drop",
  title: "a firewall drop by nftables",
  async build(lab) {
    await buildRouted(lab);
    await lab.nft(
      "r",
      "table inet lab { chain forward { type filter hook forward priority 0; udp dport 81 counter drop; }; }",
    );
  },
  async traffic(lab) {
    await sendUdp(lab, "a", { address: "10.9.2.2", port: 81 });
    await assertFirewallCounted(lab, "r");
  },
  expected: [
    {
      title: "the packet that the rule drops",
      packet: { transport: "udp", source: "10.9.1.2", destination: "10.9.2.2", destinationPort: 81 },
      functions: ["udp_send_skb", "ip_output", "dev_hard_start_xmit", "ip_rcv", "ip_forward", "nf_hook_slow"],
      stackFunctions: [
        "udp_sendmsg",
        "ip_output",
        "veth_xmit",
        "netif_rx",
        "ip_forward",
        "nf_hook_slow",
        "nft_do_chain",
        "kfree_skb",
      ],
      path: ["a", "r"],
      end: "dropped",
      dropReason: "NETFILTER_DROP",
      dropFunction: ["nft_do_chain", "nf_hook_slow"],
    },
  ],
};
