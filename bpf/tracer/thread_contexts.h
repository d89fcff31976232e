/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Which processes publish the trace context of their threads (OTEP 4947), and where. */
#ifndef SKBSPAN_THREAD_CONTEXTS_H
#define SKBSPAN_THREAD_CONTEXTS_H

#include <stddef.h>

struct bpf_object;

/* Tells the programs of `object`, which is loaded, of the processes that run now. `said` gets a sentence: how many there are. */
void thread_contexts__find(struct bpf_object *object, char *said, size_t said_bytes);

#endif
