/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Fills struct probe_table (programs/shared.h): cookies by the addresses of functions. */
#ifndef SKBSPAN_PROBE_TABLE_H
#define SKBSPAN_PROBE_TABLE_H

#include "../programs/shared.h"
#include "plan.h"

/* Every function of the plan that finds a place; returns how many did not. */
size_t probe_table__fill(struct probe_table *table, const struct plan *plan);

#endif
