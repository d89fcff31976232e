/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Takes finished journeys from the kernel to the stream, and ends those that the kernel cannot end. */
#ifndef SKBSPAN_DRAIN_H
#define SKBSPAN_DRAIN_H

#include <stddef.h>
#include <stdint.h>

struct attachment;
struct bpf_object;
struct drain;
struct inventory;
struct stream;
struct symbol_table;

struct drain_options {
	uint32_t slots;
	uint64_t expire_ns;
	const struct symbol_table *symbols;
	const struct attachment *attachment;
	struct inventory *inventory; /* is told of namespaces that packets were in */
};

/* NULL with a message in `error` on failure. Options and what they point to must outlive the drain. */
struct drain *drain__new(struct bpf_object *object, struct stream *stream, const struct drain_options *options,
			 char *error, size_t error_bytes);

/* While the kernel finishes journeys faster than they are written, limits and signals still have to be looked at. */
#define DRAIN_TAKE_MOST 256

/* Writes out what the kernel has finished. Returns the number of journeys, at most DRAIN_TAKE_MOST. */
size_t drain__take(struct drain *drain);

/* Ends journeys that are older than they may be, and those whose last returns were missed. Call a few times a second. */
void drain__expire(struct drain *drain);

/* Ends every journey that is still under way: after detaching, nothing else will. */
void drain__expire_all(struct drain *drain);

/* Writes a STATS frame. */
void drain__write_stats(struct drain *drain);

/* Journeys written so far. */
uint64_t drain__sent(const struct drain *drain);

void drain__free(struct drain *drain);

#endif
