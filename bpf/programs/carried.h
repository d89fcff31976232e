/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Trace context that packets themselves carry: a TCP option, and the datagrams by which an application tells of its connections.
 * And whether a packet belongs to a connection with a sampled request.
 */
#ifndef SKBSPAN_CARRIED_H
#define SKBSPAN_CARRIED_H

#include "flows.h"
#include "packet.h"

#define TCP_HEADER_BYTES 20
#define IPV6_HEADER_BYTES 40
#define UDP_HEADER_BYTES 8

/* Where the transport header is in the view; 0: not `protocol`, or not where it usually is (IPv6 extension headers). */
static __always_inline __u32 view__transport(const struct scratch *scratch, __u8 protocol)
{
	const struct packet_view *view = &scratch->view;
	__u32 at = scratch->network_at;

	keep_check(at);
	if (at > ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES)
		return 0;
	if (scratch->ethertype == ETHERTYPE_IPV4)
		return view->bytes[at + 9] == protocol && !(view__load16(view, at + 6) & 0x1fff) ?
			       at + (view->bytes[at] & 0xf) * 4 :
			       0;
	if (scratch->ethertype == ETHERTYPE_IPV6)
		return view->bytes[at + 6] == protocol ? at + IPV6_HEADER_BYTES : 0;
	return 0;
}

static __always_inline __u32 view__tcp_header_bytes(const struct packet_view *view, __u32 transport_at)
{
	return (view->bytes[(transport_at + 12) & 0xff] >> 4) * 4;
}

/* The ends of a packet whose transport header, with ports first, is at `transport_at`. */
static __always_inline void packet__read_ends(struct scratch *scratch, __u32 transport_at)
{
	struct endpoint *from = &scratch->carried.from, *to = &scratch->carried.to;
	const struct packet_view *view = &scratch->view;
	__u32 at = scratch->network_at;

	__builtin_memset(from, 0, sizeof(*from));
	__builtin_memset(to, 0, sizeof(*to));
	keep_check(at);
	if (at > ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES)
		return;
	if (scratch->ethertype == ETHERTYPE_IPV4) {
		from->ip_version = to->ip_version = 4;
		__builtin_memcpy(from->address, view->bytes + at + 12, 4);
		__builtin_memcpy(to->address, view->bytes + at + 16, 4);
	} else {
		from->ip_version = to->ip_version = 6;
		__builtin_memcpy(from->address, view->bytes + at + 8, 16);
		__builtin_memcpy(to->address, view->bytes + at + 24, 16);
	}
	from->port = view__load16(view, transport_at);
	to->port = view__load16(view, transport_at + 2);
}

/* ---- TCP option 25 --------------------------------------------------------------------------------------------------- */

/* { kind 25, length 26, trace id, span id }: OpenTelemetry's eBPF instrumentation (bpf/tpinjector there) adds it. It has no
 * flags: what carries it is sampled. */
#define TCP_OPTION_TRACE 25
#define TCP_OPTION_TRACE_BYTES 26
#define TCP_OPTION_END 0
#define TCP_OPTION_NOTHING 1
#define TCP_OPTIONS 12 /* looked at most: the option is one of the last, behind time stamps and padding */

/* The place of the option in the view, 0: none. */
static __always_inline __u32 view__find_option(const struct packet_view *view, __u32 transport_at)
{
	__u32 end = transport_at + view__tcp_header_bytes(view, transport_at), at = transport_at + TCP_HEADER_BYTES;

	for (int option = 0; option < TCP_OPTIONS; option++) {
		__u8 kind, bytes;

		if (at + 1 >= end || at + 1 >= view->window_bytes)
			return 0;
		kind = view->bytes[at & 0xff];
		bytes = view->bytes[(at + 1) & 0xff];
		if (kind == TCP_OPTION_END)
			return 0;
		if (kind == TCP_OPTION_TRACE)
			return bytes == TCP_OPTION_TRACE_BYTES && at + bytes <= end &&
					       at + bytes <= view->window_bytes ?
				       at :
				       0;
		if (kind == TCP_OPTION_NOTHING)
			at++;
		else if (bytes < 2)
			return 0;
		else
			at += bytes;
	}
	return 0;
}

static __always_inline void request__place(struct wire_request *frame, const struct scratch *scratch)
{
	struct net *net = place__read((void *)scratch->sk_buff).net;

	frame->netns_cookie = 0;
	frame->netns_inode = 0;
	if (!net)
		return;
	frame->netns_cookie = net__cookie(net);
	bpf_core_read(&frame->netns_inode, sizeof(__u32), &net->ns.inum);
}

