/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What the BPF programs and the tracer's user space both know; it never crosses the pipe (that is wire.h). */
#ifndef SKBSPAN_SHARED_H
#define SKBSPAN_SHARED_H

#include "../wire.h"
#include "../packet_view.h"

/* ---- the journey table -------------------------------------------------------------------------------------------
 *
 * A journey is assembled in a slot. The slot's number is set * SLOTS_PER_SET + way; `tags` holds, for the same
 * place, the sk_buff's address: finding a journey is one array access and up to eight compares, no hash map.
 */
#define SLOTS_PER_SET 8
#define SLOT_BYTES 8192

#define TAG_FREE 0ull
#define TAG_CLAIMED 1ull /* the slot is in use, but no sk_buff may match it: being filled, or ended and not yet sent */

struct tag_set {
	__u64 tags[SLOTS_PER_SET];
};

enum slot_state {
	SLOT_FREE = 0,
	SLOT_LIVE = 1,
	SLOT_ENDED = 2, /* the packet is gone, functions that it was in have not returned yet */
	SLOT_TAKEN = 3, /* somebody (one CPU, or user space for what never ended) is writing it out */
};

/* usage: units reserved in the high half, references in the low half. One atomic addition reserves a unit and pins
 * the slot. References: the journey itself, every hop that has not returned, every program at work on the slot.
 * Whoever gives back the last reference of an ended journey writes it out. */
#define USAGE_UNIT (1ull << 32)
#define USAGE_REFERENCE 1ull

/* What a sight compares before it reads a packet again: when all of it is as it was, the context is too. */
#define GLANCE_HEADER_BYTES 64 /* IPv6, a fragment header, and the ports and sequence number after them */

struct glance {
	__u64 place;  /* the device, or the route where there is no device */
	__u32 length; /* from the network header */
	__u32 mark;
	__u16 protocol;
	__u16 vlan_proto;
	__u16 vlan_tci;
	__u16 reserved;
	__u8 headers[GLANCE_HEADER_BYTES]; /* from the network header; past the packet's end, what lies there */
};

#define GLANCE_WORDS (sizeof(struct glance) / 8)

struct slot {
	__u64 usage;
	__u32 state;
	__u32 generation; /* raised with every journey: a late return of an earlier one is told by it */
	__u64 last_seen_monotonic_ns;
	__u32 marks; /* MARK_* */
	__u16 last_context_unit;
	__u16 reserved0;
	__u64 reserved1;
	struct glance glance; /* at the last context */
	struct wire_journey journey;
	__u8 units[];
};

#define SLOT_HEADER_BYTES 128
#define SLOT_UNITS ((SLOT_BYTES - SLOT_HEADER_BYTES - (int)sizeof(struct wire_journey)) / WIRE_UNIT_BYTES)

_Static_assert(sizeof(struct slot) == SLOT_HEADER_BYTES + sizeof(struct wire_journey),
	       "the journey follows the header");

#define MARK_COPIED 1u      /* its data was copied to a socket's reader */
#define MARK_HANDED_OVER 2u /* given to a driver, and not received again since */
#define MARK_MERGED 4u      /* its data became another sk_buff's */
#define MARK_EXPANDING 8u   /* in pskb_expand_head, which calls skb_release_data without an end */

/* ---- hop cookies: where a function's return finds its entry ------------------------------------------------------ */

#define HOP_COOKIE_PROLOGUE (1ull << 63)
#define HOP_COOKIE_SLOT_SHIFT 48 /* 15 bits */
#define HOP_COOKIE_UNIT_SHIFT 32 /* 16 bits */
/* low 32 bits: the slot's generation, or the prologue entry's sequence */

/* ---- probe cookies: what a program knows about the function it is attached to ------------------------------------- */

#define PROBE_INDEX_MASK 0xffffull
#define PROBE_RECORD (1ull << 16)   /* in the user's probe set: write a hop */
#define PROBE_EXPAND (1ull << 17)   /* pskb_expand_head */
#define PROBE_RECEIVE (1ull << 18)  /* skb->data is at the network header, the packet was just received */
#define PROBE_TRANSMIT (1ull << 19) /* skb->data is at the link header */
#define PROBE_HANDOVER (1ull << 20) /* the packet is given to a driver */
#define PROBE_RECHECK (1ull << 21)  /* the packet changes: look at it again even if it did not match */
#define PROBE_MERGE (1ull << 22)    /* ends as merged */
#define PROBE_MARK_MERGE (1ull << 23)
#define PROBE_MARK_COPIED (1ull << 24)
#define PROBE_RELEASE_DATA (1ull << 25) /* skb_release_data: an end unless in pskb_expand_head */
#define PROBE_STACK (1ull << 26)        /* tracepoint: write the kernel stack after the hop */
#define PROBE_FIRST_ONLY (1ull << 27)   /* a sight before which a packet that is followed cannot have changed */
#define PROBE_FOLLOWS (1ull << 28)      /* a tracepoint before which every packet passes another sight */

