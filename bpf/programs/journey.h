/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* A journey's slot: find it, pin it, write units into it, end it, send it. See shared.h for the protocol. */
#ifndef SKBSPAN_JOURNEY_H
#define SKBSPAN_JOURNEY_H

#include "maps.h"

static __always_inline __u32 set__of(__u64 skb)
{
	return ((__u32)(skb >> 6) * 2654435761u >> 16) & settings.set_mask;
}

static __always_inline struct slot *slot__at(__u32 number)
{
	return bpf_map_lookup_elem(&slots, &number);
}

/* The number of the slot that holds the sk_buff's journey, or -1. */
verified_alone int slot__find(__u64 skb)
{
	__u32 number = set__of(skb);
	struct tag_set *set = bpf_map_lookup_elem(&tags, &number);

	if (!set)
		return -1;
#pragma unroll
	for (int way = 0; way < SLOTS_PER_SET; way++)
		if (set->tags[way] == skb)
			return number * SLOTS_PER_SET + way;
	return -1;
}

static __always_inline bool slot__holds(__u32 number, __u64 skb)
{
	__u32 key = number / SLOTS_PER_SET;
	struct tag_set *set = bpf_map_lookup_elem(&tags, &key);

	return set && set->tags[number % SLOTS_PER_SET] == skb;
}

static __always_inline void slot__set_tag(__u32 number, __u64 tag)
{
	__u32 key = number / SLOTS_PER_SET;
	struct tag_set *set = bpf_map_lookup_elem(&tags, &key);

	if (set)
		set->tags[number % SLOTS_PER_SET] = tag;
}

static __always_inline bool journey__is_wanted(const struct wire_journey *journey)
{
	if (settings.dropped_only && journey->end != WIRE_JOURNEY_DROPPED)
		return false;
	if (settings.keep_drops && journey->end == WIRE_JOURNEY_DROPPED)
		return true;
	return journey->end_monotonic_ns - journey->start_monotonic_ns >= settings.min_duration_ns;
}

/*
 * The last eighth is for what is told of requests, which is small and comes first: without it the packets that get through are
 * taken for those of the request before.
 */
static __always_inline bool ring__has_room(__u64 bytes)
{
	__u64 size = bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE);

	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) + bytes <= size - size / 8;
}

static __always_inline void journey__send(struct slot *slot, __u32 units)
{
	__u64 bytes;

	keep_check(units);
	if (units > SLOT_UNITS)
		units = SLOT_UNITS;
	slot->journey.used_units = units;
	bytes = sizeof(struct wire_journey) + units * WIRE_UNIT_BYTES;
	if (!ring__has_room(bytes) || bpf_ringbuf_output(&ring, &slot->journey, bytes, BPF_RB_NO_WAKEUP))
		stat__add(WIRE_STAT_LOST_RING_FULL, 1);
}

/* Gives a reference back; whoever gives back the last one of an ended journey writes it out and frees the slot. */
verified_alone int slot__release(__u32 number)
{
	struct slot *slot = slot__at(number);
	__u64 before;

	if (!slot)
		return 0;
	before = __sync_fetch_and_add(&slot->usage, -USAGE_REFERENCE);
	if ((__u32)before != 1 || slot->state != SLOT_ENDED)
		return 0;
	if (__sync_val_compare_and_swap(&slot->state, SLOT_ENDED, SLOT_TAKEN) != SLOT_ENDED)
		return 0;
	if (journey__is_wanted(&slot->journey))
		journey__send(slot, before >> 32);
	else
		stat__add(WIRE_STAT_DISCARDED, 1);
	slot->usage = 0;
	slot->state = SLOT_FREE;
	slot__set_tag(number, TAG_FREE);
	__sync_fetch_and_add(&shared.in_use, -1);
	return 0;
}

/* The units do not fit: gives them back, with the caller's reference, and counts the loss. */
static __always_inline void slot__refuse(struct slot *slot, __u32 number, __u32 units)
{
	__sync_fetch_and_add(&slot->usage, -(units * USAGE_UNIT));
	slot->journey.lost_hops++;
	stat__add(WIRE_STAT_LOST_HOPS, 1);
	slot__release(number);
}

/* Pins the slot and reserves units at once. Returns the first unit's number, or -1: then nothing is held. The tag is compared
 * after the reference is taken: between finding and pinning, the journey may have ended and the slot gone to another packet. */
static __always_inline int slot__reserve(struct slot *slot, __u32 number, __u64 skb, __u32 units)
{
	__u64 before = __sync_fetch_and_add(&slot->usage, units * USAGE_UNIT + USAGE_REFERENCE);
	__u32 first = before >> 32;

	if (!slot__holds(number, skb)) {
		__sync_fetch_and_add(&slot->usage, -(units * USAGE_UNIT));
		slot__release(number);
		return -1;
	}
	if (first + units > SLOT_UNITS) {
		slot__refuse(slot, number, units);
		return -1;
	}
	return first;
}

/* The unit's address, NULL when it lies outside the slot. */
static __always_inline void *slot__unit(struct slot *slot, __u64 unit, __u32 units)
{
	keep_check(unit);
	if (unit > SLOT_UNITS - units)
		return NULL;
	return slot->units + unit * WIRE_UNIT_BYTES;
}

/* A new journey: claims a free slot of the sk_buff's set. Returns its number with one reference held for the caller beside
 * the journey's own, or -1 when all are in use. The caller fills the first context and then publishes the tag. */
verified_alone int slot__claim(__u64 skb)
{
	__u32 set_number = set__of(skb);
	struct tag_set *set = bpf_map_lookup_elem(&tags, &set_number);

	if (!set)
		return -1;
#pragma unroll
	for (int way = 0; way < SLOTS_PER_SET; way++)
		if (set->tags[way] == TAG_FREE &&
		    __sync_val_compare_and_swap(&set->tags[way], TAG_FREE, TAG_CLAIMED) == TAG_FREE) {
			__sync_fetch_and_add(&shared.in_use, 1);
			return set_number * SLOTS_PER_SET + way;
		}
	stat__add(WIRE_STAT_LOST_TABLE_FULL, 1);
	return -1;
}

static __always_inline int journey__end_by_marks(__u32 marks)
{
	if (marks & MARK_MERGED)
		return WIRE_JOURNEY_MERGED;
	if (marks & MARK_COPIED)
		return WIRE_JOURNEY_DELIVERED;
	if (marks & MARK_HANDED_OVER)
		return WIRE_JOURNEY_TRANSMITTED;
	return WIRE_JOURNEY_CONSUMED;
}

/* Ends a journey. The caller holds a reference and gives it back afterwards. */
verified_alone int journey__end(__u32 number, int end, __u32 flags)
{
	struct slot *slot = slot__at(number);

	if (!slot || __sync_val_compare_and_swap(&slot->state, SLOT_LIVE, SLOT_ENDED) != SLOT_LIVE)
		return 0;
	if (end == WIRE_JOURNEY_UNKNOWN)
		end = journey__end_by_marks(slot->marks);
	slot->journey.end = end;
	slot->journey.flags |= flags;
	slot->journey.end_monotonic_ns = bpf_ktime_get_ns();
	slot__set_tag(number, TAG_CLAIMED);
	__sync_fetch_and_add(&shared.live, -1);
	stat__add(WIRE_STAT_DELIVERED + end - WIRE_JOURNEY_DELIVERED, 1);
	slot__release(number); /* the journey's own reference */
	return 0;
}

#endif
