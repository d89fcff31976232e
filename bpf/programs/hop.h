/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Hops: one unit at the function's entry, completed at its return. */
#ifndef SKBSPAN_HOP_H
#define SKBSPAN_HOP_H

#include "journey.h"

/* Writes a hop that begins into its unit. The caller's reference becomes the hop's, which hop__leave gives back. Returns the
 * cookie by which the return finds it, 0 when nothing was written and the reference is gone. */
static __always_inline __u64 hop__write(struct slot *slot, __u32 number, __u32 unit, __u64 probe_cookie)
{
	struct wire_hop *hop = slot__unit(slot, unit, 1);

	if (!hop) {
		slot__release(number);
		return 0;
	}
	hop->enter_monotonic_ns = bpf_ktime_get_ns();
	hop->leave_monotonic_ns = 0;
	hop->return_value = 0;
	hop->probe = probe_cookie & PROBE_INDEX_MASK;
	hop->cpu = bpf_get_smp_processor_id();
	slot->last_seen_monotonic_ns = hop->enter_monotonic_ns;
	return (__u64)number << HOP_COOKIE_SLOT_SHIFT | (__u64)unit << HOP_COOKIE_UNIT_SHIFT | slot->generation;
}

/* A hop of a packet that may have ended meanwhile: nobody holds its slot. */
static __always_inline __u64 hop__enter(struct slot *slot, __u32 number, __u64 skb, __u64 probe_cookie)
{
	int unit = slot__reserve(slot, number, skb, 1);

	return unit < 0 ? 0 : hop__write(slot, number, unit, probe_cookie);
}

/* A hop of a slot that the caller holds; gives the caller's reference away in any case. */
static __always_inline __u64 hop__enter_held(struct slot *slot, __u32 number, __u64 probe_cookie)
{
	__u32 unit = __sync_fetch_and_add(&slot->usage, USAGE_UNIT) >> 32;

	if (unit < SLOT_UNITS)
		return hop__write(slot, number, unit, probe_cookie);
	slot__refuse(slot, number, 1);
	return 0;
}

static __always_inline void hop__complete(__u32 number, __u32 unit, __u32 generation, __s32 return_value)
{
	struct slot *slot = slot__at(number);
	struct wire_hop *hop;

	if (!slot || slot->generation != generation)
		return; /* the journey expired meanwhile */
	hop = slot__unit(slot, unit, 1);
	if (hop) {
		hop->return_value = return_value;
		hop->leave_monotonic_ns = bpf_ktime_get_ns();
	}
	slot__release(number);
}

/* A function that is entered before the packet has headers: remembered aside, adopted by the journey that begins inside it. */
static __always_inline __u64 prologue__enter(__u64 skb, __u64 probe_cookie)
{
	struct cpu_state *state = cpu_state__get();
	__u16 cpu = bpf_get_smp_processor_id();
	struct prologue_entry *entry;
	__u32 sequence, key;

	if (!state)
		return 0;
	/* atomic, since an interrupt can send a packet too */
	sequence = __sync_fetch_and_add(&state->prologue_sequence, 1);
	key = cpu * PROLOGUE_RING + sequence % PROLOGUE_RING;
	entry = bpf_map_lookup_elem(&prologues, &key);
	if (!entry)
		return 0;
	entry->skb = 0;
	entry->enter_monotonic_ns = bpf_ktime_get_ns();
	entry->thread = bpf_get_current_task();
	entry->sequence = sequence;
	entry->probe = probe_cookie & PROBE_INDEX_MASK;
	entry->cpu = cpu;
	entry->unit_plus_one = 0;
	entry->skb = skb;
	return HOP_COOKIE_PROLOGUE | (__u64)key << HOP_COOKIE_UNIT_SHIFT | sequence;
}

static __always_inline void prologue__leave(__u64 hop_cookie, __s32 return_value)
{
	__u32 key = hop_cookie >> HOP_COOKIE_UNIT_SHIFT & 0x7fffffff;
	struct prologue_entry *entry = bpf_map_lookup_elem(&prologues, &key);

	if (!entry || entry->sequence != (__u32)hop_cookie)
		return;
	entry->skb = 0;
	if (entry->unit_plus_one)
		hop__complete(entry->slot, entry->unit_plus_one - 1, entry->generation, return_value);
}

static __always_inline void hop__leave(__u64 hop_cookie, __s32 return_value)
{
	if (hop_cookie & HOP_COOKIE_PROLOGUE)
		prologue__leave(hop_cookie, return_value);
	else
		hop__complete(hop_cookie >> HOP_COOKIE_SLOT_SHIFT, hop_cookie >> HOP_COOKIE_UNIT_SHIFT & 0xffff,
			      hop_cookie, return_value);
}

/* Makes the functions that this packet is in already the first hops of its journey. TCP sends the fast clone, which lies behind
 * the original in memory, so a function that holds the original holds this packet too. */
static __always_inline void journey__adopt_prologue(struct slot *slot, __u32 number, __u64 skb)
{
	__u64 thread = bpf_get_current_task();
	__u32 base = bpf_get_smp_processor_id() * PROLOGUE_RING;
	struct cpu_state *state = cpu_state__get();
	__u32 next = state ? state->prologue_sequence : 0;

	for (int age = PROLOGUE_RING; age > 0; age--) {
		__u32 key = base + (next - age) % PROLOGUE_RING;
		struct prologue_entry *entry = bpf_map_lookup_elem(&prologues, &key);
		struct wire_hop *hop;
		__u64 before;
		__u32 unit;

		if (!entry || !entry->skb || entry->thread != thread || entry->unit_plus_one)
			continue;
		if (entry->skb != skb && entry->skb + bpf_core_type_size(struct sk_buff) != skb)
			continue;
		before = __sync_fetch_and_add(&slot->usage, USAGE_UNIT + USAGE_REFERENCE);
		unit = before >> 32;
		hop = slot__unit(slot, unit, 1);
		if (!hop)
			continue;
		hop->enter_monotonic_ns = entry->enter_monotonic_ns;
		hop->leave_monotonic_ns = 0;
		hop->return_value = 0;
		hop->probe = entry->probe;
		hop->cpu = entry->cpu;
		if (hop->enter_monotonic_ns < slot->journey.start_monotonic_ns)
			slot->journey.start_monotonic_ns = hop->enter_monotonic_ns;
		entry->slot = number;
		entry->generation = slot->generation;
		entry->unit_plus_one = unit + 1;
	}
}

#endif
