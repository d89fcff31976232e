/** What a function of the network stack belongs to, at the detail "layers". */
export const layerNames = ["device", "qdisc", "bridge", "netfilter", "ip", "xfrm", "tcp", "udp", "socket"] as const;
export type Layer = (typeof layerNames)[number];

/** Functions that work for any layer (copying, freeing): they count to the layer that called them. */
export const ANY_LAYER = "any";

/** Where a run has no function of a layer. */
export const OTHER_LAYER = "other";

/**
 * The first row that matches a name decides. Tunnels and receive offload are work of a device; connection tracking and
 * address translation of netfilter; ICMP and neighbours of IP. Names are those of functions and of tracepoints. The functions
 * of bpf/tracer/core_functions.c have their layer there: the test holds the two against each other.
 */
const rows: readonly (readonly [Layer | typeof ANY_LAYER, RegExp])[] = [
  [
    ANY_LAYER,
    /^(__)?(skb_clone|skb_copy$|pskb_(copy|expand)|skb_orphan|consume_(stateless_)?skb|kfree_skb|skb_attempt_defer_free|napi_(consume_skb|skb_)|dev_kfree_skb|kmem_cache_free|skb_release_|sk_skb_reason_drop|skb_(ensure|cow|pull|push|trim|put|linearize))/,
  ],
  ["xfrm", /^_*(xfrm|esp[46]?_|ah[46]?_)/],
  ["bridge", /^_*(br_|ebt_|ovs_|maybe_deliver$)/],
  [
    "netfilter",
    /^_*(nf_|nft_|nfqnl_|ipt_|ip6t_|arpt_|xt_|ip_vs_|synproxy_|reject_tg|masquerade_tg|ip_sabotage_in$|ipv[46]_(conntrack|confirm|defrag)|ct_)/,
  ],
  ["device", /^_*(vxlan|geneve|ipgre|gre_|erspan|ipip|ip_tunnel|ip6_tnl|ip6gre|iptunnel|udp_tunnel|wg_|skb_scrub)/],
  ["device", /gro_|_gro|gso|^skb_(mac_)?segment/],
  ["qdisc", /^_*(tcf_|tc_|cls_|fl_classify|u32_|sch_|qdisc_)|_(en|de)queue$|_classify$/],
  ["tcp", /^_*(tcp_|tcp[46]_|mptcp_|inet_csk_)/],
  ["udp", /^_*(udp_|udp[46]_|udpv6_|udplite|skb_consume_udp|skb_recv_udp)/],
  [
    "socket",
    /^_*(sock_|sk_|skb_copy_(datagram|and_csum_datagram)|skb_datagram|skb_splice|skb_recv|security_|cgroup_bpf|bpf_run_filter|(release|lock)_sock|datagram_|inet6?_(recv|send|shutdown|release|stream|accept|bind|dgram))/,
  ],
  [
    "ip",
    /^_*(ip_|ip6_|ipv4_|ipv6_|ip4_|inet_|inet6_|fib_|fib6_|icmp|igmp|mld_|arp_|neigh_|ndisc_|raw_|rawv6_|ping_|rt_|rt6_)/,
  ],
  [
    "device",
    /^_*(net_dev_|netif_|netdev_|dev_|napi_|enqueue_to_backlog|process_backlog|do_xdp|xdp_|validate_xmit|skb_(do_redirect|checksum_help|vlan)|eth_|vlan_|veth_|tun_|tap_|macvlan_|ipvlan_|bond_|vrf_|loopback_|t?packet_|start_xmit|virtnet_|xmit_)|_xmit$|_start_xmit$/,
  ],
];

const known = new Map<string, Layer | typeof ANY_LAYER>();
const MAX_KNOWN = 16_384;

/** ANY_LAYER also for what is not known: it counts to the layer around it. */
export function findLayer(functionName: string): Layer | typeof ANY_LAYER {
  let layer = known.get(functionName);
  if (layer === undefined) {
    layer = rows.find(([, pattern]) => pattern.test(functionName))?.[0] ?? ANY_LAYER;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(functionName, layer);
  }
  return layer;
}

/** Whether a row says so, not the lack of one. */
export function isKnownFunction(functionName: string): boolean {
  return rows.some(([, pattern]) => pattern.test(functionName));
}
