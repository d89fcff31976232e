/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The one definition of what crosses the pipe from the tracer to the exporter.
 *
 *   stream  := prologue frame*
 *   frame   := frame_header payload padding     padding to a multiple of 8 bytes, not counted in frame_header.length
 *   JOURNEY := journey unit*                    journey.used_units units of WIRE_UNIT_BYTES each
 *   unit    := hop | context (6 units) | stack (1 unit and as many as its frames need, 3 addresses a unit)
 *
 * Units stand in the order in which they were written, which is not always that of their times: the functions that a packet was
 * in before it had headers follow its first context, though they were entered earlier.
 *
 * The journey and its units are written by the BPF programs in place, in the map slot where the journey is
 * assembled, so they are copied to the stream as they are. Every unit has `probe` and `cpu` at the same offset:
 * a hop's probe is the index of a PROBE frame, other units have one of the WIRE_UNIT_* values there.
 *
 * All integers are in the byte order of the machine that traced (the prologue tells), all times are nanoseconds of
 * CLOCK_MONOTONIC unless their name says otherwise. The TypeScript offsets are generated from this file's BTF by
 * `npm run generate`. Any change of a layout or of a meaning raises WIRE_VERSION.
 */
#ifndef SKBSPAN_WIRE_H
#define SKBSPAN_WIRE_H

#include <linux/types.h>

#define WIRE_MAGIC "SKBSPAN\n"
#define WIRE_VERSION 1
#define WIRE_ENDIAN_MARK 0x01020304

struct wire_prologue {
	char magic[8];
	__u16 version;
	__u16 header_bytes; /* size of this struct */
	__u32 endian;       /* WIRE_ENDIAN_MARK as the writer stores it */
};

enum wire_frame_type {
	WIRE_FRAME_HELLO = 1,       /* struct wire_hello, first frame of every stream */
	WIRE_FRAME_PROBE = 2,       /* struct wire_probe, three zero-terminated strings: name, symbol, module */
	WIRE_FRAME_SYMBOL = 3,      /* struct wire_symbol, one zero-terminated string */
	WIRE_FRAME_DROP_REASON = 4, /* struct wire_drop_reason, one zero-terminated string */
	WIRE_FRAME_NAMESPACE = 5,   /* struct wire_namespace, one zero-terminated string, empty when it has no name */
	WIRE_FRAME_JOURNEY = 6,     /* struct wire_journey and its units */
	WIRE_FRAME_STATS = 7,       /* struct wire_stats, once a second and before END */
	WIRE_FRAME_CLOCK = 8,       /* struct wire_clock, once a second */
	WIRE_FRAME_MESSAGE = 9,    /* struct wire_message, one zero-terminated string: for the user, not for machines */
	WIRE_FRAME_END = 10,       /* struct wire_end; a stream without it was cut */
	WIRE_FRAME_MEMBER = 11,    /* struct wire_member, two zero-terminated strings: cgroup paths, version 2 and 1 */
	WIRE_FRAME_INVENTORY = 12, /* struct wire_inventory, after every scan; the first before the first journey */
	WIRE_FRAME_REQUEST = 13,   /* struct wire_request */
};

struct wire_frame_header {
	__u32 length; /* payload bytes */
	__u16 type;   /* enum wire_frame_type; a reader skips types that it does not know */
	__u16 reserved;
};

enum wire_backend {
	WIRE_BACKEND_KPROBE_SESSION = 1,
	WIRE_BACKEND_KPROBE_MULTI = 2,
	WIRE_BACKEND_KPROBE = 3,
	WIRE_BACKEND_TRACEPOINT = 4,
	WIRE_BACKEND_DROPS = 5, /* the probe set `drops`: the drop tracepoint alone, whatever the kernel could do */
};