/* Calls to kernel functions whose prototype differs by kernel version (6.18 and earlier: no argument, later: the context).
 * libbpf would refuse one of them, so the call stands in the object as a call of a helper with one of these numbers. */
#define PATCH_CALL_SESSION_IS_RETURN 0x5b5b0011
#define PATCH_CALL_SESSION_COOKIE 0x5b5b0012

/* ---- prologue: functions that a packet is in before it has headers --------------------------------------------- */

#define PROLOGUE_RING 8 /* entries a CPU */

struct prologue_entry {
	__u64 skb; /* 0: free, or the function returned */
	__u64 enter_monotonic_ns;
	__u64 thread;
	__u32 sequence;
	__u32 generation; /* of the slot that adopted it */
	__u16 probe;
	__u16 slot;
	__u16 unit_plus_one; /* 0: not adopted */
	__u16 cpu;
};

/* ---- tracepoints: raw tracepoints have no cookie before 6.10, so each has a program and settings of its own ------- */

enum tracepoint_place {
	TRACEPOINT_DROP,
	TRACEPOINT_CONSUME,
	TRACEPOINT_COPIED,
	TRACEPOINT_FREED,
	TRACEPOINT_SIGHT_0, /* and the following ones */
};

#define TRACEPOINT_SIGHTS 16
#define TRACEPOINT_PLACES (TRACEPOINT_SIGHT_0 + TRACEPOINT_SIGHTS)

struct tracepoint_settings {
	__u32 cookie;   /* PROBE_* */
	__u32 argument; /* position of the sk_buff, from 0 */
};

/* ---- settings: read-only data, set before load -------------------------------------------------------------------- */

#define TRAMPOLINES 2

/* Written by all CPUs, read at every probe: on cache lines of their own. */
struct shared_state {
	__u64 live; /* journeys that an sk_buff can still be found for */
	__u64 padding0[7];
	__u64 in_use; /* slots, those of ended journeys that wait for returns included */
	__u64 padding1[7];
	__u64 open_hops; /* that wait for their return, on backends whose returns have a program of their own */
	__u64 padding2[7];
	__u64 open_prologues; /* likewise */
	__u64 padding3[7];
	__u64 rate_window_start_ns;
	__u64 rate_used;
};

/* A probe's cookie by the address of its function. The kernel's own way (bpf_get_attach_cookie) is a binary search in the
 * link's functions, which costs more than all the rest of a hop. An address that lost its place to another is not in here. */
#define PROBE_TABLE_BITS 13

struct probe_table {
	__u64 multiplier; /* 0: not used */
	struct {
		__u64 address;
		__u64 cookie;
	} entries[1 << PROBE_TABLE_BITS];
};

#define PROBE_TABLE_INDEX(address, multiplier) ((__u64)(address) * (multiplier) >> (64 - PROBE_TABLE_BITS))

struct settings {
	__u32 set_mask; /* number of sets - 1 */
	__u32 sk_buff_bytes;
	__u32 netns_inode; /* 0: any */
	__u32 mark_value;
	__u32 mark_mask;       /* 0: any */
	__u32 sample_one_in;   /* 0 or 1: all */
	__u32 rate_per_second; /* 0: no limit */
	__u32 dropped_only;
	__u64 min_duration_ns;
	__u64 interface_name[2]; /* zeros: any */
	__u8 filter_present;
	__u8 filter_reads_link;
	__u8 ends_may_be_unseen;    /* tracepoint backend: an sk_buff can be reused without an end having been seen */
	__u8 tracepoints_are_hops;  /* tracepoint backend and probe set drops */
	__u8 drop_looks;            /* a drop may be the first sight of a packet */
	__u8 keep_drops;            /* min_duration_ns does not hold for what was dropped */
	__u8 namespaces_are_chosen; /* only packets in a namespace that is in chosen_namespaces */
	__u8 sampled_only;          /* only packets of connections that carry a sampled request */
	__u8 hears_applications;    /* datagrams of skbspan/register */
	__u8 reads_tcp_option;
	__u8 reserved[6];
	__u64 sampled_for_ns;           /* how long a connection counts as sampled after its last sampled request */
	__u64 trampolines[TRAMPOLINES]; /* where a function returns to whose return is probed; 0: none */
	struct tracepoint_settings tracepoints[TRACEPOINT_PLACES];
};

#define STACK_FRAMES 32

#define MOST_CHOSEN_NAMESPACES 65536

#endif
