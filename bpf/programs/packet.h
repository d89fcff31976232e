/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Reads a packet, no further than is needed: the sk_buff, a glance at what can change, the packet view (packet_view.h) for the
 * filter, the context (wire.h). Once a sight, never once a hop.
 */
#ifndef SKBSPAN_PACKET_H
#define SKBSPAN_PACKET_H

#include <bpf/bpf_endian.h>
#include "maps.h"
#include "namespace.h"

#define ETHERNET_HEADER_BYTES 14
#define VLAN_TAG_BYTES 4
#define MAC_HEADER_UNSET 0xffff

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define LOOPBACK_INTERFACE_INDEX 1 /* in every namespace */
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV6 0x86dd

#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_ICMPV6 58
#define PROTOCOL_UDPLITE 136
#define PROTOCOL_SCTP 132

static __always_inline __u16 view__load16(const struct packet_view *view, __u32 offset)
{
	return bpf_ntohs(*(const __u16 *)(view->bytes + (offset & 0xff)));
}

static __always_inline __u32 view__load32(const struct packet_view *view, __u32 offset)
{
	return bpf_ntohl(*(const __u32 *)(view->bytes + (offset & 0xff)));
}

/* Whether the window holds `bytes` bytes at `offset`; also the bound that the verifier needs. */
static __always_inline bool view__has(const struct packet_view *view, __u32 offset, __u32 bytes)
{
	return offset <= PACKET_VIEW_WINDOW - bytes && offset + bytes <= view->window_bytes;
}

static __always_inline void context__parse_transport(struct wire_context *context, const struct packet_view *view,
						     __u32 at)
{
	if (at > PACKET_VIEW_WINDOW - 20 || !view__has(view, at, 8))
		return;
	switch (context->transport) {
	case PROTOCOL_TCP:
		if (!view__has(view, at, 20))
			return;
		context->tcp_sequence = view__load32(view, at + 4);
		context->tcp_acknowledgement = view__load32(view, at + 8);
		context->transport_header_bytes = (view->bytes[(at + 12) & 0xff] >> 4) * 4;
		context->tcp_flags = view->bytes[(at + 13) & 0xff];
		context->tcp_window = view__load16(view, at + 14);
		goto ports;
	case PROTOCOL_UDP:
	case PROTOCOL_UDPLITE:
	case PROTOCOL_SCTP:
		context->transport_header_bytes = context->transport == PROTOCOL_SCTP ? 12 : 8;
ports:
		context->source_port = view__load16(view, at);
		context->destination_port = view__load16(view, at + 2);
		break;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		context->icmp_type = view->bytes[at & 0xff];
		context->icmp_code = view->bytes[(at + 1) & 0xff];
		context->icmp_id = view__load16(view, at + 4);
		context->icmp_sequence = view__load16(view, at + 6);
		context->transport_header_bytes = 8;
		break;
	default:
		return;
	}
	context->flags |= WIRE_CONTEXT_TRANSPORT;
}

verified_alone int context__read_transport(__u32 level, __u32 at)
{
	struct scratch *scratch = scratch__at(level);

	if (scratch)
		context__parse_transport(&scratch->context, &scratch->view, at);
	return 0;
}

static __always_inline void context__read_ipv4(struct wire_context *context, const struct packet_view *view,
					       __u32 level, __u32 at)
{
	__u32 header_bytes;

	if (at > ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES || !view__has(view, at, 20))
		return;
	header_bytes = (view->bytes[at] & 0xf) * 4;
	context->traffic_class = view->bytes[at + 1];
	context->network_bytes = view__load16(view, at + 2);
	context->ip_id = view__load16(view, at + 4);
	context->fragment = view__load16(view, at + 6);
	context->ttl = view->bytes[at + 8];
	context->transport = view->bytes[at + 9];
	__builtin_memcpy(context->source, view->bytes + at + 12, 4);
	__builtin_memcpy(context->destination, view->bytes + at + 16, 4);
	context->flags |= WIRE_CONTEXT_NETWORK;
	if (!(context->fragment & 0x1fff)) /* later fragments have no transport header */
		context__read_transport(level, at + header_bytes);
}

#define IPV6_EXTENSIONS 4 /* headers skipped at most */

