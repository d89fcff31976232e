/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* HTTP/1.0 and HTTP/1.1 (RFC 9112), requests and responses. */
#ifndef SKBSPAN_HTTP1_H
#define SKBSPAN_HTTP1_H

#include "trace_context.h"

#define HTTP1_IS_SPACE(byte) ((byte) == ' ' || (byte) == '\t')

/* Words of up to 8 bytes as they are in `word`. */
#define HTTP1_WORD_HEAD 0x48454144ull
#define HTTP1_WORD_CONNECT 0x434f4e4e454354ull
#define HTTP1_WORD_HTTP 0x48545450ull
#define HTTP1_WORD_1_0 0x485454502f312e30ull
#define HTTP1_WORD_1_1 0x485454502f312e31ull
#define HTTP1_WORD_CHUNKED 0x6368756e6b6564ull
#define HTTP1_NO_WORD (~0ull)

/* tchar of RFC 9110 section 5.6.2: a bit for every byte below 128. */
#define HTTP1_TOKEN_LOW 0x03ff6cfa00000000ull
#define HTTP1_TOKEN_HIGH 0x57ffffffc7fffffeull

#define HTTP1_NAMES 3
#define HTTP1_NAME_ROOM 32

/* In the order of enum http_field, without its first. */
static const __u8 http1_names[HTTP1_NAMES][HTTP1_NAME_ROOM] = { "traceparent", "content-length", "transfer-encoding" };

static __always_inline bool http1__is_token(__u8 byte)
{
	__u64 set = byte & 64 ? HTTP1_TOKEN_HIGH : HTTP1_TOKEN_LOW;

	return byte < 128 && (set >> (byte & 63) & 1);
}

