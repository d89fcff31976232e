/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Small files of /proc and /sys, whose size is not known before they are read. */
#ifndef SKBSPAN_FILE_H
#define SKBSPAN_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The whole file with a zero after it, to be freed; NULL and errno on failure. `bytes` (may be NULL) is without the zero. */
char *file__read(const char *path, size_t *bytes);

/* As file__read, of what is open at `fd`, which stays open. */
char *descriptor__read(int fd, size_t *bytes);

/* The file's number, or false when it cannot be read or is none. */
bool file__read_number(const char *path, long *number);

#endif
