/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Writes frames (wire.h). Small frames are gathered in a buffer of fixed size; a reader that is slow holds the writer
 * up, it never makes it grow. After a write failed nothing more is written: frames are counted as lost.
 */
#ifndef SKBSPAN_STREAM_H
#define SKBSPAN_STREAM_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "../wire.h"

struct stream;

/*
 * Writes the prologue. `stopping` (may be NULL) is what a signal handler sets: once it is set, a reader that takes
 * nothing for 2 seconds is given up. NULL when out of memory. SIGPIPE must be ignored.
 */
struct stream *stream__new(int fd, const volatile sig_atomic_t *stopping);

/* Strings may be NULL: written as "". */
void stream__hello(struct stream *stream, const struct wire_hello *hello);
void stream__probe(struct stream *stream, const struct wire_probe *probe, const char *name, const char *symbol,
		   const char *module);
void stream__symbol(struct stream *stream, uint64_t address, uint64_t start, const char *name);
void stream__drop_reason(struct stream *stream, uint32_t value, const char *name);
void stream__namespace(struct stream *stream, uint64_t inode, uint32_t flags, const char *name);
void stream__member(struct stream *stream, const struct wire_member *member, const char *path, const char *path_v1);
void stream__inventory(struct stream *stream, const struct wire_inventory *inventory);
void stream__journey(struct stream *stream, const struct wire_journey *journey, size_t bytes);
void stream__request(struct stream *stream, const struct wire_request *request);
void stream__stats(struct stream *stream, const struct wire_stats *stats);
void stream__clock(struct stream *stream); /* both clocks, read now */
void stream__message(struct stream *stream, enum wire_message_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void stream__end(struct stream *stream, enum wire_end_cause cause); /* and flushes */

/* Writes what is buffered. Returns 0, or the errno of the first write that failed, for ever after. */
int stream__flush(struct stream *stream);

/* 0, or the errno of the first write that failed: EPIPE (the reader went away), ENOSPC, ETIMEDOUT (see `stopping`). */
int stream__error(const struct stream *stream);

/* Journeys that were not written whole because a write failed. */
uint64_t stream__lost_journeys(const struct stream *stream);

/* Does not flush, does not close the descriptor that it was given. */
void stream__free(struct stream *stream);

#endif
