/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Finds requests, responses and the trace context that they carry in one direction of a TCP connection: HTTP/1.0, HTTP/1.1 and
 * HTTP/2. The same code runs in BPF programs and in user space.
 *
 * Zeroed memory is a parser before a connection's first byte. http__take takes a byte; then `skip` bytes need not be
 * taken at all: whoever drives the parser counts them down, over as many reads and writes as it takes. So an event stands
 * at a byte, and how the bytes came in pieces makes no difference.
 *
 * What it cannot know, the other direction must tell: that a response answers HEAD or CONNECT (next_has_no_body,
 * next_is_tunnel), and that the server changed the protocol, after which `state` of the requests is to be HTTP_OPAQUE (status 101)
 * or zeroed memory again.
 */
#ifndef SKBSPAN_HTTP_PARSER_H
#define SKBSPAN_HTTP_PARSER_H

#include "http1.h"
#include "http2.h"
#include "state.h"

/* ---- is it HTTP? -------------------------------------------------------------------------------------------------- */

#define HTTP_WORD(a, b, c, d, e, f, g, h)                                                                              \
	((__u64)(a) << 56 | (__u64)(b) << 48 | (__u64)(c) << 40 | (__u64)(d) << 32 | (__u64)(e) << 24 |                \
	 (__u64)(f) << 16 | (__u64)(g) << 8 | (__u64)(h))

/* Of the shorter of both, all. */
static __always_inline bool http__agrees(__u64 word, __u32 count, __u64 beginning, __u32 bytes)
{
	__u32 compared = count < bytes ? count : bytes;

	return compared && !((word ^ beginning) >> ((8 - compared) * 8 & 63));
}

static __always_inline bool http__is_method(__u64 word, __u32 count)
{
	return http__agrees(word, count, HTTP_WORD('G', 'E', 'T', ' ', 0, 0, 0, 0), 4) ||
	       http__agrees(word, count, HTTP_WORD('P', 'O', 'S', 'T', ' ', 0, 0, 0), 5) ||
	       http__agrees(word, count, HTTP_WORD('P', 'U', 'T', ' ', 0, 0, 0, 0), 4) ||
	       http__agrees(word, count, HTTP_WORD('H', 'E', 'A', 'D', ' ', 0, 0, 0), 5) ||
	       http__agrees(word, count, HTTP_WORD('D', 'E', 'L', 'E', 'T', 'E', ' ', 0), 7) ||
	       http__agrees(word, count, HTTP_WORD('P', 'A', 'T', 'C', 'H', ' ', 0, 0), 6) ||
	       http__agrees(word, count, HTTP_WORD('O', 'P', 'T', 'I', 'O', 'N', 'S', ' '), 8) ||
	       http__agrees(word, count, HTTP_WORD('C', 'O', 'N', 'N', 'E', 'C', 'T', ' '), 8) ||
	       http__agrees(word, count, HTTP_WORD('T', 'R', 'A', 'C', 'E', ' ', 0, 0), 6) ||
	       http__agrees(word, count, HTTP_WORD('Q', 'U', 'E', 'R', 'Y', ' ', 0, 0), 6) ||
	       http__agrees(word, count, HTTP_WORD('P', 'R', 'O', 'P', 'F', 'I', 'N', 'D'), 8) ||
	       http__agrees(word, count, HTTP_WORD('R', 'E', 'P', 'O', 'R', 'T', ' ', 0), 7);
}

/* A server's first frame: SETTINGS on stream 0, not the acknowledgement of others. A client's comes after the preface. */
static __always_inline bool http__is_settings(const __u8 *bytes, __u32 count)
{
	return count >= HTTP2_FRAME_HEADER_BYTES && !bytes[0] && bytes[3] == HTTP2_SETTINGS && !bytes[4] &&
	       !(bytes[5] | bytes[6] | bytes[7] | bytes[8]) && (bytes[1] << 8 | bytes[2]) % 6 == 0;
}

/*
 * Whether a connection that begins with these bytes may be HTTP. `bytes` has room for HTTP_START_BYTES, of which `count` are
 * known. Cheap, so that other protocols cost nothing: what it lets through the parser itself looks at closely.
 */
static __always_inline bool http__can_start(const __u8 *bytes, __u32 count)
{
	__u64 word = HTTP_WORD(bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]);

	if (!bytes[0])
		return http__is_settings(bytes, count);
	return http__agrees(word, count, HTTP_WORD('H', 'T', 'T', 'P', '/', '1', '.', 0), 7) ||
	       http__agrees(word, count, HTTP_WORD('P', 'R', 'I', ' ', '*', ' ', 'H', 'T'), 8) ||
	       http__is_method(word, count);
}

/* ---- the beginning ------------------------------------------------------------------------------------------------ */

static __always_inline __u32 http__begin_message(struct http_parser *p, __u8 byte)
{
	if (byte == '\r' || byte == '\n') /* RFC 9112 section 2.2: empty lines before a request */
		return 0;
	http1__begin(p);
	p->word = byte;
	p->state = HTTP_FIRST_WORD;
	return http1__is_token(byte) ? HTTP_EVENT_START : http__lose(p);
}

static __always_inline __u32 http__take_first(struct http_parser *p, __u8 byte)
{
	__u32 events;

	p->state = HTTP_MESSAGE;
	if (!byte) {
		http2__begin(p, true);
		return http2__take_frame_header(p, byte);
	}
	events = http__begin_message(p, byte);
	if (byte == http2_preface[0])
		p->state = HTTP_PREFACE;
	return events;
}