struct wire_hello {
	__u64 start_monotonic_ns;
	__u64 start_realtime_ns;
	__u64 attach_duration_ns;
	__u64 node_netns_inode; /* the namespace of the machine itself (that of process 1) */
	__u32 backend;          /* enum wire_backend */
	__u32 cpu_count;
	__u32 discovered_functions; /* with an sk_buff among their first five parameters */
	__u32 attached_functions;
	__u32 skipped_functions; /* chosen by the probe set, but could not be attached */
	__u32 skb_bytes;         /* sizeof(struct sk_buff) on this kernel */
	char kernel_release[64];
	char host_name[64];
	char host_id[40]; /* /etc/machine-id, may be empty */
	char filter[256]; /* as the user wrote it, cut to fit */
};

enum wire_probe_kind {
	WIRE_PROBE_FUNCTION = 1,
	WIRE_PROBE_TRACEPOINT = 2,
};

enum wire_return_kind {
	WIRE_RETURN_UNKNOWN = 0, /* not observed, or a type that says nothing to a person */
	WIRE_RETURN_VOID = 1,
	WIRE_RETURN_INTEGER = 2, /* int or long: negative values are errno codes by the kernel's custom */
	WIRE_RETURN_BOOL = 3,
	WIRE_RETURN_VERDICT = 4, /* a netfilter verdict (NF_DROP 0, NF_ACCEPT 1, NF_STOLEN 2, NF_QUEUE 3 ...) */
	WIRE_RETURN_POINTER = 5,
	WIRE_RETURN_UNSIGNED = 6,
	WIRE_RETURN_DROP_REASON = 7, /* enum skb_drop_reason */
	WIRE_RETURN_RX_HANDLER = 8,  /* enum rx_handler_result */
	WIRE_RETURN_NETDEV_TX = 9,   /* netdev_tx_t */
	WIRE_RETURN_GRO = 10,        /* gro_result_t */
};

struct wire_probe {
	__u64 address;
	__u16 index;
	__u8 kind;        /* enum wire_probe_kind */
	__u8 argument;    /* position of the sk_buff, 1 to 5 */
	__u8 return_kind; /* enum wire_return_kind */
	__u8 reserved[3];
	/* name: without the compiler's suffix (`__netif_receive_skb_core`); symbol: as the kernel lists it
	 * (`__netif_receive_skb_core.constprop.0`); module: empty for the kernel itself */
};

struct wire_symbol {
	__u64 address; /* as it stands in a stack or as a drop location; function start + offset */
	__u64 start;   /* of the function that holds it; 0 when it is unknown */
};

struct wire_drop_reason {
	__u32 value; /* subsystem reasons included: subsystem << 16 | number */
	__u32 reserved;
};

#define WIRE_NAMESPACE_NODE 1 /* the machine's own */
#define WIRE_NAMESPACE_GONE 2 /* it went away while traced */

struct wire_namespace {
	__u64 inode;
	__u32 flags; /* WIRE_NAMESPACE_* */
	__u32 reserved;
};

/* wire_member.flags */
#define WIRE_MEMBER_NODE 1u /* the namespace is the first one of the kernel: that of the machine */
#define WIRE_MEMBER_GONE 2u /* no process of this name is in this namespace and these cgroups any more */
#define WIRE_MEMBER_CUT 4u  /* a path has more levels than fit: the outermost are missing */

/*
 * Who is in a network namespace: processes of one name, in one cgroup of each version. Told when first seen, and when the last
 * is gone. A path begins with `/` and starts at the root of the hierarchy; it is empty when it is not known. That of version 1 is
 * the memory controller's, empty when that controller is in the hierarchy of version 2.
 */
struct wire_member {
	__u64 netns_cookie; /* 0: this kernel has none */
	__u64 observed_monotonic_ns;
	__u64 start_monotonic_ns; /* of the process that was seen first */
	__u64 cgroup_id;          /* of version 2; unlike a path, never used again */
	__u64 cgroup_v1_id;       /* 0: as the path, not known */
	__u32 netns_inode;
	__u32 process_id; /* of that process, as the first process namespace numbers it */
	__u32 flags;      /* WIRE_MEMBER_* */
	__u32 reserved;
	char process_name[16];
};

enum wire_inventory_method {
	WIRE_INVENTORY_NONE = 0,     /* this kernel or these rights allow no scan: nothing is known of namespaces */
	WIRE_INVENTORY_ITERATOR = 1, /* the kernel's iterator of tasks */
	WIRE_INVENTORY_WALK = 2,     /* the list of processes, followed by the program itself */
};

