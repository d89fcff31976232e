/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Sights: where a packet's headers can be read. Here journeys begin, and changes of context are noticed. */
#ifndef SKBSPAN_SIGHT_H
#define SKBSPAN_SIGHT_H

#include <linux/ptrace.h>
#include <bpf/bpf_tracing.h>
#include "carried.h"
#include "filter.h"
#include "hop.h"

/* Where a program runs: what it was called with, to find the stack that the traced code runs on. */
struct origin {
	void *context;
	bool is_registers; /* a kprobe's struct pt_regs; otherwise a tracepoint's arguments, which lie on the stack */
};

static __always_inline __u64 origin__stack_pointer(struct origin origin)
{
	__u64 address = 0;

	if (origin.is_registers)
		return PT_REGS_SP((struct pt_regs *)origin.context);
	/* read as memory, since the verifier allows no arithmetic on the pointer itself */
	bpf_probe_read_kernel(&address, sizeof(address), &origin.context);
	return address;
}

static __always_inline __u64 bytes16__difference(const __u8 *left, const __u8 *right)
{
	const __u64 *a = (const __u64 *)left, *b = (const __u64 *)right;

	return (a[0] ^ b[0]) | (a[1] ^ b[1]);
}

/* The flag if any bit of the difference is set. Without a branch: the verifier would follow every combination of nine. */
static __always_inline __u16 flag__if(__u64 difference, __u16 flag)
{
	__u64 sign = difference | -difference;

	keep_check(sign);
	return -(sign >> 63) & flag;
}

/* What differs between two contexts, as WIRE_CHANGED_*. */
static __always_inline __u16 context__difference(const struct wire_context *old, const struct wire_context *new)
{
	__u64 netns = new->netns_inode ^ old->netns_inode;
	__u16 changed = flag__if(netns, WIRE_CHANGED_NETNS) | flag__if(new->mark ^ old->mark, WIRE_CHANGED_MARK) |
			flag__if(netns | (new->interface_index ^ old->interface_index), WIRE_CHANGED_INTERFACE);

	if (!(new->flags &WIRE_CONTEXT_NETWORK))
		return changed;
	return changed |
	       flag__if((new->ethertype ^ old->ethertype) | (new->transport ^ old->transport) | (new->vlan ^ old->vlan),
			WIRE_CHANGED_PROTOCOL) |
	       flag__if(new->length ^ old->length, WIRE_CHANGED_LENGTH) |
	       flag__if(new->ttl ^ old->ttl, WIRE_CHANGED_TTL) |
	       flag__if(bytes16__difference(new->source, old->source) | (new->source_port ^ old->source_port),
			WIRE_CHANGED_SOURCE) |
	       flag__if(bytes16__difference(new->destination, old->destination) |
				(new->destination_port ^ old->destination_port),
			WIRE_CHANGED_DESTINATION);
}

/* Whether two contexts can be of one packet: what no forwarding changes is the same. Asked only where an sk_buff can be
 * reused without its end having been seen. */
static __always_inline bool context__is_same_packet(const struct wire_context *old, const struct wire_context *new)
{
	if (!(new->flags & old->flags &WIRE_CONTEXT_NETWORK))
		return true;
	if (new->ethertype != old->ethertype || new->transport != old->transport)
		return false;
	if (new->ip_version == 4 && new->ip_id != old->ip_id)
		return false;
	if (!(new->flags & old->flags &WIRE_CONTEXT_TRANSPORT))
		return true;
	return new->tcp_sequence == old->tcp_sequence &&new->icmp_type == old->icmp_type &&new->icmp_id ==
	       old->icmp_id &&new->icmp_sequence == old->icmp_sequence;
}

/* The caller holds a reference. */
static __always_inline void context__append(struct slot *slot, __u32 number, __u64 skb, const struct scratch *scratch,
					    __u16 changed)
{
	int unit = slot__reserve(slot, number, skb, WIRE_CONTEXT_UNITS);
	struct wire_context *place;

	if (unit < 0)
		return;
	place = slot__unit(slot, unit, WIRE_CONTEXT_UNITS);
	if (place) {
		__builtin_memcpy(place, &scratch->context, sizeof(*place));
		place->changed = changed;
		slot->last_context_unit = unit;
	}
	slot__release(number);
}

/* What the newer look could not see is as it was: not a change. */
static __always_inline void context__inherit(struct wire_context *context, const struct wire_context *last)
{
	if (!context->netns_inode) {
		context->netns_inode = last->netns_inode;
		context->netns_cookie = last->netns_cookie;
	}
	if (!context->interface_index) {
		context->interface_index = last->interface_index;
		__builtin_memcpy(context->interface_name, last->interface_name, sizeof(context->interface_name));
	}
}

