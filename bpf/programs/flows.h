/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What the tracer's own object and that of the requests tell each other about TCP connections. Made by the tracer's own object.
 */
#ifndef SKBSPAN_FLOWS_H
#define SKBSPAN_FLOWS_H

#include "cpu_state.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct told_key);
	__type(value, struct request_trace);
} told SEC(".maps");

struct requests_state {
	__u64 heard; /* what applications told: nobody looks for it before there is any */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct requests_state);
} requests_state SEC(".maps");

/* ---- connections that carry a sampled request (--sampled-only) ---------------------------------------------------- */

/* Direct-mapped, by a hash of both ends in either order. A collision traces a packet too much, which is left out later. */
#define SAMPLED_FLOWS 65536

struct sampled_flow {
	__u64 tag; /* 0: free */
	__u64 until_monotonic_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SAMPLED_FLOWS);
	__type(key, __u32);
	__type(value, struct sampled_flow);
} sampled_flows SEC(".maps");

/* Odd numbers with well mixed bits, after splitmix64's constants. */
#define MIX_A 0xbf58476d1ce4e5b9ull
#define MIX_B 0x94d049bb133111ebull

static __always_inline __u64 words__mix(__u64 first, __u64 second, __u64 port)
{
	__u64 mixed = (first ^ (second + port) * MIX_B) * MIX_A;

	mixed = (mixed ^ mixed >> 31) * MIX_B;
	return mixed ^ mixed >> 29;
}

static __always_inline __u64 endpoint__hash(const struct endpoint *endpoint)
{
	const __u64 *words = (const __u64 *)endpoint->address;

	return words__mix(words[0], words[1], endpoint->port);
}

static __always_inline struct sampled_flow *sampled_flow__at(__u64 tag)
{
	__u32 place = tag >> 48;

	return bpf_map_lookup_elem(&sampled_flows, &place);
}

static __always_inline __u64 flow__tag(__u64 one_end, __u64 other_end)
{
	return (one_end + other_end) | 1;
}

static __always_inline void flow__mark_sampled(__u64 tag, __u64 until_ns)
{
	struct sampled_flow *flow = sampled_flow__at(tag);

	if (!flow)
		return;
	flow->tag = tag;
	flow->until_monotonic_ns = until_ns;
}

static __always_inline void flow__forget_sampled(__u64 tag)
{
	struct sampled_flow *flow = sampled_flow__at(tag);

	if (flow && flow->tag == tag)
		flow->tag = 0;
}

static __always_inline bool flow__is_sampled(__u64 tag)
{
	struct sampled_flow *flow = sampled_flow__at(tag);

	return flow && flow->tag == tag && flow->until_monotonic_ns > bpf_ktime_get_ns();
}

/* ---- telling user space --------------------------------------------------------------------------------------------- */

static __always_inline void request__write(struct wire_request *frame, const struct request_trace *trace,
					   const struct endpoint *from, const struct endpoint *to)
{
	frame->reserved = 0;
	frame->length = 0;
	frame->reserved1 = 0;
	frame->observed_monotonic_ns = bpf_ktime_get_ns();
	frame->stream = trace->stream;
	__builtin_memcpy(frame->source, from->address, 16);
	__builtin_memcpy(frame->destination, to->address, 16);
	frame->source_port = from->port;
	frame->destination_port = to->port;
	frame->ip_version = from->ip_version;
	frame->request_source = trace->source;
	frame->trace_flags = trace->flags;
	__builtin_memcpy(frame->trace_id, trace->trace_id, 16);
	__builtin_memcpy(frame->span_id, trace->span_id, 8);
}

static __always_inline struct wire_request *request__reserve(void)
{
	struct wire_request *frame = bpf_ringbuf_reserve(&ring, sizeof(*frame), 0);

	if (!frame)
		stat__add(WIRE_STAT_LOST_REQUESTS, 1);
	return frame;
}

#endif
