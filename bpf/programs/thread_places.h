/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Where processes keep the pointer to a thread's active trace context: what thread_context.h and the tracer's user space both know. */
#ifndef SKBSPAN_THREAD_PLACES_H
#define SKBSPAN_THREAD_PLACES_H

#include <linux/types.h>

enum thread_place_kind {
	THREAD_PLACE_STATIC = 1, /* `offset` from the thread pointer */
	THREAD_PLACE_DTV_GLIBC =
		2, /* `offset` in the block of `module`, which the thread's table (DTV) has the address of */
	THREAD_PLACE_DTV_MUSL = 3,
};

struct thread_place {
	__s64 offset;
	__u32 module;
	__u32 kind; /* enum thread_place_kind */
};

/*
 * An executable, whichever process runs it. Not the device: what a process's file is on, an overlay say, has one number for the
 * kernel and another for stat().
 */
struct thread_file {
	__u64 inode;
	__u64 bytes;
};

/* Of a process whose variable is in a library, which is somewhere else in each process. */
struct thread_process {
	struct thread_file file; /* it executes: another after execve() */
	__u64 start_ticks;       /* since boot, as /proc/PID/stat has it: process ids are used again */
	struct thread_place place;
};

#define THREAD_TICK_NS 10000000ull /* USER_HZ is 100 on every architecture of today */
#define MOST_THREAD_FILES 1024
#define MOST_THREAD_PROCESSES 4096

#endif