/* A scan: every process that lived all the time from its start to its end has been told of, if `lost` is 0. */
struct wire_inventory {
	__u64 start_monotonic_ns;
	__u64 end_monotonic_ns;
	__u64 lost; /* since the start: reports for which there was no room */
	__u32 method;
	__u32 tasks; /* that were looked at */
	__u32 members;
	__u32 is_live; /* 1: new members are told of between scans too */
};

enum wire_request_source {
	WIRE_REQUEST_SOURCE_NONE = 0,       /* the bytes belong to no trace */
	WIRE_REQUEST_SOURCE_HTTP1 = 1,      /* a header of HTTP/1.x */
	WIRE_REQUEST_SOURCE_HTTP2 = 2,      /* a header of HTTP/2, gRPC included */
	WIRE_REQUEST_SOURCE_TCP_OPTION = 3, /* TCP option 25, as OpenTelemetry's eBPF instrumentation writes it */
	WIRE_REQUEST_SOURCE_THREAD = 4,     /* the thread context record that the application's runtime publishes */
	WIRE_REQUEST_SOURCE_TLS = 5,        /* what was handed to the application's TLS library */
	WIRE_REQUEST_SOURCE_HELPER = 6,     /* the application told it: skbspan/register */
};

/* wire_request.flags */
#define WIRE_REQUEST_RESPONSE 1u /* the bytes answer the request */
#define WIRE_REQUEST_RECEIVED 2u /* seen where they were read from the socket; otherwise where they were written */
#define WIRE_REQUEST_OPENING 4u  /* told before the connection was open: without a sequence, covers what opens it */
#define WIRE_REQUEST_PENDING 8u  /* the header is not complete yet: another frame with this sequence tells whose */

/*
 * Whose the bytes are that an application sends on a TCP connection: from `sequence` on, in the direction from source to
 * destination, they belong to this request, until the next frame for that direction says otherwise. Told when it changes, and
 * before the journeys of the packets that carry them, unless PENDING. Both ends of a connection on one node tell, each with
 * the addresses that it sees.
 *
 * One with ip_version 0 is of no connection: it says that requests are going to be told, so that packets that open a connection wait
 * for the request that it is opened for. It comes before the first journey.
 */
struct wire_request {
	__u64 reserved; /* 0: in the ring buffer an sk_buff's address stands here in a journey */
	__u64 observed_monotonic_ns;
	__u64 netns_cookie; /* of the socket; 0: this kernel has none */
	__u32 netns_inode;
	__u32 sequence; /* of the first byte */
	__u32 stream;   /* of HTTP/2; 0: none */
	__u32 process_id;
	__u8 source[16]; /* addresses as in wire_context */
	__u8 destination[16];
	__u16 source_port;
	__u16 destination_port;
	__u8 ip_version;
	__u8 request_source; /* enum wire_request_source */
	__u8 trace_flags;    /* of W3C trace context: 1 sampled */
	__u8 flags;          /* WIRE_REQUEST_* */
	__u8 trace_id[16];   /* zeros: none */
	__u8 span_id[8];
	__u32 length; /* bytes that it holds for, and only where nothing else is known of them; 0: until the next frame */
	__u32 reserved1;
};