/* Adds the context to the journey when it differs from the last. 0: it is another packet's. */
static __always_inline int context__update(struct slot *slot, __u32 number, __u64 skb, struct scratch *scratch)
{
	struct wire_context *last = slot__unit(slot, slot->last_context_unit, WIRE_CONTEXT_UNITS);
	const struct sk_buff *read = (void *)scratch->sk_buff;
	__u16 changed;

	if (!last)
		return 1;
	if (settings.ends_may_be_unseen && !BPF_CORE_READ_BITFIELD(read, encapsulation) &&
	    !context__is_same_packet(last, &scratch->context))
		return 0;
	context__inherit(&scratch->context, last);
	changed = context__difference(last, &scratch->context);
	if (settings.sampled_only && changed & (WIRE_CHANGED_SOURCE | WIRE_CHANGED_DESTINATION))
		context__follow_sampled(scratch);
	if (changed)
		context__append(slot, number, skb, scratch, changed);
	return 1;
}

/* Notes what changed since the last look; the caller holds a reference. 0: the sk_buff is another packet's now. */
verified_alone int journey__look_again(__u32 number, __u64 skb, __u64 cookie)
{
	int level = scratch__claim(), same = 1;
	struct scratch *scratch = scratch__at(level);
	struct slot *slot = slot__at(number);
	bool is_readable;

	if (!scratch)
		return 1;
	if (!slot || !packet__read(scratch, skb, cookie))
		goto out;
	is_readable = packet__glance(scratch);
	if (is_readable && glance__is_same(&scratch->glance, &slot->glance))
		goto out;
	if (packet__view(level) != LOOK_READ)
		goto out;
	packet__describe(level, cookie, is_readable && scratch->glance.place == slot->glance.place);
	same = context__update(slot, number, skb, scratch);
	if (same && is_readable)
		slot->glance = scratch->glance;
out:
	scratch__release(scratch);
	return same;
}

/* Whether the task entered the kernel by an interrupt: what runs on its stack then, a softirq too, is not its own work. */
static __always_inline bool task__was_interrupted(void)
{
	struct pt_regs___of_task *registers = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	unsigned long number = 0;

	if (!bpf_core_field_exists(registers->orig_ax))
		return false;
	bpf_core_read(&number, sizeof(number), &registers->orig_ax);
	return (long)number < 0;
}

/* The running task is the packet's only in process context: not in a softirq (which has a stack of its own, unless the interrupt
 * came while the task was in user mode) and not in a kernel thread. `stack_pointer` is any address on the stack that the traced
 * code runs on. */
static __always_inline void journey__set_process(struct wire_journey *journey, __u64 stack_pointer)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 stack = (__u64)BPF_CORE_READ(task, stack), id = bpf_get_current_pid_tgid();
	__u32 flags = BPF_CORE_READ(task, flags);

	if (stack_pointer - stack >= TASK_STACK_BYTES || flags & TASK_IS_KERNEL_THREAD || task__was_interrupted())
		return;
	journey->thread_id = id;
	journey->process_id = id >> 32;
	journey->flags |= WIRE_JOURNEY_IN_PROCESS;
	bpf_get_current_comm(journey->process_name, sizeof(journey->process_name));
}

/* Fills a slot and lets the sk_buff find it. Returns its number with a reference for the caller, or -1. */
static __always_inline int journey__begin(__u64 skb, struct scratch *scratch, __u64 stack_pointer)
{
	const struct sk_buff *read = (void *)scratch->sk_buff;
	int number = slot__claim(skb);
	struct slot *slot = number < 0 ? NULL : slot__at(number);

	if (!slot)
		return -1;
	__builtin_memset(&slot->journey, 0, sizeof(slot->journey));
	slot->generation++;
	slot->marks = 0;
	if (packet__glance(scratch))
		slot->glance = scratch->glance;
	slot->last_seen_monotonic_ns = scratch->context.observed_monotonic_ns;
	slot->last_context_unit = 0;
	slot->journey.skb = skb;
	slot->journey.start_monotonic_ns = scratch->context.observed_monotonic_ns;
	slot->journey.start_cpu = scratch->context.cpu;
	if (BPF_CORE_READ_BITFIELD(read, cloned))
		slot->journey.flags = WIRE_JOURNEY_CLONE;
	__builtin_memcpy(slot->units, &scratch->context, sizeof(scratch->context));
	journey__set_process(&slot->journey, stack_pointer);
	__sync_fetch_and_add(&slot->usage, WIRE_CONTEXT_UNITS * USAGE_UNIT + 2 * USAGE_REFERENCE);
	journey__adopt_prologue(slot, number, skb);
	slot->state = SLOT_LIVE;
	__sync_fetch_and_add(&shared.live, 1);
	slot__set_tag(number, skb);
	stat__add(WIRE_STAT_STARTED, 1);
	return number;
}

