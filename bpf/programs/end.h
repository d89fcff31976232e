/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Ends: every way in which the kernel lets go of a packet. */
#ifndef SKBSPAN_END_H
#define SKBSPAN_END_H

#include "sight.h"

/* The kernel stack at this moment, as a unit and its frames. The caller holds a reference. */
static __always_inline void stack__append(void *ctx, struct slot *slot, __u32 number, __u64 skb, __u64 observed_ns)
{
	struct scratch *scratch = scratch__at(scratch__claim());
	struct wire_stack *stack;
	long bytes;
	__u32 units;
	int unit;

	if (!scratch)
		return;
	bytes = bpf_get_stack(ctx, scratch->frames, sizeof(scratch->frames), 0);
	if (bytes <= 0)
		goto out;
	units = 1 + ((__u32)bytes + WIRE_UNIT_BYTES - 1) / WIRE_UNIT_BYTES;
	unit = slot__reserve(slot, number, skb, units);
	if (unit < 0)
		goto out;
	stack = slot__unit(slot, unit, 1 + (sizeof(scratch->frames) + WIRE_UNIT_BYTES - 1) / WIRE_UNIT_BYTES);
	if (stack) {
		stack->observed_monotonic_ns = observed_ns;
		stack->reserved = 0;
		stack->frame_count = (__u32)bytes / 8;
		stack->probe = WIRE_UNIT_STACK;
		stack->cpu = bpf_get_smp_processor_id();
		if ((__u64)bytes <= sizeof(scratch->frames))
			bpf_probe_read_kernel(stack + 1, bytes, scratch->frames);
	} else {
		__sync_fetch_and_add(&slot->usage, -(units * USAGE_UNIT)); /* no room for a stack of any depth */
	}
	slot__release(number);
out:
	scratch__release(scratch);
}

/* A hop at a tracepoint: it lasts no time, and the stack tells what encloses it. */
static __always_inline void tracepoint__hop(void *ctx, struct slot *slot, __u32 number, __u64 skb, __u64 cookie)
{
	__u64 now = bpf_ktime_get_ns();

	if (cookie & PROBE_RECORD && hop__enter(slot, number, skb, cookie))
		slot__release(number); /* there is no return */
	if (cookie & PROBE_STACK)
		stack__append(ctx, slot, number, skb, now);
}

/* The journey of an sk_buff that is being let go, with a reference held; -1 when there is none. */
static __always_inline int packet__find_ending(__u64 skb, struct slot **slot)
{
	int number;

	packet__forget_rejection(skb);
	if (!shared.live)
		return -1;
	number = slot__find(skb);
	if (number < 0)
		return -1;
	*slot = slot__at(number);
	if (!*slot || slot__reserve(*slot, number, skb, 0) < 0)
		return -1;
	return number;
}

/* A function that lets go of the packet. Returns the hop's cookie, 0 when no hop was written. */
static __always_inline __u64 packet__let_go(__u64 skb, __u64 cookie)
{
	struct slot *slot = NULL;
	int number = packet__find_ending(skb, &slot);
	__u64 hop_cookie = 0;

	if (number < 0 || !slot)
		return 0;
	if (cookie & PROBE_RECORD)
		hop_cookie = hop__enter(slot, number, skb, cookie);
	if (cookie & PROBE_RELEASE_DATA && slot->marks & MARK_EXPANDING) {
		slot->marks &= ~MARK_EXPANDING;
	} else if (cookie & PROBE_MARK_MERGE) {
		slot->marks |= MARK_MERGED;
	} else if (cookie & PROBE_MARK_COPIED) {
		slot->marks |= MARK_COPIED;
	} else {
		journey__end(number, cookie & PROBE_MERGE ? WIRE_JOURNEY_MERGED : WIRE_JOURNEY_UNKNOWN, 0);
	}
	slot__release(number);
	return hop_cookie;
}

static __always_inline void packet__drop(void *ctx, __u64 skb, __u64 location, __u32 reason, __u64 cookie)
{
	struct slot *slot = NULL;
	int number = packet__find_ending(skb, &slot);
	__u32 flags = 0;

	/* dropped by a tail call out of a function whose return is probed: nothing tells the place but the function's own hop */
	if (location == settings.trampolines[0] || location == settings.trampolines[1])
		location = 0;
	if (number >= 0) {
		journey__look_again(number, skb, cookie);
	} else if (settings.drop_looks) {
		number = packet__first_sight(skb, cookie, origin__stack_pointer((struct origin){ ctx, false }));
		packet__forget_rejection(skb); /* it is gone */
		flags = WIRE_JOURNEY_STARTED_LATE;
	}
	slot = number < 0 ? NULL : slot__at(number);
	if (!slot)
		return;
	slot->journey.drop_location = location;
	slot->journey.drop_reason = reason;
	tracepoint__hop(ctx, slot, number, skb, cookie);
	journey__end(number, WIRE_JOURNEY_DROPPED, flags);
	slot__release(number);
}

#endif
