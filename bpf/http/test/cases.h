/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Streams and what the parser is to say of them. */
#ifndef SKBSPAN_HTTP_TEST_CASES_H
#define SKBSPAN_HTTP_TEST_CASES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * `input` has a '|' behind every byte that an event stands at; `events` are these events, those of a byte as
 * drive__describe says them, with a space between bytes. In HTTP/2's, `input` is hexadecimal digits, spaces are for the reader,
 * and "P" stands for the preface.
 */
struct http_case {
	const char *name, *input, *events;
	bool is_hex, answers_head, answers_connect;
};

extern const struct http_case http_cases[];
extern const size_t http_case_count;

#endif
