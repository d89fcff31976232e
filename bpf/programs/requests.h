/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What requests.bpf.c and the tracer's user space both know. */
#ifndef SKBSPAN_REQUESTS_H
#define SKBSPAN_REQUESTS_H

#include <linux/types.h>

struct requests_settings {
	__u64 page_offset_base_at; /* addresses of the kernel's variables; 0: pages cannot be read */
	__u64 vmemmap_base_at;
	__u64 sampled_for_ns;   /* how long a connection counts as sampled after its last sampled request */
	__u64 infers_responses; /* what is received cannot be read: what comes after a request answers it */
	__u64 sources;          /* bits of enum wire_request_source */
};

#endif