static __always_inline void packet__reject(__u64 skb)
{
	*rejected__entry(skb) = skb | (settings.ends_may_be_unseen ? REJECTED_UNTIL_NEXT_SIGHT : 0);
}

/* Whether a packet that does not match now cannot match at a later sight, unless a recheck function changes it. */
static __always_inline bool rejection__is_final(const struct scratch *scratch)
{
	if (settings.mark_mask || settings.interface_name[0])
		return false;
	if (settings.namespaces_are_chosen && !scratch->context.netns_cookie)
		return false; /* where it is was not to be seen here */
	return !settings.filter_reads_link || scratch->view.flags & PACKET_VIEW_LINK_KNOWN;
}

static __always_inline bool packet__matches(struct scratch *scratch, __u32 level, __u64 cookie)
{
	if (!packet__may_match(scratch))
		return false;
	if (!filter__asks_for_place())
		return true;
	packet__describe(level, cookie, false);
	return context__matches(&scratch->context);
}

/* Whether a journey begins with what was just looked at. */
static __always_inline int packet__decide(struct scratch *scratch, __u32 level, __u64 skb, __u64 cookie,
					  __u64 stack_pointer)
{
	int number = -1;

	if (packet__is_told(scratch, level)) {
		packet__reject(skb);
		return -1;
	}
	if (!packet__matches(scratch, level, cookie)) {
		stat__add(WIRE_STAT_NOT_MATCHED, 1);
		if (rejection__is_final(scratch))
			packet__reject(skb);
		return -1;
	}
	if (!packet__is_of_request(scratch, level)) {
		stat__add(WIRE_STAT_NOT_SAMPLED, 1);
		packet__reject(skb);
		return -1;
	}
	if (settings.ends_may_be_unseen)
		packet__forget_rejection(skb); /* of another packet */
	if (packet__is_chosen()) {
		if (!filter__asks_for_place()) /* else packet__matches has described it */
			packet__describe(level, cookie, false);
		number = journey__begin(skb, scratch, stack_pointer);
	}
	if (number < 0)
		*rejected__entry(skb) = skb; /* sampled out or lost once, not once a sight */
	return number;
}

/* It cannot match before it comes to another namespace, and the functions where that happens are all rechecks. */
static __always_inline void packet__reject_elsewhere(__u64 skb)
{
	stat__add(WIRE_STAT_NOT_MATCHED, 1);
	packet__reject(skb);
}

/* First look at a packet that no journey follows. Returns its slot's number with a reference when one begins, or -1. */
verified_alone int packet__first_sight(__u64 skb, __u64 cookie, __u64 stack_pointer)
{
	int level = scratch__claim(), number = -1, look;
	struct scratch *scratch = scratch__at(level);

	if (!scratch)
		return -1;
	if (!packet__read(scratch, skb, cookie))
		look = LOOK_UNREADABLE;
	else
		look = packet__is_elsewhere(scratch) ? LOOK_ELSEWHERE : packet__view(level);
	if (look == LOOK_ELSEWHERE)
		packet__reject_elsewhere(skb);
	else if (look == LOOK_READ)
		number = packet__decide(scratch, level, skb, cookie, stack_pointer);
	else if (look == LOOK_UNREADABLE)
		stat__add(WIRE_STAT_UNREADABLE, 1);
	scratch__release(scratch);
	return number;
}

/* A packet at a sight. Returns its slot's number with a reference held, or -1. */
static __always_inline int packet__sight(__u64 skb, __u64 cookie, struct origin origin)
{
	int number = shared.live ? slot__find(skb) : -1;
	struct slot *slot;

	if (number >= 0) {
		slot = slot__at(number);
		if (!slot || slot__reserve(slot, number, skb, 0) < 0)
			return -1;
		if (journey__look_again(number, skb, cookie))
			return number;
		journey__end(number, slot->marks & MARK_COPIED ? WIRE_JOURNEY_DELIVERED : WIRE_JOURNEY_EXPIRED,
			     WIRE_JOURNEY_END_INFERRED);
		slot__release(number);
	}
	if (packet__is_rejected(skb))
		return -1;
	return packet__first_sight(skb, cookie, origin__stack_pointer(origin));
}

static __always_inline void journey__mark_by_place(struct slot *slot, __u64 cookie)
{
	if (cookie & PROBE_HANDOVER)
		slot->marks |= MARK_HANDED_OVER;
	if (cookie & PROBE_RECEIVE)
		slot->marks &= ~MARK_HANDED_OVER;
	slot->marks &= ~MARK_EXPANDING;
}

#endif