static __always_inline void context__read_ipv6(struct wire_context *context, const struct packet_view *view,
					       __u32 level, __u32 at)
{
	__u8 next;
	__u32 offset;

	if (at > ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES || !view__has(view, at, 40))
		return;
	context->traffic_class = view__load16(view, at) >> 4;
	context->ip_id = view__load32(view, at) & 0xfffff;
	context->network_bytes = view__load16(view, at + 4);
	if (context->network_bytes)
		context->network_bytes += 40;
	next = view->bytes[at + 6];
	context->ttl = view->bytes[at + 7];
	__builtin_memcpy(context->source, view->bytes + at + 8, 16);
	__builtin_memcpy(context->destination, view->bytes + at + 24, 16);
	context->flags |= WIRE_CONTEXT_NETWORK;
	offset = at + 40;
#pragma unroll
	for (int extension = 0; extension < IPV6_EXTENSIONS; extension++) {
		if (next != 0 && next != 43 && next != 44 && next != 60)
			break;
		if (offset > PACKET_VIEW_WINDOW - 8 || !view__has(view, offset, 8))
			return;
		if (next == 44) {
			context->fragment = view__load16(view, offset + 2);
			next = view->bytes[offset & 0xff];
			offset += 8;
			if (context->fragment & 0xfff8) {
				context->transport = next;
				return;
			}
		} else {
			next = view->bytes[offset & 0xff];
			offset += (view->bytes[(offset + 1) & 0xff] + 1) * 8;
		}
	}
	context->transport = next;
	context__read_transport(level, offset);
}

static __always_inline void context__read_arp(struct wire_context *context, const struct packet_view *view, __u32 at)
{
	if (at > ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES || !view__has(view, at, 28))
		return;
	if (view__load16(view, at + 2) != ETHERTYPE_IPV4 || view__load16(view, at + 4) != 0x0604)
		return;
	context->arp_operation = view__load16(view, at + 6);
	__builtin_memcpy(context->source, view->bytes + at + 14, 4);
	__builtin_memcpy(context->destination, view->bytes + at + 24, 4);
	context->flags |= WIRE_CONTEXT_NETWORK;
}

verified_alone int context__read_headers(__u32 level, __u32 network_at)
{
	struct scratch *scratch = scratch__at(level);
	struct wire_context *context;
	struct packet_view *view;
	__u8 version;

	if (!scratch)
		return 0;
	context = &scratch->context;
	view = &scratch->view;
	if (view->flags & PACKET_VIEW_LINK_KNOWN) {
		__builtin_memcpy(context->destination_mac, view->bytes, 6);
		__builtin_memcpy(context->source_mac, view->bytes + 6, 6);
		context->flags |= WIRE_CONTEXT_LINK_HEADER;
	}
	if (!view__has(view, network_at, 1))
		return 0;
	version = view->bytes[network_at & 0xff] >> 4;
	if (context->ethertype == ETHERTYPE_IPV4 && version == 4) {
		context->ip_version = 4;
		context__read_ipv4(context, view, level, network_at);
	} else if (context->ethertype == ETHERTYPE_IPV6 && version == 6) {
		context->ip_version = 6;
		context__read_ipv6(context, view, level, network_at);
	} else if (context->ethertype == ETHERTYPE_ARP) {
		context__read_arp(context, view, network_at);
	}
	return 0;
}

static __always_inline bool is_kernel_address(__u64 address)
{
	return (__s64)address < 0;
}

/* Where a packet is. Unknown stays NULL: in receive queues skb->dev holds something else (udp_set_dev_scratch). */
struct place {
	struct net *net;
	struct net_device *device;
	__u32 interface_index; /* 0: none, or not known */
};

static __always_inline struct place place__read(const struct sk_buff *skb)
{
	struct net_device *device = skb->dev;
	struct place place = {};
	bool is_of_route = false;

	if (!is_kernel_address((__u64)device)) {
		struct dst_entry *route = (void *)(skb->_skb_refdst & ~1ul);

		device = NULL;
		if (is_kernel_address((__u64)route))
			bpf_core_read(&device, sizeof(device), &route->dev);
		is_of_route = true;
	}
	if (is_kernel_address((__u64)device)) {
		place.device = device;
		bpf_core_read(&place.interface_index, sizeof(__u32), &device->ifindex);
		bpf_core_read(&place.net, sizeof(place.net), &device->nd_net.net);
		/* the route of every packet that is delivered here names lo, wherever the packet came from */
		if (is_of_route && place.interface_index == LOOPBACK_INTERFACE_INDEX)
			place.interface_index = 0;
	} else if (is_kernel_address((__u64)skb->sk)) {
		bpf_core_read(&place.net, sizeof(place.net), &skb->sk->__sk_common.skc_net.net);
	}
	return place;
}

