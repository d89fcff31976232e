// SPDX-License-Identifier: Apache-2.0
/* The variable of OTEP 4947 in a library of its own, as runtimes have it that load a native part. */
#include "thread_context.h"

__thread struct thread_context *otel_thread_ctx_v1;

void thread_context__publish(struct thread_context *context)
{
	otel_thread_ctx_v1 = context;
}
