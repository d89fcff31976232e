/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What every object of the tracer uses: counters and working memory of each CPU, and the ring buffer to user space. Made by the
 * tracer's own object; the others are given the same maps. */
#ifndef SKBSPAN_CPU_STATE_H
#define SKBSPAN_CPU_STATE_H

#include "kernel.h"
#include "shared.h"

/* ---- connections -------------------------------------------------------------------------------------------------------- */

/* A W3C trace context, and where it comes from. */
struct request_trace {
	__u8 trace_id[16];
	__u8 span_id[8];
	__u8 flags;
	__u8 source;    /* enum wire_request_source; NONE: no trace context */
	__u8 is_answer; /* told by the end that was connected to */
	__u8 reserved;
	__u32 stream; /* of HTTP/2, 0: none */
} __attribute__((aligned(8)));

#define TRACE_FLAG_SAMPLED 1
#define SOURCE_PENDING 0xff /* no source: nobody knows yet */

/* An end of a TCP connection as it is on the wire. */
struct endpoint {
	__u8 address[16]; /* an IPv4 address in the first 4 bytes */
	__u32 port;
	__u32 ip_version;
};

/* What an application told of the next bytes that it writes (skbspan/register), until it writes them. */
struct told_key {
	__u64 netns_cookie;
	struct endpoint remote;
	__u64 local_port;
};

/* What an application tells, as it stands in a datagram: numbers are big endian. */
struct told_datagram {
	__u64 magic;
	__u8 trace_id[16];
	__u8 span_id[8];
	__u8 trace_flags;
	__u8 kind; /* TOLD_* */
	__u8 ip_version;
	__u8 is_accepted; /* the connection was made by the other end */
	__u16 local_port;
	__u16 remote_port;
	__u8 local[16];
	__u8 remote[16];
};

_Static_assert(sizeof(struct told_datagram) == 72, "as exporter/register writes it");

/* Working memory for what a packet carries or tells. */
struct carried {
	struct endpoint from;
	struct endpoint to;
	struct request_trace trace;
	struct told_key key;
	struct told_datagram datagram;
};

/* ---- of each CPU ---------------------------------------------------------------------------------------------------------- */

/* Working memory of one program run: too large for the 512-byte stack. */
struct scratch {
	__u32 busy;
	__u32 reserved;
	__u8 sk_buff[256];
	struct packet_view view;
	struct wire_context context;
	__u64 frames[STACK_FRAMES];
	struct glance glance;
	struct carried carried;
	__u64 network_address;
	__u64 link_address; /* 0: unknown */
	__u32 network_at;   /* in the view */
	__u16 ethertype;
	__u16 vlan;
};

#define SCRATCH_LEVELS 4 /* a program can interrupt another: process, softirq, hardirq, NMI */

#define CPU_STATS 32 /* a power of two: an index is bounded by a mask */
_Static_assert(WIRE_STAT_COUNT <= CPU_STATS, "every counter has a place");

struct cpu_state {
	__u64 stats[CPU_STATS];
	__u64 prologue_sequence;
	struct scratch scratch[SCRATCH_LEVELS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_state);
} cpu_states SEC(".maps");

/* Its size is set by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

static __always_inline struct cpu_state *cpu_state__get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&cpu_states, &zero);
}

static __always_inline void stat__add(__u32 stat, __u64 count)
{
	struct cpu_state *cpu = cpu_state__get();

	if (cpu)
		cpu->stats[stat & (CPU_STATS - 1)] += count;
}

/*
 * Functions marked so are verified once a program and not at every call, with arguments that are only numbers: what
 * follows a call is then not verified again for every way through the function.
 */
#define verified_alone __attribute__((noinline))

static __always_inline struct scratch *scratch__at(__u64 level)
{
	struct cpu_state *cpu = cpu_state__get();

	keep_check(level);
	if (!cpu || level >= SCRATCH_LEVELS)
		return NULL;
	return &cpu->scratch[level];
}

/* Claims working memory; returns its level, or -1. Not a plain depth counter: on kernels where tracepoints can be preempted,
 * users do not leave in the reverse order of their coming. */
verified_alone int scratch__claim(void)
{
	struct cpu_state *cpu = cpu_state__get();

	if (!cpu)
		return -1;
#pragma unroll
	for (int level = 0; level < SCRATCH_LEVELS; level++)
		if (!cpu->scratch[level].busy && !__sync_val_compare_and_swap(&cpu->scratch[level].busy, 0, 1))
			return level;
	return -1;
}

static __always_inline void scratch__release(struct scratch *scratch)
{
	scratch->busy = 0;
}

#endif
