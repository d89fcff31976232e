/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Network namespaces that have a name, and what a user means by --netns. */
#ifndef SKBSPAN_NAMESPACES_H
#define SKBSPAN_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct named_namespace {
	uint64_t inode;
	char name[256];
};

enum namespace_change {
	NAMESPACE_FOUND, /* new, or its name changed */
	NAMESPACE_GONE,
};

struct namespace_table;

typedef void (*namespace_changed)(void *context, enum namespace_change change, uint64_t inode, const char *name);

/* NULL when out of memory. Nothing is scanned yet. */
struct namespace_table *namespace_table__new(void);

/* Looks at /run/netns and /var/run/netns and calls `changed` for what differs from the time before. */
void namespace_table__scan(struct namespace_table *table, namespace_changed changed, void *context);

/* As last scanned. */
const struct named_namespace *namespace_table__all(const struct namespace_table *table, size_t *count);

void namespace_table__free(struct namespace_table *table);

/* The machine's own namespace: that of process 1, or of this process when that may not be read. 0: neither may. */
uint64_t namespace__node_inode(void);

/*
 * The inode that `spec` means: a name in /run/netns, a path, an inode number (plain or as "net:[4026531840]"), or
 * "pid:123". Returns 0, or -1 with a message in `error`.
 */
int namespace__resolve(const char *spec, uint64_t *inode, char *error, size_t error_bytes);

#endif
