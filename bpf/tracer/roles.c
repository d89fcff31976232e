// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "roles.h"

#include <stddef.h>
#include <string.h>

#define RECEIVE PROBE_RECEIVE
#define TRANSMIT PROBE_TRANSMIT
#define FIRST_ONLY PROBE_FIRST_ONLY
#define FOLLOWS PROBE_FOLLOWS

const struct function_role function_roles[] = {
	/* received: skb->data is at the network header, skb->network_header may not be set yet */
	{ "__netif_rx", ROLE_SIGHT, RECEIVE, 0 },
	{ "netif_rx", ROLE_SIGHT, RECEIVE, 0 },
	{ "netif_rx_internal", ROLE_SIGHT, RECEIVE, 0 },
	{ "napi_gro_receive", ROLE_SIGHT, RECEIVE, 0 },
	{ "gro_receive_skb", ROLE_SIGHT, RECEIVE, 0 },
	{ "netif_receive_skb", ROLE_SIGHT, RECEIVE, 0 },
	{ "__netif_receive_skb", ROLE_SIGHT, RECEIVE | FIRST_ONLY, 0 },
	{ "__netif_receive_skb_one_core", ROLE_SIGHT, RECEIVE | FIRST_ONLY, 0 },

	/* in the stack: skb->network_header is right */
	{ "ip_rcv", ROLE_SIGHT, 0, 0 },
	{ "ip_rcv_core", ROLE_SIGHT, FIRST_ONLY, 0 },
	{ "ipv6_rcv", ROLE_SIGHT, 0, 0 },
	{ "ip6_rcv_core", ROLE_SIGHT, FIRST_ONLY, 0 },
	{ "arp_rcv", ROLE_SIGHT, 0, 0 },
	{ "br_handle_frame_finish", ROLE_SIGHT, 0, 0 },
	{ "br_forward_finish", ROLE_SIGHT, 0, 0 },
	{ "ip_local_deliver", ROLE_SIGHT, 0, 0 },
	{ "ip6_input", ROLE_SIGHT, 0, 0 },
	{ "ip_forward", ROLE_SIGHT, 0, 0 },
	{ "ip6_forward", ROLE_SIGHT, 0, 0 },
	{ "ip_forward_finish", ROLE_SIGHT, 0, 0 },
	{ "__ip_local_out", ROLE_SIGHT, 0, 0 },
	{ "__ip6_local_out", ROLE_SIGHT, 0, 0 },
	{ "ip_output", ROLE_SIGHT, 0, 0 },
	{ "ip6_output", ROLE_SIGHT, 0, 0 },
	{ "ip_mc_output", ROLE_SIGHT, 0, 0 },
	{ "ip_finish_output", ROLE_SIGHT, 0, 0 },
	{ "ip_finish_output2", ROLE_SIGHT, FIRST_ONLY, 0 },
	{ "ip6_finish_output2", ROLE_SIGHT, 0, 0 },
	{ "tcp_v4_rcv", ROLE_SIGHT, 0, 0 },
	{ "tcp_v6_rcv", ROLE_SIGHT, 0, 0 },
	{ "udp_rcv", ROLE_SIGHT, 0, 0 },
	{ "__udp4_lib_rcv", ROLE_SIGHT, FIRST_ONLY, 0 },
	{ "udpv6_rcv", ROLE_SIGHT, 0, 0 },
	{ "__udp6_lib_rcv", ROLE_SIGHT, FIRST_ONLY, 0 },
	{ "icmp_rcv", ROLE_SIGHT, 0, 0 },
	{ "icmpv6_rcv", ROLE_SIGHT, 0, 0 },

	/* sent: skb->data is at the link header */
	{ "__dev_queue_xmit", ROLE_SIGHT, TRANSMIT, 0 },
	{ "dev_hard_start_xmit", ROLE_SIGHT, TRANSMIT | PROBE_HANDOVER, 0 },

	/* before the packet has headers */
	{ "__tcp_transmit_skb", ROLE_PROLOGUE, 0, 0 },
	{ "__tcp_retransmit_skb", ROLE_PROLOGUE, 0, 0 },
	{ "tcp_retransmit_skb", ROLE_PROLOGUE, 0, 0 },
	{ "__ip_queue_xmit", ROLE_PROLOGUE, 0, 0 },
	{ "ip_queue_xmit", ROLE_PROLOGUE, 0, 0 },
	{ "ip_build_and_send_pkt", ROLE_PROLOGUE, 0, 0 },
	{ "inet6_csk_xmit", ROLE_PROLOGUE, 0, 0 },
	{ "ip6_xmit", ROLE_PROLOGUE, 0, 0 },
	{ "udp_send_skb", ROLE_PROLOGUE, 0, 0 },
	{ "udp_v6_send_skb", ROLE_PROLOGUE, 0, 0 },
	{ "ip_send_skb", ROLE_PROLOGUE, 0, 0 },
	{ "ip6_send_skb", ROLE_PROLOGUE, 0, 0 },
	{ "ip_local_out", ROLE_PROLOGUE, 0, 0 },
	{ "ip6_local_out", ROLE_PROLOGUE, 0, 0 },
	{ "ndisc_send_skb", ROLE_PROLOGUE, 0, 0 },
	{ "arp_xmit", ROLE_PROLOGUE, 0, 0 },

	/* the end; which of these sees it depends on the kernel and on who lets go */
	{ "skb_release_head_state", ROLE_END, 0, 0 },
	{ "skb_release_data", ROLE_END, PROBE_RELEASE_DATA, 0 },
	{ "__kfree_skb", ROLE_END, 0, 0 },
	{ "kfree_skbmem", ROLE_END, 0, 0 },
	{ "__consume_stateless_skb", ROLE_END, 0, 0 },
	{ "skb_attempt_defer_free", ROLE_END, 0, 0 },
	{ "napi_skb_cache_put", ROLE_END, 0, 0 },
	{ "kfree_skb_partial", ROLE_END, PROBE_MERGE, 0 },
	{ "napi_gro_free_stolen_head", ROLE_END, PROBE_MERGE, 0 }, /* not there before 5.13 */
	{ "napi_skb_free_stolen_head", ROLE_END, PROBE_MERGE, 0 },

	/* no end, but it tells how the packet will end */
	{ "skb_gro_receive", ROLE_END, PROBE_MARK_MERGE, 2 },
	{ "skb_gro_receive_list", ROLE_END, PROBE_MARK_MERGE, 2 },
	{ "skb_copy_and_csum_datagram_msg", ROLE_END, PROBE_MARK_COPIED, 0 },
	{ "skb_splice_bits", ROLE_END, PROBE_MARK_COPIED, 0 },

	/* the packet becomes another: a filter may match it now */
	{ "nf_nat_manip_pkt", ROLE_RECHECK, 0, 0 },
	{ "skb_scrub_packet", ROLE_RECHECK, 0, 0 },
	{ "iptunnel_handle_offloads", ROLE_RECHECK, 0, 0 },
	{ "__iptunnel_pull_header", ROLE_RECHECK, 0, 0 },
	{ "pskb_expand_head", ROLE_HOP, PROBE_EXPAND, 0 },
};

