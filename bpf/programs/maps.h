/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#ifndef SKBSPAN_MAPS_H
#define SKBSPAN_MAPS_H

#include "cpu_state.h"
#include "flows.h"

/* Sizes of the next three are set by user space. User space maps `tags` and `slots` into its memory to find what never ended. */
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
