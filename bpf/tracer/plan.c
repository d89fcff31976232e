// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "functions.h"
#include "tracepoints.h"

/* Room for the tracepoints beside the functions. */
#define MOST_TRACEPOINTS 64

static struct probe *plan__add(struct plan *plan, uint8_t kind, const char *name, uint8_t argument, uint64_t cookie)
{
	struct probe *probe = &plan->probes[plan->count];

	*probe = (struct probe){
		.name = name,
		.symbol = name,
		.module = "",
		.kind = kind,
		.argument = argument,
		.cookie = cookie | plan->count,
	};
	plan->count++;
	if (cookie & PROBE_RECORD)
		plan->chosen++;
	return probe;
}

static void plan__add_function(struct plan *plan, const struct traced_function *function)
{
	const struct function_role *role = function_role__find(function->name);
	uint64_t cookie = (role ? role->cookie : 0) | (function->chosen ? PROBE_RECORD : 0);
	uint8_t argument = role && role->argument ? role->argument : function->argument;
	struct probe *probe = plan__add(plan, WIRE_PROBE_FUNCTION, function->name, argument, cookie);

	probe->symbol = function->symbol;
	probe->module = function->module;
	probe->address = function->address;
	probe->role = role ? role->role : ROLE_HOP;
	probe->return_kind = function->return_kind;
}

static void plan__add_tracepoint(struct plan *plan, const char *name, uint8_t argument, uint64_t cookie, uint8_t place)
{
	plan__add(plan, WIRE_PROBE_TRACEPOINT, name, argument, cookie)->place = place;
}

static void plan__add_tracepoints(struct plan *plan, enum wire_backend backend)
{
	struct tracepoint_table *table = tracepoint_table__discover();
	bool are_hops = backend == WIRE_BACKEND_TRACEPOINT || backend == WIRE_BACKEND_DROPS;
	uint64_t hop = are_hops ? PROBE_RECORD | PROBE_STACK : 0;
	uint8_t sight = TRACEPOINT_SIGHT_0;

	for (size_t i = 0; table && i < table->count; i++) {
		const struct traced_tracepoint *tracepoint = &table->tracepoints[i];
		const struct tracepoint_role *role = tracepoint_role__find(tracepoint->name);

		if (!role)
			continue;
		if (role->place == TRACEPOINT_SIGHT_0) {
			if (backend == WIRE_BACKEND_TRACEPOINT && sight < TRACEPOINT_PLACES)
				plan__add_tracepoint(plan, role->name, tracepoint->argument, role->cookie | hop,
						     sight++);
		} else if (role->place == TRACEPOINT_DROP || backend != WIRE_BACKEND_DROPS) {
			plan__add_tracepoint(plan, role->name, tracepoint->argument, role->cookie | hop, role->place);
		}
	}
	if (backend == WIRE_BACKEND_TRACEPOINT)
		plan__add_tracepoint(plan, "kmem_cache_free", 1, 0, TRACEPOINT_FREED);
	tracepoint_table__free(table);
}

int plan__make(struct plan *plan, enum wire_backend backend, const struct function_table *functions)
{
	size_t most = MOST_TRACEPOINTS + (functions ? functions->count : 0);

	memset(plan, 0, sizeof(*plan));
	plan->probes = calloc(most, sizeof(*plan->probes));
	if (!plan->probes)
		return -1;
	plan__add_tracepoints(plan, backend);
	for (size_t i = 0; functions && i < functions->count; i++) {
		const struct traced_function *function = &functions->functions[i];

		if (function->attachable && (function->chosen || function_role__find(function->name)))
			plan__add_function(plan, function);
	}
	return 0;
}

size_t plan__attached(const struct plan *plan)
{
	size_t attached = 0;

	for (size_t i = 0; i < plan->count; i++)
		attached += plan->probes[i].attached && plan->probes[i].cookie & PROBE_RECORD;
	return attached;
}

void plan__free(struct plan *plan)
{
	free(plan->probes);
	memset(plan, 0, sizeof(*plan));
}