const int function_role_count = sizeof(function_roles) / sizeof(function_roles[0]);

const struct function_role *function_role__find(const char *name)
{
	for (int i = 0; i < function_role_count; i++)
		if (!strcmp(function_roles[i].name, name))
			return &function_roles[i];
	return NULL;
}

static const struct tracepoint_role tracepoint_roles[] = {
	{ "kfree_skb", TRACEPOINT_DROP, PROBE_STACK },
	{ "consume_skb", TRACEPOINT_CONSUME, 0 },
	{ "skb_copy_datagram_iovec", TRACEPOINT_COPIED, 0 },
	{ "netif_rx", TRACEPOINT_SIGHT_0, RECEIVE | FOLLOWS },
	{ "netif_rx_entry", TRACEPOINT_SIGHT_0, RECEIVE },
	{ "netif_receive_skb", TRACEPOINT_SIGHT_0, RECEIVE },
	{ "netif_receive_skb_entry", TRACEPOINT_SIGHT_0, RECEIVE },
	{ "netif_receive_skb_list_entry", TRACEPOINT_SIGHT_0, RECEIVE },
	{ "napi_gro_receive_entry", TRACEPOINT_SIGHT_0, RECEIVE },
	{ "net_dev_queue", TRACEPOINT_SIGHT_0, TRANSMIT },
	{ "net_dev_start_xmit", TRACEPOINT_SIGHT_0, TRANSMIT | FOLLOWS | PROBE_HANDOVER },
	{ "qdisc_enqueue", TRACEPOINT_SIGHT_0, TRANSMIT | FOLLOWS },
	{ "qdisc_dequeue", TRACEPOINT_SIGHT_0, TRANSMIT | FOLLOWS },
	{ "icmp_send", TRACEPOINT_SIGHT_0, 0 },
	{ "tcp_send_reset", TRACEPOINT_SIGHT_0, 0 },
	{ "udp_fail_queue_rcv_skb", TRACEPOINT_SIGHT_0, FOLLOWS },
	{ "sock_rcvqueue_full", TRACEPOINT_SIGHT_0, FOLLOWS },
	/* left out on purpose: net_dev_xmit (the driver may have freed the sk_buff), tcp_retransmit_skb, tcp_probe and
	 * tcp_sendmsg_locked (no network header), napi_gro_frags_entry (no link header pulled yet) */
};

const struct tracepoint_role *tracepoint_role__find(const char *name)
{
	for (size_t i = 0; i < sizeof(tracepoint_roles) / sizeof(tracepoint_roles[0]); i++)
		if (!strcmp(tracepoint_roles[i].name, name))
			return &tracepoint_roles[i];
	return NULL;
}