static __always_inline __u8 http1__to_lower(__u8 byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

/* ---- the first line ----------------------------------------------------------------------------------------------- */

static __always_inline void http1__begin(struct http_parser *p)
{
	p->head_bytes = 1;
	p->position = 1;
	p->word = 0;
	p->status = 0;
	p->length = 0;
	p->has_slash = 0;
	p->has_length = 0;
	p->has_encoding = 0;
	p->is_chunked = 0;
	p->method_is_head = false;
	p->method_is_connect = false;
	p->field = HTTP_FIELD_NONE;
	trace__reset(p);
}

/* The peers of a connection do not change their roles. */
static __always_inline bool http1__set_direction(struct http_parser *p, bool is_response)
{
	if (p->direction_known && p->is_response != is_response)
		return false;
	p->direction_known = 1;
	p->is_response = is_response;
	return true;
}

static __always_inline __u32 http1__end_first_word(struct http_parser *p)
{
	bool is_response = p->word == HTTP1_WORD_1_1 || p->word == HTTP1_WORD_1_0;

	if ((p->has_slash && !is_response) || !http1__set_direction(p, is_response))
		return http__lose(p);
	p->position = 0;
	p->state = is_response ? HTTP_STATUS : HTTP_TARGET;
	p->method_is_head = p->word == HTTP1_WORD_HEAD;
	p->method_is_connect = p->word == HTTP1_WORD_CONNECT;
	return 0;
}

/* A method or the version of a response. */
static __always_inline __u32 http1__take_first_word(struct http_parser *p, __u8 byte)
{
	if (byte == ' ')
		return http1__end_first_word(p);
	if (byte == '/' && p->word == HTTP1_WORD_HTTP)
		p->has_slash = 1;
	else if (!http1__is_token(byte))
		return http__lose(p);
	if (++p->position > HTTP_MAX_WORD_BYTES)
		return http__lose(p);
	p->word = p->word << 8 | byte;
	return 0;
}

/* The line's end says that it was HTTP/1: HTTP/0.9 has no version, and other protocols have words too. */
static __always_inline __u32 http1__take_target(struct http_parser *p, __u8 byte)
{
	if (byte == '\r')
		return 0;
	if (byte != '\n') {
		p->word = p->word << 8 | byte;
		return 0;
	}
	if (p->word != HTTP1_WORD_1_1 && p->word != HTTP1_WORD_1_0)
		return http__lose(p);
	p->state = HTTP_LINE;
	return 0;
}

static __always_inline __u32 http1__take_status(struct http_parser *p, __u8 byte)
{
	if (p->position < 3) {
		if (byte < '0' || byte > '9' || (!p->position && byte == '0'))
			return http__lose(p);
		p->status = p->status * 10 + byte - '0';
		p->position++;
		return 0;
	}
	if (byte == '\n')
		p->state = HTTP_LINE; /* some leave out the reason and the space before it */
	else if (byte == ' ' || byte == '\r')
		p->state = HTTP_REASON;
	else
		return http__lose(p);
	return 0;
}

/* ---- fields ------------------------------------------------------------------------------------------------------- */

static __always_inline void http1__end_coding(struct http_parser *p)
{
	if (p->word)
		p->is_chunked = p->word == HTTP1_WORD_CHUNKED;
	p->word = 0;
	p->has_gap = 0;
}

/* At the first byte after a field: only now it is certain that its value is not continued (obs-fold). */
static __always_inline bool http1__end_field(struct http_parser *p)
{
	__u8 field = p->field;

	p->field = HTTP_FIELD_NONE;
	if (field == HTTP_FIELD_TRACE) {
		trace__add(p, trace__is_valid(p));
	} else if (field == HTTP_FIELD_ENCODING) {
		http1__end_coding(p);
		p->has_encoding = 1;
	} else if (field == HTTP_FIELD_LENGTH) {
		/* RFC 9112 section 6.3 item 5: two that differ cannot be recovered from; what is no number neither. */
		if (!p->has_digit || (p->has_length && p->length != p->word))
			return false;
		p->has_length = 1;
		p->length = p->word;
	}
	return true;
}

static __always_inline void http1__match_name(struct http_parser *p, __u8 byte)
{
	__u8 at = p->position & (HTTP1_NAME_ROOM - 1), lower = http1__to_lower(byte), names = 0;

	names |= (http1_names[0][at] == lower) << 0;
	names |= (http1_names[1][at] == lower) << 1;
	names |= (http1_names[2][at] == lower) << 2;
	p->names &= names;
	p->position = at + 1;
	if (!p->names)
		p->state = HTTP_IGNORED_LINE;
}

static __always_inline void http1__begin_value(struct http_parser *p, __u8 field)
{
	p->field = field;
	p->state = HTTP_VALUE;
	p->word = 0;
	p->has_gap = 0;
	p->has_digit = 0;
	trace__begin(p);
}

static __always_inline __u32 http1__take_name(struct http_parser *p, __u8 byte)
{
	__u8 at = p->position & (HTTP1_NAME_ROOM - 1);
	__u8 name = p->names & 1 ? 0 : p->names & 2 ? 1 : 2;

	if (byte == '\n' || !byte)
		return http__lose(p);
	if (!http1_names[name][at]) {
		if (byte == ':') {
			http1__begin_value(p, name + 1);
			return 0;
		}
		/* Space before the colon: one refuses it, another takes it for the field (RFC 9112 section 5.1). */
		if (HTTP1_IS_SPACE(byte))
			return http__lose(p);
	}
	http1__match_name(p, byte);
	return 0;
}

static __always_inline void http1__take_trace(struct http_parser *p, __u8 byte)
{
	if (HTTP1_IS_SPACE(byte) || byte == '\r') {
		p->has_gap = p->value_position > 0;
		return;
	}
	if (p->has_gap && p->value_position <= TRACE_BYTES)
		p->value_invalid = 1;
	trace__take(p, byte);
}

/* A list, "5, 5", is refused by most servers, and here. */
static __always_inline __u32 http1__take_length(struct http_parser *p, __u8 byte)
{
	if (HTTP1_IS_SPACE(byte) || byte == '\r') {
		p->has_gap = p->has_digit;
		return 0;
	}
	if (byte < '0' || byte > '9' || p->has_gap || p->word > HTTP_LARGEST_LENGTH / 10 - 1)
		return http__lose(p);
	p->has_digit = 1;
	p->word = p->word * 10 + byte - '0';
	return 0;
}

static __always_inline void http1__take_coding(struct http_parser *p, __u8 byte)
{
	if (byte == ',') {
		http1__end_coding(p);
	} else if (HTTP1_IS_SPACE(byte) || byte == '\r') {
		p->has_gap = p->word != 0;
	} else {
		p->word = p->has_gap || p->word >> 56 ? HTTP1_NO_WORD : p->word << 8 | http1__to_lower(byte);
	}
}

static __always_inline __u32 http1__take_value(struct http_parser *p, __u8 byte)
{
	if (byte == '\n') {
		p->state = HTTP_LINE;
		return 0;
	}
	if (p->field == HTTP_FIELD_LENGTH)
		return http1__take_length(p, byte);
	if (p->field == HTTP_FIELD_TRACE)
		http1__take_trace(p, byte);
	else
		http1__take_coding(p, byte);
	return 0;
}

/* ---- where the message ends (RFC 9112 section 6.3) ---------------------------------------------------------------- */

static __always_inline __u32 http1__end_message(struct http_parser *p)
{
	p->state = HTTP_MESSAGE;
	return HTTP_EVENT_END;
}

static __always_inline __u32 http1__go_on(struct http_parser *p, __u8 state)
{
	p->state = state;
	p->skip = HTTP_ALL_BYTES;
	return 0;
}

static __always_inline __u32 http1__begin_body(struct http_parser *p)
{
	if (p->has_encoding && p->is_chunked) {
		p->state = HTTP_CHUNK_SIZE;
		p->position = 0;
		p->length = 0;
		p->head_bytes = 0;
		return 0;
	}
	/* Coded otherwise it ends with the connection; a request cannot. */
	if (p->has_encoding)
		return p->is_response ? http1__go_on(p, HTTP_UNTIL_CLOSE) : http__lose(p);
	if (p->has_length && p->length) {
		p->state = HTTP_BODY_END;
		p->skip = p->length - 1;
		return 0;
	}
	if (p->is_response && !p->has_length)
		return http1__go_on(p, HTTP_UNTIL_CLOSE);
	return http1__end_message(p);
}

static __always_inline __u32 http1__end_response_head(struct http_parser *p)
{
	bool has_no_body = p->next_has_no_body, is_tunnel = p->next_is_tunnel;

	if (p->status == 101)
		return http1__go_on(p, HTTP_OPAQUE);
	if (p->status < 200)
		return http1__end_message(p); /* interim: the answer is still to come */
	p->next_has_no_body = false;
	p->next_is_tunnel = false;
	if (is_tunnel && p->status < 300)
		return http1__go_on(p, HTTP_OPAQUE);
	if (has_no_body || p->status == 204 || p->status == 304)
		return http1__end_message(p);
	return http1__begin_body(p);
}

static __always_inline __u32 http1__end_head(struct http_parser *p)
{
	__u32 events;

	if (p->is_response)
		events = http1__end_response_head(p);
	else if (p->method_is_connect)
		events = http1__go_on(p, HTTP_OPAQUE);
	else
		events = http1__begin_body(p);
	return events & HTTP_EVENT_LOST ? events : events | HTTP_EVENT_HEAD;
}

static __always_inline __u32 http1__take_line(struct http_parser *p, __u8 byte)
{
	if (HTTP1_IS_SPACE(byte)) { /* obs-fold; before any field it is nothing (RFC 9112 section 2.2) */
		p->state = p->field == HTTP_FIELD_NONE ? HTTP_IGNORED_LINE : HTTP_VALUE;
		p->has_gap = p->field == HTTP_FIELD_TRACE    ? p->value_position > 0 :
			     p->field == HTTP_FIELD_ENCODING ? p->word != 0 :
							       p->has_digit;
		return 0;
	}
	if (!http1__end_field(p))
		return http__lose(p);
	if (byte == '\n')
		return http1__end_head(p);
	if (byte == '\r') {
		p->state = HTTP_HEAD_LF;
		return 0;
	}
	p->state = HTTP_NAME;
	p->position = 0;
	p->names = (1 << HTTP1_NAMES) - 1;
	http1__match_name(p, byte);
	return 0;
}

/* ---- chunks (RFC 9112 section 7.1) -------------------------------------------------------------------------------- */

static __always_inline __u32 http1__begin_chunk(struct http_parser *p)
{
	p->head_bytes = 0;
	p->position = 0;
	if (!p->length) {
		p->state = HTTP_TRAILER;
		return 0;
	}
	p->state = HTTP_CHUNK_END;
	p->skip = p->length;
	p->length = 0;
	return 0;
}

static __always_inline __u32 http1__take_chunk_size(struct http_parser *p, __u8 byte)
{
	__u8 digit = trace__hex(http1__to_lower(byte));

	if (digit != TRACE_NOT_HEX) {
		if (p->length > HTTP_LARGEST_LENGTH >> 4)
			return http__lose(p);
		p->length = p->length << 4 | digit;
		p->position = 1;
		return 0;
	}
	if (!p->position)
		return http__lose(p);
	if (byte == '\n')
		return http1__begin_chunk(p);
	if (byte == '\r')
		p->state = HTTP_CHUNK_LF;
	else if (byte == ';' || HTTP1_IS_SPACE(byte))
		p->state = HTTP_CHUNK_EXTENSION;
	else
		return http__lose(p);
	return 0;
}

static __always_inline __u32 http1__take_chunk_end(struct http_parser *p, __u8 byte)
{
	if (byte == '\r' && p->state == HTTP_CHUNK_END)
		p->state = HTTP_CHUNK_END_LF;
	else if (byte == '\n')
		p->state = HTTP_CHUNK_SIZE;
	else
		return http__lose(p);
	return 0;
}

/* Fields of the trailer section are not merged into the head: a traceparent there says nothing. */
static __always_inline __u32 http1__take_trailer(struct http_parser *p, __u8 byte)
{
	if (byte == '\n')
		return http1__end_message(p);
	p->state = byte == '\r' ? HTTP_TRAILER_LF : HTTP_TRAILER_LINE;
	return 0;
}

#endif
