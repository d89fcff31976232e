/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Which probes are to be attached: the user's probe set, and what journeys cannot do without. */
#ifndef SKBSPAN_PLAN_H
#define SKBSPAN_PLAN_H

#include "attach.h"

struct function_table;

struct plan {
	struct probe *probes; /* a probe's index in the stream is its place here */
	size_t count;
	size_t chosen; /* functions or tracepoints of the user's probe set */
};

/* `chosen` of the functions in the table says which are the user's; NULL for the tracepoint backend and the set `drops`. */
int plan__make(struct plan *plan, enum wire_backend backend, const struct function_table *functions);

/* After attaching: how many of the user's probes are there. */
size_t plan__attached(const struct plan *plan);

void plan__free(struct plan *plan);

#endif
