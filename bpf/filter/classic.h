/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Classic BPF between libpcap, which makes it, and the translator. */
#ifndef SKBSPAN_FILTER_CLASSIC_H
#define SKBSPAN_FILTER_CLASSIC_H

#include <stddef.h>
#include <stdint.h>

/* The same layout as libpcap's struct bpf_insn and the kernel's struct sock_filter. Their headers cannot be included
 * together, so each side knows this one. */
struct classic_insn {
	uint16_t code;
	uint8_t jump_true;
	uint8_t jump_false;
	uint32_t k;
};

struct classic_program {
	struct classic_insn *insns;
	size_t count;
};

struct filter_program;

/* Compiles with libpcap for DLT_EN10MB. Returns 0, or -1 with libpcap's message in `message`. */
int classic__compile(const char *expression, struct classic_program *out, char *message, size_t message_bytes);
void classic__free(struct classic_program *program);

/* Translates to eBPF. Returns 0, or -1 with a message; `out` is then empty. */
int classic__translate(const struct classic_program *program, struct filter_program *out, char *message,
		       size_t message_bytes);

/*
 * Finds where libpcap's `message` about `expression` belongs: byte offset and length of the offending token, length 0
 * at the end of the expression. Returns -1 when the message is about the whole expression.
 */
int classic__locate_error(const char *expression, const char *message, size_t *offset, size_t *length);

#endif
