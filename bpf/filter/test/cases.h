/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What the differential test feeds to libpcap's interpreter and to the kernel. */
#ifndef SKBSPAN_FILTER_TEST_CASES_H
#define SKBSPAN_FILTER_TEST_CASES_H

#include <stddef.h>
#include <stdint.h>

#include "../classic.h"
#include "random.h"

#define PACKET_MAX_BYTES 2048

/* The addresses and ports that both packets and expressions use, so that filters match often enough. */
extern const char *const case_ipv4[6];
extern const char *const case_ipv6[5];
extern const char *const case_mac[5];
extern const uint16_t case_ports[8];

struct packet {
	uint8_t bytes[PACKET_MAX_BYTES];
	uint32_t buffer_bytes;
	uint32_t wire_bytes;
};

void packet__generate(struct packet *packet, struct random *random);

/* A pcap-filter expression; libpcap may still refuse it (it refuses what can never match). */
void expression__generate(char *out, size_t out_bytes, struct random *random);

/* Expressions that are tested with every seed. */
extern const char *const case_expressions[];
extern const size_t case_expression_count;

#define CLASSIC_MAX_INSNS 1200

/* A random classic program that libpcap's validator accepts: any instruction, jumps, packet loads anywhere. */
void classic__generate(struct classic_program *program, struct random *random);

#endif