static __always_inline bool trace__is_valid(const struct request_trace *trace)
{
	const __u64 *words = (const __u64 *)trace;

	return (words[0] | words[1]) && words[2];
}

static __always_inline __u64 carried__tag(const struct carried *carried)
{
	return flow__tag(endpoint__hash(&carried->from), endpoint__hash(&carried->to));
}

static __always_inline void carried__mark_sampled(const struct carried *carried)
{
	flow__mark_sampled(carried__tag(carried), bpf_ktime_get_ns() + settings.sampled_for_ns);
}

/* Tells the trace context of the option, if there is one. */
verified_alone int packet__tell_option(__u32 level, __u32 transport_at)
{
	struct scratch *scratch = scratch__at(level);
	struct request_trace *trace;
	struct wire_request *frame;
	__u32 at;

	if (!scratch)
		return 0;
	trace = &scratch->carried.trace;
	at = view__find_option(&scratch->view, transport_at);
	if (!at)
		return 0;
	keep_check(at);
	if (at > PACKET_VIEW_WINDOW - TCP_OPTION_TRACE_BYTES)
		return 0;
	__builtin_memcpy(trace->trace_id, scratch->view.bytes + at + 2, 16);
	__builtin_memcpy(trace->span_id, scratch->view.bytes + at + 18, 8);
	if (!trace__is_valid(trace))
		return 0;
	trace->flags = TRACE_FLAG_SAMPLED;
	trace->source = WIRE_REQUEST_SOURCE_TCP_OPTION;
	trace->is_answer = 0;
	trace->stream = 0;
	packet__read_ends(scratch, transport_at);
	frame = request__reserve();
	if (!frame)
		return 0;
	request__write(frame, trace, &scratch->carried.from, &scratch->carried.to);
	request__place(frame, scratch);
	frame->process_id = 0;
	frame->sequence = view__load32(&scratch->view, transport_at + 4);
	frame->length = scratch->view.wire_bytes - transport_at - view__tcp_header_bytes(&scratch->view, transport_at);
	frame->flags = 0;
	bpf_ringbuf_submit(frame, BPF_RB_NO_WAKEUP);
	if (settings.sampled_only)
		carried__mark_sampled(&scratch->carried);
	return 1;
}

/* Headers without room for the option, most of them, are not looked at. */
static __always_inline bool packet__has_option(const struct scratch *scratch, __u32 level, __u32 transport_at)
{
	if (!settings.reads_tcp_option || !transport_at)
		return false;
	if (view__tcp_header_bytes(&scratch->view, transport_at) < TCP_HEADER_BYTES + TCP_OPTION_TRACE_BYTES)
		return false;
	return packet__tell_option(level, transport_at);
}

/* ---- sampled connections ---------------------------------------------------------------------------------------------- */

verified_alone int packet__is_sampled(__u32 level, __u32 transport_at)
{
	struct scratch *scratch = scratch__at(level);

	if (!scratch)
		return 0;
	packet__read_ends(scratch, transport_at);
	return flow__is_sampled(carried__tag(&scratch->carried));
}

/* A packet that is followed has other addresses from here on: what answers it will have them too. */
static __always_inline void context__follow_sampled(struct scratch *scratch)
{
	const struct wire_context *context = &scratch->context;
	struct carried *carried = &scratch->carried;

	if (context->transport != PROTOCOL_TCP)
		return;
	carried->from.port = context->source_port;
	carried->to.port = context->destination_port;
	__builtin_memcpy(carried->from.address, context->source, 16);
	__builtin_memcpy(carried->to.address, context->destination, 16);
	carried__mark_sampled(carried);
}

/* ---- what applications tell (exporter/register) ----------------------------------------------------------------------- */

#define TOLD_PORT 9                      /* discard: where no agent looks, nobody listens */
#define TOLD_MAGIC 0x314e415053424b53ull /* "SKBSPAN1" */
#define TOLD_OPENING 1
#define TOLD_WRITING 2

static __always_inline void opening__tell(const struct scratch *scratch, const struct endpoint *from,
					  const struct endpoint *to, __u8 flags)
{
	struct wire_request *frame = request__reserve();

	if (!frame)
		return;
	request__write(frame, &scratch->carried.trace, from, to);
	request__place(frame, scratch);
	frame->process_id = bpf_get_current_pid_tgid() >> 32;
	frame->sequence = 0;
	frame->flags = WIRE_REQUEST_OPENING | flags;
	bpf_ringbuf_submit(frame, BPF_RB_NO_WAKEUP);
}

