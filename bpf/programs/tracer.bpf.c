// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/*
 * The BPF programs. A function is served by the program of its role and of the position of its sk_buff argument:
 *
 *   hop       most functions: a lookup, and a write when the packet is followed
 *   sight     the packet's headers can be read: journeys begin and changes of context are noticed
 *   prologue  the packet has no headers yet: remembered aside, see hop.h
 *   end       the kernel lets go of the packet
 *
 * On kprobe.session one program serves entry and return; on kprobe.multi and kprobe the returns have their own.
 */
#include "end.h"

char LICENSE[] SEC("license") = "GPL"; /* loaded under the GPL-2.0 side of the dual licence: the helpers ask for it */

/* Of the function that a kprobe program runs at. */
static __always_inline __u64 probe__cookie(struct pt_regs *ctx)
{
	__u64 address, index;

	if (!probe_table.multiplier)
		return bpf_get_attach_cookie(ctx);
	address = bpf_get_func_ip(ctx);
	index = PROBE_TABLE_INDEX(address, probe_table.multiplier);
	keep_check(index);
	index &= (1 << PROBE_TABLE_BITS) - 1;
	if (probe_table.entries[index].address == address)
		return probe_table.entries[index].cookie;
	return bpf_get_attach_cookie(ctx);
}

static __always_inline __u64 hop__of_followed(struct slot *slot, __u32 number, __u64 skb, __u64 cookie)
{
	__u64 hop_cookie = cookie & PROBE_RECORD ? hop__enter(slot, number, skb, cookie) : 0;

	if (cookie & PROBE_EXPAND)
		slot->marks |= MARK_EXPANDING;
	else if (slot->marks & MARK_EXPANDING)
		slot->marks &= ~MARK_EXPANDING;
	return hop_cookie;
}

static __always_inline __u64 hop__on_entry(struct pt_regs *ctx, __u64 skb)
{
	struct slot *slot;
	int number;

	if (!shared.live)
		return 0;
	number = slot__find(skb);
	if (number < 0 || !skb)
		return 0;
	slot = slot__at(number);
	return slot ? hop__of_followed(slot, number, skb, probe__cookie(ctx)) : 0;
}

static __always_inline __u64 sight__on_entry(struct pt_regs *ctx, __u64 skb)
{
	struct slot *slot;
	__u64 cookie;
	int number;

	if (packet__is_rejected(skb))
		return 0;
	cookie = probe__cookie(ctx);
	if (cookie & PROBE_FIRST_ONLY && shared.live) {
		number = slot__find(skb);
		slot = number < 0 ? NULL : slot__at(number);
		if (slot)
			return hop__of_followed(slot, number, skb, cookie);
	}
	number = packet__sight(skb, cookie, (struct origin){ ctx, true });
	slot = number < 0 ? NULL : slot__at(number);
	if (!slot)
		return 0;
	journey__mark_by_place(slot, cookie);
	if (cookie & PROBE_RECORD)
		return hop__enter_held(slot, number, cookie);
	slot__release(number);
	return 0;
}

static __always_inline __u64 prologue__on_entry(struct pt_regs *ctx, __u64 skb)
{
	__u64 cookie;

	if (shared.live && slot__find(skb) >= 0)
		return hop__on_entry(ctx, skb);
	cookie = probe__cookie(ctx);
	packet__forget_rejection(skb);
	return cookie & PROBE_RECORD ? prologue__enter(skb, cookie) : 0;
}

static __always_inline __u64 end__on_entry(struct pt_regs *ctx, __u64 skb)
{
	packet__forget_rejection(skb);
	if (!shared.live)
		return 0;
	return packet__let_go(skb, probe__cookie(ctx));
}

/* The packet's headers or namespace change here: a packet that did not match may match afterwards. */
static __always_inline __u64 recheck__on_entry(struct pt_regs *ctx, __u64 skb)
{
	packet__forget_rejection(skb);
	return hop__on_entry(ctx, skb);
}

/* ---- kprobe.session ------------------------------------------------------------------------------------------------ */

