/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Who is in which network namespace, as far as the scans have told; see struct wire_member. */
#ifndef SKBSPAN_MEMBERS_H
#define SKBSPAN_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../wire.h"

#define MOST_MEMBERS 65536

struct member_table;

typedef void (*member_gone)(void *context, const struct wire_member *member);

/* NULL when out of memory. */
struct member_table *member_table__new(void);

/* Notes that the scan of this number, or a report after it, saw the member. True: for the first time. */
bool member_table__see(struct member_table *table, const struct wire_member *member, uint64_t scan);

/* Whether a member is in the namespace. */
bool member_table__knows(const struct member_table *table, uint64_t netns_cookie);

/* Forgets the members that were not seen since the scan, and tells of each. */
void member_table__sweep(struct member_table *table, uint64_t scan, member_gone gone, void *context);

size_t member_table__count(const struct member_table *table);

/* Members for which there was no room, or no memory. */
uint64_t member_table__lost(const struct member_table *table);

void member_table__free(struct member_table *table);

#endif
