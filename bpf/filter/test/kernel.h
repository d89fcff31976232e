/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Runs filters where they belong: in this machine's kernel. */
#ifndef SKBSPAN_FILTER_TEST_KERNEL_H
#define SKBSPAN_FILTER_TEST_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "cases.h"

struct filter_program;
struct kernel;

/* NULL with a message on standard error when the rights or the kernel do not allow it. */
struct kernel *kernel__open(void);
void kernel__close(struct kernel *kernel);

/* Splices the filter into a program as the tracer has it, and loads that. Returns its descriptor, or -1 with the
 * verifier's last words on standard error. */
int kernel__load(struct kernel *kernel, const struct filter_program *program);

/* Instructions that the verifier looked at for a loaded program, 0: this kernel does not tell. */
uint32_t kernel__verified_insns(int program);

/* The packet that kernel__matches looks at. What a filter must not see is filled with random bytes. */
void kernel__set_packet(struct kernel *kernel, const struct packet *packet, struct random *random);
/* Takes the packet's far part away: nothing can be read there. */
void kernel__break_far(struct kernel *kernel);
int kernel__matches(int program); /* 0, 1, or -1: the program could not be run */

#endif
