/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What the BPF programs must know about certain functions and tracepoints: which have readable headers, which end a packet. */
#ifndef SKBSPAN_ROLES_H
#define SKBSPAN_ROLES_H

#include <stdint.h>

#include "../programs/shared.h"

enum probe_role {
	ROLE_HOP,
	ROLE_SIGHT,
	ROLE_PROLOGUE,
	ROLE_END,
	ROLE_RECHECK,
	ROLE_COUNT,
};

struct function_role {
	const char *name;
	enum probe_role role;
	uint64_t cookie;  /* PROBE_* */
	uint8_t argument; /* position of the sk_buff where it is not the first one, else 0 */
};

/* The role of a function that plays one; NULL for a plain hop. */
const struct function_role *function_role__find(const char *name);

/* All of them: they are attached whatever the probe set is, for without them nothing begins or ends. */
extern const struct function_role function_roles[];
extern const int function_role_count;

struct tracepoint_role {
	const char *name;
	enum tracepoint_place place; /* TRACEPOINT_SIGHT_0 stands for any of the sights */
	uint64_t cookie;
};

/* The role of a tracepoint that has an sk_buff; NULL: it cannot be used (the sk_buff may be gone, or has no headers). */
const struct tracepoint_role *tracepoint_role__find(const char *name);

#endif
