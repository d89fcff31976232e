/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What run.bpf.c is given and gives. */
#ifndef SKBSPAN_HTTP_TEST_RUN_H
#define SKBSPAN_HTTP_TEST_RUN_H

#include <linux/types.h>

#define RUN_BYTES 16384 /* a power of two */

struct run_input {
	__u32 count;
	__u8 bytes[RUN_BYTES];
};

struct run_output {
	__u32 taken;
	__u8 events[RUN_BYTES]; /* of the byte at that place; what is skipped has none */
};

#endif