/* Methods begin with P too; none of them with PRI. */
static __always_inline __u32 http__take_preface(struct http_parser *p, __u8 byte)
{
	__u8 at = p->position;

	if (byte != http2_preface[at & 31]) {
		p->state = HTTP_FIRST_WORD;
		return at < 3 ? http1__take_first_word(p, byte) : http__lose(p);
	}
	p->position = at + 1;
	if (p->position == HTTP2_PREFACE_BYTES)
		http2__begin(p, false);
	return 0;
}

/* ---- a byte ------------------------------------------------------------------------------------------------------- */

static __always_inline __u32 http__take_head(struct http_parser *p, __u8 byte)
{
	switch (p->state) {
	case HTTP_FIRST_WORD:
		return http1__take_first_word(p, byte);
	case HTTP_TARGET:
		return http1__take_target(p, byte);
	case HTTP_STATUS:
		return http1__take_status(p, byte);
	case HTTP_REASON:
	case HTTP_IGNORED_LINE:
		if (byte == '\n')
			p->state = HTTP_LINE;
		return 0;
	case HTTP_LINE:
		return http1__take_line(p, byte);
	case HTTP_NAME:
		return http1__take_name(p, byte);
	case HTTP_VALUE:
		return http1__take_value(p, byte);
	case HTTP_HEAD_LF:
		return byte == '\n' ? http1__end_head(p) : http__lose(p);
	case HTTP_CHUNK_SIZE:
		return http1__take_chunk_size(p, byte);
	case HTTP_CHUNK_EXTENSION:
		return byte == '\n' ? http1__begin_chunk(p) : 0;
	case HTTP_CHUNK_LF:
		return byte == '\n' ? http1__begin_chunk(p) : http__lose(p);
	case HTTP_TRAILER:
		return http1__take_trailer(p, byte);
	case HTTP_TRAILER_LINE:
		if (byte == '\n')
			p->state = HTTP_TRAILER;
		return 0;
	default: /* HTTP_TRAILER_LF */
		return byte == '\n' ? http1__end_message(p) : http__lose(p);
	}
}

/* Takes the next byte that is not skipped. Returns HTTP_EVENT_* bits; `skip` is how many bytes to skip then. */
static __always_inline __u32 http__take(struct http_parser *p, __u8 byte)
{
	if (p->state >= HTTP_FIRST_HEAD_STATE && p->state <= HTTP_LAST_HEAD_STATE) {
		if (++p->head_bytes > HTTP_MAX_HEAD_BYTES)
			return http__lose(p);
		return http__take_head(p, byte);
	}
	switch (p->state) {
	case HTTP_FRESH:
		return http__take_first(p, byte);
	case HTTP_PREFACE:
		return http__take_preface(p, byte);
	case HTTP_MESSAGE:
		return http__begin_message(p, byte);
	case HTTP_BODY_END:
		return http1__end_message(p);
	case HTTP_CHUNK_END:
	case HTTP_CHUNK_END_LF:
		return http1__take_chunk_end(p, byte);
	case HTTP2_FRAME_HEADER:
		return http2__take_frame_header(p, byte);
	case HTTP2_PAYLOAD_END:
		return http2__end_frame(p);
	case HTTP2_BLOCK_PREFIX:
		return http2__take_block_prefix(p, byte);
	case HTTP2_BLOCK:
		return http2__take_block(p, byte);
	default: /* HTTP_LOST, HTTP_OPAQUE, HTTP_UNTIL_CLOSE */
		p->skip = HTTP_ALL_BYTES;
		return 0;
	}
}

/* Whether the next byte may be any: the last of a body, where what counts is that it went by. */
static __always_inline bool http__takes_any(const struct http_parser *p)
{
	return p->state == HTTP_BODY_END || p->state == HTTP2_PAYLOAD_END;
}

/* Takes that byte, unseen. */
static __always_inline __u32 http__take_any(struct http_parser *p)
{
	return p->state == HTTP_BODY_END ? http1__end_message(p) : http2__end_frame(p);
}

/* ---- many bytes at once --------------------------------------------------------------------------------------------- */

#define HTTP_EVERY_BYTE(byte) ((__u64)(byte) * 0x0101010101010101ull)

/* The high bit of the bytes that are zero; bytes after the first of them may be marked wrongly. */
static __always_inline __u64 word__zeros(__u64 word)
{
	return (word - HTTP_EVERY_BYTE(1)) & ~word & HTTP_EVERY_BYTE(0x80);
}

/* How many bytes, of 8 in the order of the stream (the first is the lowest), come before the first that is marked. */
static __always_inline __u32 word__before(__u64 marks)
{
	/* the lowest mark as a power of 256, which moves the number of its byte to the top */
	return marks ? ((marks & -marks) >> 7) * 0x0001020304050607ull >> 56 : 8;
}

/*
 * Takes the first of the next 8 bytes at once where they only wait for the end of a line, as most bytes of a header section do.
 * Returns how many; 0: take a byte. It is as if http__take had taken each: there are no events.
 */
static __always_inline __u32 http__take_word(struct http_parser *p, __u64 word)
{
	__u64 line_ends = word__zeros(word ^ HTTP_EVERY_BYTE('\n'));
	__u32 bytes;

	if (p->skip || p->head_bytes > HTTP_MAX_HEAD_BYTES - 8)
		return 0;
	if (p->state == HTTP_TARGET) {
		/* the last bytes are looked at: what is not the end of the line yet replaces all that are kept */
		if (line_ends | word__zeros(word ^ HTTP_EVERY_BYTE('\r')))
			return 0;
		p->word = __builtin_bswap64(word);
		bytes = 8;
	} else if (p->state == HTTP_IGNORED_LINE || p->state == HTTP_REASON || p->state == HTTP_TRAILER_LINE) {
		bytes = word__before(line_ends);
	} else {
		return 0;
	}
	p->head_bytes += bytes;
	return bytes;
}

#endif
