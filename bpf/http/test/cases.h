/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Streams and what the parser is to say of them. */
#ifndef SKBSPAN_HTTP_TEST_CASES_H
#define SKBSPAN_HTTP_TEST_CASES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * `input` has a '|' behind every byte that an event stands at; `events` are these events, those of a byte as drive__describe
 * says them, with a space between bytes. HTTP/2's are written so, spaces are for the reader:
 *   0af7             bytes, in hexadecimal digits
 *   *12:0a           twelve of them
 *   'abc'            a string in HPACK: its length, its bytes
 *   ~abc~            the same, Huffman coded
 *   {01 04 3: ...}   a frame: type, flags, stream, payload; with '|' at its first byte and behind its header
 *   P                the client's preface, with '|' at its first byte
 */
struct http_case {
	const char *name, *input, *events;
	bool is_http2, answers_head, answers_connect;
};

extern const struct http_case http_cases[];
extern const size_t http_case_count;

#endif