enum wire_stat {
	WIRE_STAT_STARTED = 0,   /* journeys begun: matched, sampled in, and a slot was free */
	WIRE_STAT_SENT = 1,      /* journeys written to the stream */
	WIRE_STAT_DELIVERED = 2, /* ended, by end; each was sent, lost or discarded */
	WIRE_STAT_TRANSMITTED = 3,
	WIRE_STAT_DROPPED = 4,
	WIRE_STAT_MERGED = 5,
	WIRE_STAT_CONSUMED = 6,
	WIRE_STAT_EXPIRED = 7,
	WIRE_STAT_NOT_MATCHED = 8, /* looks at a packet that did not match (a packet may be looked at several times) */
	WIRE_STAT_SAMPLED_OUT = 9, /* matched, but --sample chose others */
	WIRE_STAT_RATE_LIMITED = 10,    /* matched, but --rate was used up */
	WIRE_STAT_DISCARDED = 11,       /* ended, and --dropped-only or --min-duration did not want it */
	WIRE_STAT_LOST_TABLE_FULL = 12, /* journeys lost: no free slot */
	WIRE_STAT_LOST_RING_FULL = 13,  /* journeys lost: the ring buffer was full */
	WIRE_STAT_LOST_HOPS = 14,       /* hops lost: the journey's slot was full */
	WIRE_STAT_LOST_MISSED = 15,     /* probe hits that the kernel itself skipped (recursion) */
	WIRE_STAT_UNREADABLE = 16,      /* packets whose headers could not be read */
	WIRE_STAT_HOPS = 17,            /* hops recorded */
	WIRE_STAT_LIVE = 18,            /* journeys under way now */
	WIRE_STAT_LOST_OUTPUT = 19,     /* journeys lost: the stream could not be written */
	WIRE_STAT_REQUESTS = 20,        /* requests whose trace context was found, each end of a connection counted */
	WIRE_STAT_REQUESTS_PLAIN = 21,  /* requests that carry none */
	WIRE_STAT_REQUESTS_UNREAD = 22, /* sends and reads not followed: memory not readable, order lost, too long */
	WIRE_STAT_LOST_REQUESTS = 23,   /* frames lost: the ring buffer was full */
	WIRE_STAT_NOT_SAMPLED = 24,     /* looks at a packet that --sampled-only left out */
	WIRE_STAT_COUNT = 25,
};

struct wire_stats {
	__u64 monotonic_ns;
	__u64 values[WIRE_STAT_COUNT]; /* since the start; indexed by enum wire_stat */
};

struct wire_clock {
	__u64 monotonic_ns;
	__u64 realtime_ns;
};

enum wire_message_level {
	WIRE_MESSAGE_INFO = 1,
	WIRE_MESSAGE_WARNING = 2,
};

struct wire_message {
	__u32 level; /* enum wire_message_level */
	__u32 reserved;
};

enum wire_end_cause {
	WIRE_END_REQUESTED = 1, /* signal, or the parent went away */
	WIRE_END_LIMIT = 2,     /* --journeys or --for */
	WIRE_END_FAILURE = 3,
};

struct wire_end {
	__u64 monotonic_ns;
	__u32 cause; /* enum wire_end_cause */
	__u32 reserved;
};

enum wire_journey_end {
	WIRE_JOURNEY_UNKNOWN = 0,
	WIRE_JOURNEY_DELIVERED = 1,
	WIRE_JOURNEY_TRANSMITTED = 2,
	WIRE_JOURNEY_DROPPED = 3,
	WIRE_JOURNEY_MERGED = 4,
	WIRE_JOURNEY_CONSUMED = 5,
	WIRE_JOURNEY_EXPIRED = 6,
};

/* wire_journey.flags */
#define WIRE_JOURNEY_CLONE 1u /* at first sight its data was shared with another sk_buff: a copy of some packet */
#define WIRE_JOURNEY_STARTED_LATE 2u /* first seen at its end (a drop that no earlier probe saw) */
#define WIRE_JOURNEY_IN_PROCESS 4u   /* pid and comm are those of the process that sent it */
#define WIRE_JOURNEY_END_INFERRED 8u /* the end was concluded, not seen (copied to a socket; the sk_buff was reused) */

struct wire_journey {
	__u64 skb; /* kernel address of the sk_buff */
	__u64 start_monotonic_ns;
	__u64 end_monotonic_ns;
	__u64 drop_location; /* return address in the function that dropped; 0: not dropped, or not known */
	__u32 drop_reason;
	__u32 flags;
	__u16 used_units;
	__u16 lost_hops;
	__u16 start_cpu;
	__u8 end; /* enum wire_journey_end */
	__u8 reserved;
	__u32 thread_id;
	__u32 process_id;
	char process_name[16];
};

#define WIRE_UNIT_BYTES 24
#define WIRE_UNIT_CONTEXT 0xffff
#define WIRE_UNIT_STACK 0xfffe

