/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* A traceparent's value, byte by byte: https://www.w3.org/TR/trace-context/#traceparent-header-field-values */
#ifndef SKBSPAN_HTTP_TRACE_CONTEXT_H
#define SKBSPAN_HTTP_TRACE_CONTEXT_H

#include "state.h"

#define TRACE_VERSION_AT 0
#define TRACE_ID_AT 3
#define TRACE_SPAN_AT 36
#define TRACE_FLAGS_AT 53
#define TRACE_BYTES 55 /* of version 00; later versions may go on after another '-' */
#define TRACE_NOT_HEX 16

#define TRACE_HAS_ID 1
#define TRACE_HAS_SPAN 2

static __always_inline void trace__begin(struct http_parser *p)
{
	p->value_position = 0;
	p->value_parts = 0;
	p->value_invalid = 0;
}

/* Lower case only, as the rules say. */
static __always_inline __u8 trace__hex(__u8 byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return TRACE_NOT_HEX;
}

/* Every byte gets two digits: what was in it before is shifted out. */
static __always_inline __u8 trace__push(__u8 byte, __u8 digit)
{
	return byte << 4 | (digit & 15);
}

static __always_inline void trace__take_digit(struct http_parser *p, __u8 at, __u8 digit)
{
	if (digit == TRACE_NOT_HEX) {
		p->value_invalid = 1;
	} else if (at < TRACE_ID_AT) {
		p->value_version = trace__push(p->value_version, digit);
	} else if (at < TRACE_SPAN_AT) {
		__u8 *byte = &p->trace.trace_id[(at - TRACE_ID_AT) / 2 & 15];

		*byte = trace__push(*byte, digit);
		if (digit)
			p->value_parts |= TRACE_HAS_ID;
	} else if (at < TRACE_FLAGS_AT) {
		__u8 *byte = &p->trace.span_id[(at - TRACE_SPAN_AT) / 2 & 7];

		*byte = trace__push(*byte, digit);
		if (digit)
			p->value_parts |= TRACE_HAS_SPAN;
	} else {
		p->trace.flags = trace__push(p->trace.flags, digit);
	}
}

static __always_inline void trace__take(struct http_parser *p, __u8 byte)
{
	__u8 at = p->value_position;

	if (at > TRACE_BYTES)
		return; /* what a later version adds is not ours to judge */
	p->value_position = at + 1;
	if (at == TRACE_BYTES) {
		if (byte != '-' || !p->value_version)
			p->value_invalid = 1;
	} else if (at == TRACE_ID_AT - 1 || at == TRACE_SPAN_AT - 1 || at == TRACE_FLAGS_AT - 1) {
		if (byte != '-')
			p->value_invalid = 1;
	} else {
		trace__take_digit(p, at, trace__hex(byte));
	}
}

static __always_inline bool trace__is_valid(const struct http_parser *p)
{
	return !p->value_invalid && p->value_position >= TRACE_BYTES && p->value_version != 0xff &&
	       p->value_parts == (TRACE_HAS_ID | TRACE_HAS_SPAN);
}

/* A message with two of them has none: nobody could say which (section 3.2 of the standard treats it as not there). */
static __always_inline void trace__add(struct http_parser *p, bool is_valid)
{
	p->trace.found = is_valid && !p->traces;
	p->traces = 1;
}

/* No trace yet in this message. */
static __always_inline void trace__reset(struct http_parser *p)
{
	p->trace.found = 0;
	p->traces = 0;
}

#endif
