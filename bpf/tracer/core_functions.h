/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The probe set `core`: the functions that tell a packet's path, by layer. */
#ifndef SKBSPAN_CORE_FUNCTIONS_H
#define SKBSPAN_CORE_FUNCTIONS_H

#include <stddef.h>

enum layer {
	LAYER_NONE = 0, /* not in the core list */
	LAYER_DEVICE,
	LAYER_GRO,
	LAYER_QDISC,
	LAYER_BRIDGE,
	LAYER_NETFILTER,
	LAYER_CONNTRACK,
	LAYER_NAT,
	LAYER_IPV4,
	LAYER_IPV6,
	LAYER_NEIGHBOUR,
	LAYER_XFRM,
	LAYER_TUNNEL,
	LAYER_TCP,
	LAYER_UDP,
	LAYER_ICMP,
	LAYER_SOCKET,
	LAYER_LIFECYCLE,
	LAYER_COUNT,
};

#define CORE_NAMES 4

/* One place on the path. Kernels name it differently, or the compiler inlined it: the first name that is there is taken. */
struct core_function {
	enum layer layer;
	const char *names[CORE_NAMES]; /* NULL after the last one */
};

extern const struct core_function core_functions[];
extern const size_t core_function_count;

/* "device", "ipv4", ...; NULL for LAYER_NONE. */
const char *layer__name(enum layer layer);

#endif
