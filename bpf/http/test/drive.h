/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Drives the parser in user space and says what it found. */
#ifndef SKBSPAN_HTTP_TEST_DRIVE_H
#define SKBSPAN_HTTP_TEST_DRIVE_H

#include <stddef.h>
#include <stdint.h>

#include "../parser.h"

typedef void drive_sink(void *context, struct http_parser *p, uint64_t offset, uint32_t events);

/* Gives the parser a piece of the stream, as from a write or a read. `offset` counts the stream's bytes. */
void drive__piece(struct http_parser *p, const uint8_t *bytes, size_t count, uint64_t *offset, drive_sink *sink,
		  void *context);

/* The events of a byte, as short text: "S", "H(...)", "F(type stream length)", "E", "E(stream)", "L", in this order. Returns
 * its length. */
size_t drive__describe(char *text, size_t bytes, const struct http_parser *p, uint32_t events);

#endif
