/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What is known of a classic program before it is translated. Its jumps only go forward, so one pass finds all. */
#ifndef SKBSPAN_FILTER_FACTS_H
#define SKBSPAN_FILTER_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classic.h"

/* The values of a classic program: 16 words of scratch memory, then the accumulator and the index register. */
enum { VALUE_A = 16, VALUE_X = 17, VALUE_COUNT = 18 };

/* Where a jump goes: the index of a classic instruction, or one of the two ends. */
#define LABEL_ACCEPT 0xfffffffeu
#define LABEL_REJECT 0xfffffffdu

/* True whenever an instruction is about to run. */
struct fact {
	bool reached;
	uint32_t written;          /* bit set of values that were written on every way here */
	uint32_t window_bytes;     /* at least so many bytes of the window are filled */
	uint32_t max[VALUE_COUNT]; /* no value is larger */
};

struct facts {
	struct fact *at;     /* one an instruction */
	uint32_t needs_zero; /* bit set of values that may be read before they are written: they are 0 at the start */
	bool needs_far;      /* may look beyond the window */
	bool needs_window;   /* looks into the window */
	bool reads_link_addresses;
};

/* Also refuses what cannot be translated: returns -1 and a message. */
int facts__gather(const struct classic_program *program, struct facts *out, char *message, size_t message_bytes);
void facts__free(struct facts *facts);

/* Where execution really goes on when it goes to `index`: past unconditional jumps, to an end when that is there. */
uint32_t facts__resolve(const struct classic_program *program, size_t index);

/* Bytes that a load reads from the packet, 0 when the instruction reads none. */
uint32_t classic_insn__packet_bytes(const struct classic_insn *insn);
/* The end of the furthest byte that a load may read, which can be beyond 32 bits. */
uint64_t fact__furthest_byte(const struct fact *fact, const struct classic_insn *insn);

#endif
