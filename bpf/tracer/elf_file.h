/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What an ELF file exports (.dynsym). */
#ifndef SKBSPAN_ELF_FILE_H
#define SKBSPAN_ELF_FILE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the file exports this function. */
bool elf_file__exports_function(const char *path, const char *name);

/* How a thread's variable is found in a process. */
enum thread_variable_kind {
	THREAD_VARIABLE_NONE = 0,   /* the file defines none of this name */
	THREAD_VARIABLE_STATIC,     /* of an executable: `offset` from the thread pointer */
	THREAD_VARIABLE_OFFSET,     /* at `slot` the loader has put the offset from the thread pointer */
	THREAD_VARIABLE_MODULE,     /* at `slot` the loader has put the module's number; `offset` is in its block */
	THREAD_VARIABLE_DESCRIPTOR, /* at `slot` the loader has put a function and its argument (TLSDESC) */
	THREAD_VARIABLE_UNKNOWN,    /* it is defined, but nothing tells where it is */
};

struct thread_variable {
	enum thread_variable_kind kind;
	int64_t offset;
	uint64_t slot; /* from the file's first byte, as it is mapped */
};

/* Of x86-64 only: THREAD_VARIABLE_NONE for others. */
struct thread_variable elf_file__find_thread_variable(const char *path, const char *name);

#endif