#define CALL_KERNEL(id, context)                                                                                       \
	({                                                                                                             \
		register void *argument_ asm("r1") = context;                                                          \
		register __u64 result_ asm("r0");                                                                      \
		asm volatile("call %[number]"                                                                          \
			     : "=r"(result_), "+r"(argument_)                                                          \
			     : [number] "i"(id)                                                                        \
			     : "r2", "r3", "r4", "r5", "memory");                                                      \
		result_;                                                                                               \
	})

/* Whether the program has nothing to do, be it at the entry or at the return: asked before the kernel is asked which it is. */
static __always_inline bool hop__is_idle(void)
{
	return !shared.in_use;
}

#define sight__is_idle() false
#define prologue__is_idle() false
#define end__is_idle() false
#define recheck__is_idle() false

#define SESSION_PROGRAM(role, position)                                                                                \
	SEC("kprobe") int role##_session_##position(struct pt_regs *ctx)                                               \
	{                                                                                                              \
		__u64 hop_cookie;                                                                                      \
                                                                                                                       \
		if (role##__is_idle())                                                                                 \
			return 1;                                                                                      \
		if (CALL_KERNEL(PATCH_CALL_SESSION_IS_RETURN, ctx) & 0xff) {                                           \
			hop_cookie = *(__u64 *)CALL_KERNEL(PATCH_CALL_SESSION_COOKIE, ctx);                            \
			hop__leave(hop_cookie, PT_REGS_RC(ctx));                                                       \
			return 0;                                                                                      \
		}                                                                                                      \
		hop_cookie = role##__on_entry(ctx, PT_REGS_PARM##position(ctx));                                       \
		if (!hop_cookie)                                                                                       \
			return 1; /* the return is of no interest */                                                   \
		*(__u64 *)CALL_KERNEL(PATCH_CALL_SESSION_COOKIE, ctx) = hop_cookie;                                    \
		return 0;                                                                                              \
	}

/* ---- kprobe.multi and kprobe --------------------------------------------------------------------------------------- */

static __always_inline struct open_hop_key open_hop__key(struct pt_regs *ctx, __u64 stack_pointer)
{
	return (struct open_hop_key){ stack_pointer, probe__cookie(ctx) & PROBE_INDEX_MASK };
}

/* `open` counts what waits: a return looks for its entry only when there is one. */
static __always_inline void hop__await_return(struct pt_regs *ctx, __u64 hop_cookie, __u64 *open)
{
	struct open_hop_key key = open_hop__key(ctx, PT_REGS_SP(ctx));

	if (bpf_map_update_elem(&open_hops, &key, &hop_cookie, BPF_ANY)) {
		hop__leave(hop_cookie, 0);
		stat__add(WIRE_STAT_LOST_MISSED, 1);
		return;
	}
	__sync_fetch_and_add(open, 1);
}

/* Every packet that is sent opens prologues. They are counted apart, for the functions inside have nothing to look for. */
#define ENTRY_PROGRAM(role, position, open)                                                                            \
	SEC("kprobe") int role##_entry_##position(struct pt_regs *ctx)                                                 \
	{                                                                                                              \
		__u64 hop_cookie = role##__on_entry(ctx, PT_REGS_PARM##position(ctx));                                 \
                                                                                                                       \
		if (hop_cookie)                                                                                        \
			hop__await_return(ctx, hop_cookie, open);                                                      \
		return 0;                                                                                              \
	}

/* The stack pointer at a return, relative to that at the entry: the return address has been popped, and since 6.14 (fprobe on
 * the function graph tracer) the registers are saved below the frame that the trampoline made. */
#define RETURN_ADDRESS_BYTES 8
#define GRAPH_FRAME_BYTES 168 /* FRAME_SIZE of x86-64's pt_regs */

static __always_inline bool hop__complete_open(struct open_hop_key key, __s32 return_value, __u64 *open)
{
	__u64 *hop_cookie = bpf_map_lookup_elem(&open_hops, &key);
	__u64 copy;

	if (!hop_cookie)
		return false;
	copy = *hop_cookie;
	bpf_map_delete_elem(&open_hops, &key);
	__sync_fetch_and_add(open, -1);
	hop__leave(copy, return_value);
	return true;
}

static __always_inline int hop__on_return(struct pt_regs *ctx, __u64 *open)
{
	struct open_hop_key key;

	if (!*open)
		return 0;
	key = open_hop__key(ctx, PT_REGS_SP(ctx) - RETURN_ADDRESS_BYTES);
	if (hop__complete_open(key, PT_REGS_RC(ctx), open))
		return 0;
	key.stack_pointer += RETURN_ADDRESS_BYTES + GRAPH_FRAME_BYTES;
	hop__complete_open(key, PT_REGS_RC(ctx), open);
	return 0;
}

SEC("kprobe") int hop_return(struct pt_regs *ctx)
{
	return hop__on_return(ctx, &shared.open_hops);
}

SEC("kprobe") int prologue_return(struct pt_regs *ctx)
{
	return hop__on_return(ctx, &shared.open_prologues);
}

#define PROGRAMS(role, position, open)                                                                                 \
	SESSION_PROGRAM(role, position)                                                                                \
	ENTRY_PROGRAM(role, position, open)

#define PROGRAMS_FOR_ROLE(role, open)                                                                                  \
	PROGRAMS(role, 1, open)                                                                                        \
	PROGRAMS(role, 2, open)                                                                                        \
	PROGRAMS(role, 3, open)                                                                                        \
	PROGRAMS(role, 4, open)                                                                                        \
	PROGRAMS(role, 5, open)

PROGRAMS_FOR_ROLE(hop, &shared.open_hops)
PROGRAMS_FOR_ROLE(sight, &shared.open_hops)
PROGRAMS_FOR_ROLE(prologue, &shared.open_prologues)
PROGRAMS_FOR_ROLE(end, &shared.open_hops)
PROGRAMS_FOR_ROLE(recheck, &shared.open_hops)

/* ---- tracepoints ---------------------------------------------------------------------------------------------------- */

#define TRACEPOINT_COOKIE(place) settings.tracepoints[place].cookie

/* One load at a fixed offset: the compiler would add to the context pointer first, which the verifier refuses. */
#define LOAD_ARGUMENT(number)                                                                                          \
	case number:                                                                                                   \
		asm volatile("%[value] = *(u64 *)(%[ctx] + " #number " * 8)" : [value] "=r"(value) : [ctx] "r"(ctx));  \
		break

/* Which argument is the sk_buff: the verifier knows the setting and sees one of these loads. */
static __always_inline __u64 tracepoint__sk_buff(const struct bpf_raw_tracepoint_args *ctx, int place)
{
	__u64 value = 0;

	switch (settings.tracepoints[place].argument) {
		LOAD_ARGUMENT(0);
		LOAD_ARGUMENT(1);
		LOAD_ARGUMENT(2);
		LOAD_ARGUMENT(3);
		LOAD_ARGUMENT(4);
	}
	return value;
}

static __always_inline int tracepoint__sight(struct bpf_raw_tracepoint_args *ctx, int place)
{
	__u64 cookie = TRACEPOINT_COOKIE(place), skb = tracepoint__sk_buff(ctx, place);
	struct slot *slot;
	int number;

	if (!skb || packet__is_rejected(skb)) /* qdisc_dequeue may have found nothing */
		return 0;
	if (cookie & PROBE_FOLLOWS && packet__was_just_rejected(skb))
		return 0;
	number = packet__sight(skb, cookie, (struct origin){ ctx, false });
	slot = number < 0 ? NULL : slot__at(number);
	if (!slot)
		return 0;
	tracepoint__hop(ctx, slot, number, skb, cookie);
	journey__mark_by_place(slot, cookie);
	slot__release(number);
	return 0;
}

#define TRACEPOINT_SIGHT(number)                                                                                       \
	SEC("raw_tp") int tracepoint_sight_##number(struct bpf_raw_tracepoint_args *ctx)                               \
	{                                                                                                              \
		return tracepoint__sight(ctx, TRACEPOINT_SIGHT_0 + number);                                            \
	}

TRACEPOINT_SIGHT(0)
TRACEPOINT_SIGHT(1)
TRACEPOINT_SIGHT(2)
TRACEPOINT_SIGHT(3)
TRACEPOINT_SIGHT(4)
TRACEPOINT_SIGHT(5)
TRACEPOINT_SIGHT(6)
TRACEPOINT_SIGHT(7)
TRACEPOINT_SIGHT(8)
TRACEPOINT_SIGHT(9)
TRACEPOINT_SIGHT(10)
TRACEPOINT_SIGHT(11)
TRACEPOINT_SIGHT(12)
TRACEPOINT_SIGHT(13)
TRACEPOINT_SIGHT(14)
TRACEPOINT_SIGHT(15)

/* kfree_skb(skb, location, reason, ...) since 5.17 */
SEC("raw_tp") int tracepoint_drop(struct bpf_raw_tracepoint_args *ctx)
{
	packet__drop(ctx, ctx->args[0], ctx->args[1], ctx->args[2], TRACEPOINT_COOKIE(TRACEPOINT_DROP));
	return 0;
}

/* consume_skb(skb, ...) */
SEC("raw_tp") int tracepoint_consume(struct bpf_raw_tracepoint_args *ctx)
{
	struct slot *slot = NULL;
	__u64 skb = ctx->args[0], cookie = TRACEPOINT_COOKIE(TRACEPOINT_CONSUME);
	int number = packet__find_ending(skb, &slot);

	if (number < 0 || !slot)
		return 0;
	journey__look_again(number, skb, cookie);
	tracepoint__hop(ctx, slot, number, skb, cookie);
	journey__end(number, WIRE_JOURNEY_UNKNOWN, 0);
	slot__release(number);
	return 0;
}

/* skb_copy_datagram_iovec(skb, len): its data goes to a socket's reader. Where ends may be unseen, this is the end. */
SEC("raw_tp") int tracepoint_copied(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 skb = ctx->args[0], cookie = TRACEPOINT_COOKIE(TRACEPOINT_COPIED);
	struct slot *slot;
	int number;

	if (settings.ends_may_be_unseen)
		packet__forget_rejection(skb);
	if (!shared.live)
		return 0;
	number = slot__find(skb);
	if (number < 0)
		return 0;
	slot = slot__at(number);
	if (!slot || slot__reserve(slot, number, skb, 0) < 0)
		return 0;
	tracepoint__hop(ctx, slot, number, skb, cookie);
	slot->marks |= MARK_COPIED;
	if (settings.ends_may_be_unseen)
		journey__end(number, WIRE_JOURNEY_DELIVERED, WIRE_JOURNEY_END_INFERRED);
	slot__release(number);
	return 0;
}

static __always_inline void memory__freed(__u64 address)
{
	struct slot *slot = NULL;
	int number = packet__find_ending(address, &slot);

	if (number < 0 || !slot)
		return;
	journey__end(number, WIRE_JOURNEY_UNKNOWN, 0);
	slot__release(number);
}

/* kmem_cache_free(call_site, object, cache): on the tracepoint backend the only sign of many ends. A fast clone lies behind the
 * original in one object. */
SEC("raw_tp") int tracepoint_freed(struct bpf_raw_tracepoint_args *ctx)
{
	if (!shared.live && settings.sample_one_in <= 1 && !settings.rate_per_second)
		return 0; /* nothing to end, nothing to forget */
	memory__freed(ctx->args[1]);
	memory__freed(ctx->args[1] + bpf_core_type_size(struct sk_buff));
	return 0;
}

/* ---- the empty programs that `npm run bench` compares with -------------------------------------------------------- */

SEC("kprobe") int empty_entry(void *ctx)
{
	return 1; /* on kprobe.session: no return either, as for a packet that is not followed */
}

SEC("kprobe") int empty_both(void *ctx)
{
	return 0; /* on kprobe.session: the return too, as for a packet that is followed */
}

SEC("raw_tp") int empty_tracepoint(void *ctx)
{
	return 0;
}
