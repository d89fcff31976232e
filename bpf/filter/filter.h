/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The packet filter: a pcap-filter expression becomes eBPF instructions that look at a struct packet_view.
 *
 * libpcap compiles the expression for Ethernet, translate.c turns its classic BPF into eBPF. What a program answers is
 * what libpcap's own interpreter answers for the same bytes: test/ compares the two.
 */
#ifndef SKBSPAN_FILTER_H
#define SKBSPAN_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "placeholder.h"

struct bpf_insn; /* that of <linux/bpf.h>: libpcap has another struct of this name, so it is not included here */

struct filter_program {
	struct bpf_insn *insns;
	size_t count;              /* at least 1, at most FILTER_MAX_INSNS */
	bool matches_everything;   /* no packet is looked at: the filter need not be called */
	bool reads_link_addresses; /* reads MAC addresses: does not know a packet before PACKET_VIEW_LINK_KNOWN */
};

/* Longer expressions are refused: libpcap's optimiser takes 10 seconds for a list of ports of this length, and 8 times
 * that for twice the length. */
#define FILTER_MAX_EXPRESSION_BYTES 4096

/* Enough for any message of filter__compile. */
#define FILTER_ERROR_BYTES 1024

/*
 * Compiles `expression` into `out`; NULL, empty and blank expressions match everything. Names of hosts, networks,
 * ports and protocols are looked up once, now, as tcpdump does. Returns 0, or -1 with a message in `error`: one line
 * that says what is wrong and where, then the expression with a caret under that place (two lines, no newline at the
 * end). On failure `out` is empty and needs no filter__free.
 */
int filter__compile(const char *expression, struct filter_program *out, char *error, size_t error_bytes);

/*
 * Writes the program into the instructions of a FILTER_PLACEHOLDER function (without its `exit`). Instructions that
 * it does not need are made dead code, which the verifier removes. Returns -1 when it does not fit, otherwise 0.
 */
int filter__splice(const struct filter_program *program, struct bpf_insn *placeholder, size_t placeholder_insns);

void filter__free(struct filter_program *program);

#endif
