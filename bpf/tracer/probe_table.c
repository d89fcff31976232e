// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "probe_table.h"

#include <string.h>

#define MULTIPLIERS 64

static size_t probe_table__fill_with(struct probe_table *table, const struct plan *plan, uint64_t multiplier)
{
	size_t misplaced = 0;

	memset(table, 0, sizeof(*table));
	table->multiplier = multiplier;
	for (size_t i = 0; i < plan->count; i++) {
		const struct probe *probe = &plan->probes[i];
		uint64_t index = PROBE_TABLE_INDEX(probe->address, multiplier);

		if (probe->kind != WIRE_PROBE_FUNCTION)
			continue;
		if (table->entries[index].address) {
			misplaced++;
			continue;
		}
		table->entries[index].address = probe->address;
		table->entries[index].cookie = probe->cookie;
	}
	return misplaced;
}

size_t probe_table__fill(struct probe_table *table, const struct plan *plan)
{
	uint64_t multiplier = 0x9e3779b97f4a7c15ull, best = multiplier;
	size_t fewest = SIZE_MAX;

	for (int i = 0; i < MULTIPLIERS && fewest; i++, multiplier = multiplier * 6364136223846793005ull + 2) {
		size_t misplaced = probe_table__fill_with(table, plan, multiplier);

		if (misplaced < fewest) {
			fewest = misplaced;
			best = multiplier;
		}
	}
	return probe_table__fill_with(table, plan, best);
}
