/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Rights: which this process has, and letting go of them. */
#ifndef SKBSPAN_CAPABILITIES_H
#define SKBSPAN_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Effective capabilities, bit n for capability n (CAP_BPF 39, CAP_PERFMON 38, CAP_SYS_ADMIN 21, CAP_SYSLOG 34). */
uint64_t capabilities__effective(void);

bool capabilities__has(int capability);

/*
 * Gives up every capability for good: effective, permitted, inheritable, ambient and bounding sets, and no_new_privs.
 * Descriptors that are open keep working: maps and the ring buffer stay readable. Call it after attaching.
 * Returns 0, or -1 with a message in `error` (then some may be left).
 */
int capabilities__drop_all(char *error, size_t error_bytes);

/*
 * Asks the kernel for `signal` when the parent goes away. Returns false when it has gone already, `parent` being its
 * process id as it was at the start (getppid() taken first thing in main).
 */
bool parent__watch(int signal, int parent);

#endif