struct wire_hop {
	__u64 enter_monotonic_ns;
	__u64 leave_monotonic_ns; /* 0: not observed */
	__s32 return_value;       /* low 32 bits; meaningful only when leave_monotonic_ns is not 0 */
	__u16 probe;
	__u16 cpu;
};

/* The kernel's stack: after every hop of a tracepoint on the tracepoint backend, and at a drop on every backend (there is no
 * tracepoint hop before it then). */
struct wire_stack {
	__u64 observed_monotonic_ns;
	__u64 reserved;
	__u32 frame_count; /* return addresses follow, innermost first, 3 a unit */
	__u16 probe;       /* WIRE_UNIT_STACK */
	__u16 cpu;
};

/* wire_context.flags */
#define WIRE_CONTEXT_LINK_HEADER 1u /* source_mac and destination_mac were read */
#define WIRE_CONTEXT_NETWORK 2u     /* addresses and the fields of the network header were read */
#define WIRE_CONTEXT_TRANSPORT 4u   /* ports, or the ICMP fields, were read */

/* wire_context.changed: what differs from the context before (0 in the first) */
#define WIRE_CHANGED_NETNS 1u
#define WIRE_CHANGED_INTERFACE 2u
#define WIRE_CHANGED_MARK 4u
#define WIRE_CHANGED_SOURCE 8u       /* address or port */
#define WIRE_CHANGED_DESTINATION 16u /* address or port */
#define WIRE_CHANGED_LENGTH 32u
#define WIRE_CHANGED_PROTOCOL 64u /* encapsulated or decapsulated */
#define WIRE_CHANGED_TTL 128u

/* What the packet looked like, at first sight, whenever it changed, and at the end. Ports and other
 * multi-byte header fields are in machine order; addresses are as on the wire, an IPv4 address in the first 4 bytes. */
struct wire_context {
	__u64 observed_monotonic_ns;
	__u64 netns_cookie; /* 0: unknown */
	__u32 netns_inode;  /* 0: unknown */
	__u16 probe;        /* WIRE_UNIT_CONTEXT */
	__u16 cpu;
	__u32 interface_index; /* 0: none */
	__u32 mark;
	__u32 length; /* bytes from the network header on: does not change as layers push and pull headers */
	__u16 gso_segments;
	__u16 gso_bytes;
	char interface_name[16];
	__u8 source[16];
	__u8 destination[16];
	__u16 source_port;
	__u16 destination_port;
	__u16 ethertype;
	__u16 vlan; /* tag control information, 0: none */
	__u8 ip_version;
	__u8 transport; /* IP protocol number */
	__u8 ttl;
	__u8 traffic_class;
	__u32 ip_id;         /* IPv4 identification; IPv6 flow label */
	__u16 fragment;      /* IPv4 flags and offset; IPv6: of the fragment header, 0: none */
	__u16 network_bytes; /* total length by the network header, 0 when it does not say (GSO) */
	__u32 tcp_sequence;
	__u32 tcp_acknowledgement;
	__u16 tcp_window;
	__u8 tcp_flags;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 arp_operation;
	__u16 changed; /* WIRE_CHANGED_* */
	__u16 icmp_id;
	__u16 icmp_sequence;
	__u8 source_mac[6];
	__u8 destination_mac[6];
	__u16 at_probe; /* index of the probe where it was observed */
	__u8 flags;     /* WIRE_CONTEXT_* */
	__u8 transport_header_bytes;
};

#define WIRE_CONTEXT_UNITS 6
_Static_assert(sizeof(struct wire_hop) == WIRE_UNIT_BYTES, "a hop is one unit");
_Static_assert(sizeof(struct wire_stack) == WIRE_UNIT_BYTES, "a stack's head is one unit");
_Static_assert(sizeof(struct wire_context) == WIRE_CONTEXT_UNITS * WIRE_UNIT_BYTES, "a context is six units");
_Static_assert(sizeof(struct wire_journey) % 8 == 0, "units follow the journey aligned");
_Static_assert(sizeof(struct wire_request) == 112, "no holes");

#endif