static __always_inline void writing__remember(struct scratch *scratch)
{
	struct net *net = place__read((void *)scratch->sk_buff).net;
	struct carried *carried = &scratch->carried;
	struct requests_state *state;
	__u32 zero = 0;

	if (!net)
		return;
	carried->key.netns_cookie = net__cookie(net);
	carried->key.local_port = carried->from.port;
	carried->key.remote = carried->to;
	bpf_map_update_elem(&told, &carried->key, &carried->trace, BPF_ANY);
	state = bpf_map_lookup_elem(&requests_state, &zero);
	if (state)
		state->heard = 1;
}

/* `from` is the application's end. False: what it says makes no sense. */
static __always_inline bool carried__read_datagram(struct carried *carried)
{
	const struct told_datagram *datagram = &carried->datagram;
	struct request_trace *trace = &carried->trace;

	__builtin_memcpy(trace->trace_id, datagram->trace_id, 16);
	__builtin_memcpy(trace->span_id, datagram->span_id, 8);
	trace->flags = datagram->trace_flags;
	trace->source = WIRE_REQUEST_SOURCE_HELPER;
	trace->is_answer = datagram->is_accepted;
	trace->stream = 0;
	carried->from.ip_version = carried->to.ip_version = datagram->ip_version;
	carried->from.port = bpf_ntohs(datagram->local_port);
	carried->to.port = bpf_ntohs(datagram->remote_port);
	__builtin_memcpy(carried->from.address, datagram->local, 16);
	__builtin_memcpy(carried->to.address, datagram->remote, 16);
	return trace__is_valid(trace) && (datagram->ip_version == 4 || datagram->ip_version == 6);
}

/* A datagram of this kind is no packet that anybody wants to see. 0: it is none. */
verified_alone int packet__hear(__u32 level, __u32 transport_at)
{
	struct scratch *scratch = scratch__at(level);
	struct carried *carried;
	__u32 at = transport_at + UDP_HEADER_BYTES;

	keep_check(at);
	if (!scratch || at > PACKET_VIEW_WINDOW - sizeof(carried->datagram) ||
	    !view__has(&scratch->view, at, sizeof(carried->datagram)))
		return 0;
	carried = &scratch->carried;
	__builtin_memcpy(&carried->datagram, scratch->view.bytes + at, sizeof(carried->datagram));
	if (carried->datagram.magic != TOLD_MAGIC)
		return 0;
	if (!carried__read_datagram(carried))
		return 1;
	if (carried->datagram.kind == TOLD_OPENING) {
		opening__tell(scratch, &carried->from, &carried->to, 0);
		opening__tell(scratch, &carried->to, &carried->from, WIRE_REQUEST_RESPONSE);
		if (settings.sampled_only && carried->trace.flags & TRACE_FLAG_SAMPLED)
			carried__mark_sampled(carried);
	} else if (carried->datagram.kind == TOLD_WRITING) {
		writing__remember(scratch);
	}
	return 1;
}

/* Asked of every packet at first sight: a few compares for most. */
static __always_inline bool packet__is_told(const struct scratch *scratch, __u32 level)
{
	const struct sk_buff *skb = (void *)scratch->sk_buff;
	__u32 transport_at;

	if (!settings.hears_applications)
		return false;
	if (!is_kernel_address((__u64)skb->sk))
		return false; /* once, where it is sent: on its way back it belongs to no socket */
	transport_at = view__transport(scratch, PROTOCOL_UDP);
	if (!transport_at || view__load16(&scratch->view, transport_at + 2) != TOLD_PORT)
		return false;
	return packet__hear(level, transport_at);
}

/* Tells the trace context that the packet carries itself. False: --sampled-only leaves the packet out. */
static __always_inline bool packet__is_of_request(const struct scratch *scratch, __u32 level)
{
	__u32 transport_at;

	if (!settings.sampled_only && !settings.reads_tcp_option)
		return true;
	transport_at = view__transport(scratch, PROTOCOL_TCP);
	if (packet__has_option(scratch, level, transport_at) || !settings.sampled_only)
		return true;
	return transport_at && packet__is_sampled(level, transport_at);
}

#endif
