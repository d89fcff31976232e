/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The BPF object, as it is compiled into the tracer, made ready for this kernel and this filter before libbpf opens it. */
#ifndef SKBSPAN_OBJECT_H
#define SKBSPAN_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct filter_program;

/* BTF ids of the kernel functions that kprobe.session programs call; 0 where the kernel has none. */
struct session_functions {
	uint32_t is_return;
	uint32_t cookie;
};

/* Looks the functions up in the kernel's BTF. */
struct session_functions session_functions__find(void);

/*
 * Copies the embedded object, writes the filter over its placeholder and turns the marked calls into calls of the
 * kernel's functions, then opens it. Nothing is loaded yet. NULL with a message in `error` on failure.
 */
struct bpf_object *tracer_object__open(const struct filter_program *filter, const struct session_functions *session,
				       char *error, size_t error_bytes);

#endif
