/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Every kernel function that has an sk_buff among its first five parameters. */
#ifndef SKBSPAN_FUNCTIONS_H
#define SKBSPAN_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../wire.h"
#include "core_functions.h"

struct symbol_table;

struct traced_function {
	const char *name;    /* as in the source: `__netif_receive_skb_core` */
	const char *symbol;  /* as the kernel lists it: `__netif_receive_skb_core.constprop.0` */
	const char *module;  /* "" for the kernel itself */
	uint64_t address;    /* 0: hidden, or there is no symbol */
	uint8_t argument;    /* position of the sk_buff, 1 to 5 */
	uint8_t return_kind; /* enum wire_return_kind */
	enum layer layer;
	bool attachable;    /* as far as the kernel tells: it may still refuse */
	bool chosen;        /* by function_table__choose; implies attachable */
	const char *reason; /* why it is not attachable; NULL when it is */
};

struct function_table {
	struct traced_function *functions; /* by name, then module */
	size_t count;
	size_t attachable;
	bool attachable_known; /* false: available_filter_functions could not be read, `attachable` is a guess */
};

/* Needs the kernel's BTF. NULL with a message in `error` on failure. `symbols` must outlive the table. */
struct function_table *function_table__discover(const struct symbol_table *symbols, char *error, size_t error_bytes);

/*
 * Marks what the probe set chooses among the attachable functions: "drops" (none: the tracepoint is enough), "core",
 * "all", or "/regex/", a POSIX extended regular expression that is looked for in the name. Returns the number chosen,
 * or -1 with a message in `error`: the set is unknown, the expression is wrong, or nothing that is attachable matches.
 */
int function_table__choose(struct function_table *table, const char *probes, char *error, size_t error_bytes);

/* Whether `probes` is well-formed, without a kernel: 0, or -1 with a message in `error`. */
int probe_set__check(const char *probes, char *error, size_t error_bytes);

/* Says of every function that it cannot be attached, and why: for kernels that attach nothing at all. */
void function_table__forbid(struct function_table *table, const char *reason);

/* The first function with this name, or NULL. */
const struct traced_function *function_table__find(const struct function_table *table, const char *name);

void function_table__free(struct function_table *table);

#endif
