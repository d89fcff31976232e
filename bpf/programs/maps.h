/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#ifndef SKBSPAN_MAPS_H
#define SKBSPAN_MAPS_H

#include "kernel.h"
#include "shared.h"

/* Working memory of one program run: too large for the 512-byte stack. */
struct scratch {
	__u32 busy;
	__u32 reserved;
	__u8 sk_buff[256];
	struct packet_view view;
	struct wire_context context;
	__u64 frames[STACK_FRAMES];
	struct glance glance;
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

/* Sizes of the next four are set by user space. User space maps `tags` and `slots` into its memory to find what never ended. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tag_set);
} tags SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, SLOT_BYTES);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROLOGUE_RING);
	__type(key, __u32);
	__type(value, struct prologue_entry);
} prologues SEC(".maps");

/* Open hops, for backends whose return program is another program (kprobe.multi, kprobe). No two calls of a function under
 * way have the same stack pointer; two functions have, when one calls the other as the last thing it does. */
struct open_hop_key {
	__u64 stack_pointer; /* at the function's entry */
	__u64 probe;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct open_hop_key);
	__type(value, __u64);
} open_hops SEC(".maps");

/* By cookie: in which namespaces packets are looked at, when not in all. User space follows the pods with it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MOST_CHOSEN_NAMESPACES);
	__type(key, __u64);
	__type(value, __u8);
} chosen_namespaces SEC(".maps");

const volatile struct settings settings;

const volatile struct probe_table probe_table SEC(".rodata.probe_table");

struct shared_state shared SEC(".data.shared");

/* Packets that did not match, by a hash of their address: they are not looked at again until they end or change.
 * An entry is only ever right or absent, since every end clears it, so a wrong answer needs an unseen end. Where ends may be
 * unseen, the entry carries REJECTED_UNTIL_NEXT_SIGHT: the next packet at this address passes a sight that looks, and only the
 * sights that follow it believe the entry. */
#define REJECTED_UNTIL_NEXT_SIGHT 1ull
#define REJECTED_ENTRIES 16384
__u64 rejected[REJECTED_ENTRIES] SEC(".bss.rejected");

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

static __always_inline __u64 *rejected__entry(__u64 skb)
{
	return &rejected[((__u32)(skb >> 6) * 2654435761u >> 16) & (REJECTED_ENTRIES - 1)];
}

static __always_inline bool packet__is_rejected(__u64 skb)
{
	return *rejected__entry(skb) == skb;
}

/* At a sight with PROBE_FOLLOWS. */
static __always_inline bool packet__was_just_rejected(__u64 skb)
{
	return *rejected__entry(skb) == (skb | REJECTED_UNTIL_NEXT_SIGHT);
}

static __always_inline void packet__forget_rejection(__u64 skb)
{
	__u64 *entry = rejected__entry(skb);

	if ((*entry & ~REJECTED_UNTIL_NEXT_SIGHT) == skb)
		*entry = 0;
}

#endif
