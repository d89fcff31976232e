/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Names of drop reasons, as the running kernel numbers them. */
#ifndef SKBSPAN_DROP_REASONS_H
#define SKBSPAN_DROP_REASONS_H

#include <stddef.h>
#include <stdint.h>

struct drop_reason {
	uint32_t value; /* a subsystem's reasons have its number in the high half */
	const char
		*name; /* without SKB_DROP_REASON_: "NETFILTER_DROP"; a subsystem's in full: "OVS_DROP_LAST_ACTION" */
};

struct drop_reason_table {
	struct drop_reason *reasons; /* by value */
	size_t count;
};

/* An empty table when the kernel has no reasons (before 5.17) or no BTF; NULL when out of memory. */
struct drop_reason_table *drop_reason_table__discover(void);

void drop_reason_table__free(struct drop_reason_table *table);

#endif
