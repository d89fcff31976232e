/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Runs the parser where it belongs: in this machine's kernel. */
#ifndef SKBSPAN_HTTP_TEST_KERNEL_H
#define SKBSPAN_HTTP_TEST_KERNEL_H

#include <stddef.h>
#include <stdint.h>

struct http_parser;
struct kernel;

/* NULL with a message on standard error when the rights or the kernel do not allow it. */
struct kernel *kernel__open(void);
void kernel__close(struct kernel *kernel);

/* Takes the bytes, starting from the parser's state and leaving it as it is then; `events` gets a byte for each. */
int kernel__run(struct kernel *kernel, struct http_parser *p, const uint8_t *bytes, size_t count, uint8_t *events);

/* Instructions that the verifier looked at, 0: this kernel does not tell. */
uint32_t kernel__verified_insns(const struct kernel *kernel);

#endif
