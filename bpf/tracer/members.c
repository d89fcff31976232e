// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "members.h"

#include <stdlib.h>
#include <string.h>

#define PLACES (2 * MOST_MEMBERS) /* a power of two, never more than half full */
#define EMPTY 0u

struct entry {
	struct wire_member member;
	uint64_t seen_in; /* number of a scan */
};

/* Both indexes hold the number of an entry plus one, found by linear probing. They are made anew when entries go. */
struct member_table {
	struct entry *entries;
	size_t count, capacity;
	uint64_t lost;
	uint32_t by_member[PLACES];
	uint32_t by_namespace[PLACES]; /* one entry of each */
};

static uint64_t hash__add(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 32;
}

static uint64_t member__netns(const struct wire_member *member)
{
	return member->netns_cookie ? member->netns_cookie : member->netns_inode;
}

static uint32_t member__place(const struct wire_member *member)
{
	uint64_t name[2], hash = hash__add(member__netns(member), member->cgroup_id);

	memcpy(name, member->process_name, sizeof(name));
	return hash__add(hash__add(hash__add(hash, member->cgroup_v1_id), name[0]), name[1]) % PLACES;
}

static bool member__equals(const struct wire_member *left, const struct wire_member *right)
{
	return member__netns(left) == member__netns(right) && left->cgroup_id == right->cgroup_id &&
	       left->cgroup_v1_id == right->cgroup_v1_id &&
	       !memcmp(left->process_name, right->process_name, sizeof(left->process_name));
}

static uint32_t *table__find(struct member_table *table, const struct wire_member *member)
{
	uint32_t at = member__place(member);

	while (table->by_member[at] != EMPTY &&
	       !member__equals(&table->entries[table->by_member[at] - 1].member, member))
		at = (at + 1) % PLACES;
	return &table->by_member[at];
}

static uint32_t table__find_namespace(const struct member_table *table, uint64_t netns)
{
	uint32_t at = hash__add(0, netns) % PLACES;

	while (table->by_namespace[at] != EMPTY &&
	       member__netns(&table->entries[table->by_namespace[at] - 1].member) != netns)
		at = (at + 1) % PLACES;
	return at;
}

static bool table__grow(struct member_table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : 256;
	struct entry *grown;

	if (table->count < table->capacity)
		return true;
	if (table->count == MOST_MEMBERS)
		return false;
	grown = realloc(table->entries, capacity * sizeof(*grown));
	if (!grown)
		return false;
	table->entries = grown;
	table->capacity = capacity;
	return true;
}

bool member_table__see(struct member_table *table, const struct wire_member *member, uint64_t scan)
{
	uint32_t *place = table__find(table, member);

	if (*place != EMPTY) {
		table->entries[*place - 1].seen_in = scan;
		return false;
	}
	if (!table__grow(table)) {
		table->lost++;
		return false;
	}
	table->entries[table->count++] = (struct entry){ *member, scan };
	*place = table->count;
	table->by_namespace[table__find_namespace(table, member__netns(member))] = table->count;
	return true;
}

bool member_table__knows(const struct member_table *table, uint64_t netns_cookie)
{
	return table->by_namespace[table__find_namespace(table, netns_cookie)] != EMPTY;
}

static void table__index(struct member_table *table)
{
	memset(table->by_member, 0, sizeof(table->by_member));
	memset(table->by_namespace, 0, sizeof(table->by_namespace));
	for (size_t i = 0; i < table->count; i++) {
		const struct wire_member *member = &table->entries[i].member;

		*table__find(table, member) = i + 1;
		table->by_namespace[table__find_namespace(table, member__netns(member))] = i + 1;
	}
}

void member_table__sweep(struct member_table *table, uint64_t scan, member_gone gone, void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (table->entries[i].seen_in >= scan)
			table->entries[kept++] = table->entries[i];
		else
			gone(context, &table->entries[i].member);
	}
	if (kept == table->count)
		return;
	table->count = kept;
	table__index(table);
}

size_t member_table__count(const struct member_table *table)
{
	return table->count;
}

uint64_t member_table__lost(const struct member_table *table)
{
	return table->lost;
}

struct member_table *member_table__new(void)
{
	return calloc(1, sizeof(struct member_table));
}

void member_table__free(struct member_table *table)
{
	if (!table)
		return;
	free(table->entries);
	free(table);
}