static __always_inline void context__read_place(struct scratch *scratch, const struct sk_buff *skb)
{
	struct wire_context *context = &scratch->context;
	struct place place = place__read(skb);
	struct net_device *device = place.device;
	struct net *net = place.net;

	context->interface_index = place.interface_index;
	if (place.interface_index)
		bpf_core_read(context->interface_name, sizeof(context->interface_name), &device->name);
	if (!net)
		return;
	bpf_core_read(&context->netns_inode, sizeof(__u32), &net->ns.inum);
	context->netns_cookie = net__cookie(net);
}

static __always_inline bool skb__has_vlan_tag(const struct sk_buff *skb)
{
	const struct sk_buff___vlan_present *older = (const void *)skb;

	if (bpf_core_field_exists(older->vlan_present))
		return BPF_CORE_READ_BITFIELD(older, vlan_present);
	return skb->vlan_proto || skb->vlan_tci;
}

/* Where the network header and the link header are depends on the place; see PROBE_RECEIVE and PROBE_TRANSMIT. */
static __always_inline void skb__locate_headers(struct scratch *scratch, __u64 cookie)
{
	const struct sk_buff *skb = (void *)scratch->sk_buff;
	__u64 head = (__u64)skb->head, data = (__u64)skb->data;
	__u64 network = cookie & PROBE_RECEIVE ? data : head + skb->network_header;

	scratch->network_address = network;
	scratch->link_address = 0;
	if (cookie & PROBE_TRANSMIT) {
		if (network == data + ETHERNET_HEADER_BYTES)
			scratch->link_address = data;
	} else if (skb->mac_header != MAC_HEADER_UNSET && head + skb->mac_header + ETHERNET_HEADER_BYTES == network) {
		scratch->link_address = head + skb->mac_header;
	}
}

/* Copies the sk_buff into the scratch memory and finds its headers. */
static __always_inline bool packet__read(struct scratch *scratch, __u64 address, __u64 cookie)
{
	if (bpf_probe_read_kernel(scratch->sk_buff, bpf_core_type_size(struct sk_buff), (void *)address))
		return false;
	skb__locate_headers(scratch, cookie);
	return true;
}

/* Of what packet__read read. False where there are no headers to compare. */
static __always_inline bool packet__glance(struct scratch *scratch)
{
	const struct sk_buff *skb = (void *)scratch->sk_buff;
	struct glance *glance = &scratch->glance;
	__u64 at = scratch->network_address;

	if (at < (__u64)skb->head || bpf_probe_read_kernel(glance->headers, sizeof(glance->headers), (void *)at))
		return false;
	glance->place = is_kernel_address((__u64)skb->dev) ? (__u64)skb->dev : skb->_skb_refdst;
	glance->length = skb->len + (__u32)((__u64)skb->data - at);
	glance->mark = skb->mark;
	glance->protocol = skb->protocol;
	glance->vlan_proto = skb__has_vlan_tag(skb) ? skb->vlan_proto ?: 1 : 0;
	glance->vlan_tci = skb->vlan_tci;
	return true;
}

static __always_inline bool glance__is_same(const struct glance *left, const struct glance *right)
{
	const __u64 *a = (const __u64 *)left, *b = (const __u64 *)right;
	__u64 difference = 0;

#pragma unroll
	for (int word = 0; word < (int)GLANCE_WORDS; word++)
		difference |= a[word] ^ b[word];
	return !difference;
}

/* An sk_buff that never was on a network: a message of a Unix, netlink or vsock socket. Such have a socket and no device. */
static __always_inline bool skb__is_message(const struct sk_buff *skb)
{
	unsigned short family = 0;

	if (is_kernel_address((__u64)skb->dev) || is_kernel_address(skb->_skb_refdst & ~1ul))
		return false;
	if (!is_kernel_address((__u64)skb->sk))
		return true;
	bpf_core_read(&family, sizeof(family), &skb->sk->__sk_common.skc_family);
	return family != SKBSPAN_AF_INET && family != SKBSPAN_AF_INET6 && family != SKBSPAN_AF_PACKET;
}

