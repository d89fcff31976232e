/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The kernel's tracepoints that are given an sk_buff, as its BTF describes them to raw tracepoint programs. */
#ifndef SKBSPAN_TRACEPOINTS_H
#define SKBSPAN_TRACEPOINTS_H

#include <stddef.h>
#include <stdint.h>

struct traced_tracepoint {
	const char *name;       /* "kfree_skb" */
	const char *module;     /* "" for the kernel itself */
	uint8_t argument;       /* position of the sk_buff in ctx->args, from 0 */
	uint8_t argument_count; /* of ctx->args */
	int8_t reason_argument; /* position of an enum skb_drop_reason, from 0; -1: none */
};

struct tracepoint_table {
	struct traced_tracepoint *tracepoints; /* by name */
	size_t count;
};

/* NULL when the kernel has no BTF. Names stay valid until kernel_btf__free_all. */
struct tracepoint_table *tracepoint_table__discover(void);

/* NULL: there is no such tracepoint, or it is given no sk_buff. */
const struct traced_tracepoint *tracepoint_table__find(const struct tracepoint_table *table, const char *name);

void tracepoint_table__free(struct tracepoint_table *table);

#endif
