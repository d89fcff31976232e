/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The programs and libraries that running processes execute. */
#ifndef SKBSPAN_MAPPED_FILES_H
#define SKBSPAN_MAPPED_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_MAPPED_FILES 4096 /* distinct ones: others are not looked at */

struct mapped_file {
	int process;
	const char *path;   /* where this process can open it, whatever the process's root is */
	const char *name;   /* as the process itself sees it */
	uint64_t base;      /* address of the file's first byte in the process */
	size_t number;      /* of the distinct file, from 0 */
	bool is_first;      /* no process before had it */
	bool is_executable; /* not a library */
	bool is_musl;       /* the process's C library is musl */
};

/* Calls for every file that a process of /proc executes, as far as rights allow. Returns how many distinct files there were. */
size_t mapped_files__each(void (*on_file)(void *context, const struct mapped_file *file), void *context);

#endif