/* The link header of the view, with the VLAN tag that the device took out. */
static __always_inline void view__fill_link(struct scratch *scratch, const struct sk_buff *skb)
{
	struct packet_view *view = &scratch->view;

	view->flags = 0;
	if (scratch->link_address && !bpf_probe_read_kernel(view->bytes, 12, (void *)scratch->link_address))
		view->flags = PACKET_VIEW_LINK_KNOWN;
	else
		__builtin_memset(view->bytes, 0, 12);
	scratch->vlan = 0;
	scratch->network_at = ETHERNET_HEADER_BYTES;
	if (skb__has_vlan_tag(skb)) {
		*(__u16 *)(view->bytes + 12) = skb->vlan_proto ?: bpf_htons(ETHERTYPE_VLAN);
		*(__u16 *)(view->bytes + 14) = bpf_htons(skb->vlan_tci);
		scratch->vlan = skb->vlan_tci;
		scratch->network_at += VLAN_TAG_BYTES;
	}
}

static __always_inline bool view__fill(struct scratch *scratch, const struct sk_buff *skb)
{
	struct packet_view *view = &scratch->view;
	__u64 data = (__u64)skb->data, tail = data + skb->len - skb->data_len, network = scratch->network_address;
	__u16 ethertype = skb->protocol;
	__u32 network_at, bytes;

	if (network < (__u64)skb->head || network >= tail)
		return false;
	view__fill_link(scratch, skb);
	network_at = skb__has_vlan_tag(skb) ? ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES : ETHERNET_HEADER_BYTES;
	bytes = tail - network;
	view->buffer_bytes = network_at + bytes;
	view->wire_bytes = network_at + skb->len + (__u32)(data - network);
	if (bytes > PACKET_VIEW_WINDOW - ETHERNET_HEADER_BYTES - VLAN_TAG_BYTES)
		bytes = PACKET_VIEW_WINDOW - ETHERNET_HEADER_BYTES - VLAN_TAG_BYTES;
	if (bpf_probe_read_kernel(view->bytes + network_at, bytes, (void *)network))
		return false;
	view->window_bytes = network_at + bytes;
	view->far_base = network - network_at;
	if (!ethertype) { /* local output: set only in __ip_local_out */
		__u8 version = view->bytes[network_at] >> 4;

		ethertype = version == 4 ? bpf_htons(ETHERTYPE_IPV4) : version == 6 ? bpf_htons(ETHERTYPE_IPV6) : 0;
	}
	*(__u16 *)(view->bytes + network_at - 2) = ethertype;
	scratch->ethertype = bpf_ntohs(ethertype);
	return true;
}

enum look {
	LOOK_UNREADABLE,
	LOOK_NOT_A_PACKET,
	LOOK_ELSEWHERE, /* see packet__is_elsewhere */
	LOOK_READ,
};

/* Fills the view from what packet__read read: all that a filter asks for. Returns an enum look. */
verified_alone int packet__view(__u32 level)
{
	struct scratch *scratch = scratch__at(level);
	struct sk_buff *skb;

	if (!scratch)
		return LOOK_UNREADABLE;
	skb = (void *)scratch->sk_buff;
	if (skb__is_message(skb))
		return LOOK_NOT_A_PACKET;
	return view__fill(scratch, skb) ? LOOK_READ : LOOK_UNREADABLE;
}

/* Fills the context from what packet__view has looked at. Without the place where the caller knows it already. */
verified_alone int packet__describe(__u32 level, __u64 cookie, __u32 knows_place)
{
	struct scratch *scratch = scratch__at(level);
	struct skb_shared_info *shared_info;
	struct wire_context *context;
	struct sk_buff *skb;

	if (!scratch)
		return 0;
	skb = (void *)scratch->sk_buff;
	context = &scratch->context;
	__builtin_memset(context, 0, sizeof(*context));
	context->observed_monotonic_ns = bpf_ktime_get_ns();
	context->probe = WIRE_UNIT_CONTEXT;
	context->cpu = bpf_get_smp_processor_id();
	context->at_probe = cookie & PROBE_INDEX_MASK;
	context->mark = skb->mark;
	context->vlan = scratch->vlan;
	context->ethertype = scratch->ethertype;
	context->length = scratch->view.wire_bytes - scratch->network_at;
	if (!knows_place)
		context__read_place(scratch, skb);
	context__read_headers(level, scratch->network_at);
	shared_info = (void *)(skb->head + skb->end);
	bpf_core_read(&context->gso_bytes, sizeof(__u16), &shared_info->gso_size);
	bpf_core_read(&context->gso_segments, sizeof(__u16), &shared_info->gso_segs);
	return 0;
}

#endif
