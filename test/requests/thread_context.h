/* SPDX-License-Identifier: Apache-2.0 */
/* The record of OTEP 4947, as an application publishes it. */
#ifndef THREAD_CONTEXT_H
#define THREAD_CONTEXT_H

#include <stdint.h>

struct thread_context {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t valid;
	uint8_t trace_flags;
	uint16_t attributes_bytes;
} __attribute__((aligned(8)));

void thread_context__publish(struct thread_context *context);

#endif
