/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* HTTP/2 (RFC 9113): frames in both directions, header blocks in the direction of requests (hpack.h). */
#ifndef SKBSPAN_HTTP2_H
#define SKBSPAN_HTTP2_H

#include "hpack.h"

#define HTTP2_FRAME_HEADER_BYTES 9

#define HTTP2_DATA 0
#define HTTP2_HEADERS 1
#define HTTP2_PRIORITY 2
#define HTTP2_RST_STREAM 3
#define HTTP2_SETTINGS 4
#define HTTP2_PUSH_PROMISE 5
#define HTTP2_PING 6
#define HTTP2_GOAWAY 7
#define HTTP2_WINDOW_UPDATE 8
#define HTTP2_CONTINUATION 9

#define HTTP2_FLAG_END_STREAM 0x1 /* DATA, HEADERS */
#define HTTP2_FLAG_ACK 0x1        /* SETTINGS, PING */
#define HTTP2_FLAG_END_HEADERS 0x4
#define HTTP2_FLAG_PADDED 0x8
#define HTTP2_FLAG_PRIORITY 0x20

#define HTTP2_PRIORITY_BYTES 5
#define HTTP2_PREFACE_BYTES 24

static const __u8 http2_preface[32] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static __always_inline void http2__begin(struct http_parser *p, bool is_response)
{
	p->state = HTTP2_FRAME_HEADER;
	p->position = 0;
	p->is_http2 = true;
	p->is_response = is_response;
	p->direction_known = 1;
	p->table_size = HPACK_TABLE_BYTES;
}

static __always_inline __u32 http2__end_block(struct http_parser *p)
{
	__u32 events = p->block_ends_stream ? HTTP_EVENT_END : 0;

	p->in_block = 0;
	if (!p->is_response && (p->hpack != HPACK_FIELD || p->shift))
		return http__lose(p); /* the block ends within a field */
	return p->is_trailer ? events : events | HTTP_EVENT_HEAD;
}

/* A frame's last byte was taken. */
static __always_inline __u32 http2__end_frame(struct http_parser *p)
{
	p->state = HTTP2_FRAME_HEADER;
	p->position = 0;
	if (p->in_block)
		return p->frame_flags & HTTP2_FLAG_END_HEADERS ? http2__end_block(p) : 0;
	if (p->frame_type != HTTP2_DATA || !(p->frame_flags & HTTP2_FLAG_END_STREAM))
		return 0;
	p->stream = p->frame_stream;
	return HTTP_EVENT_END;
}

static __always_inline __u32 http2__skip_payload(struct http_parser *p, __u32 bytes)
{
	if (!bytes)
		return http2__end_frame(p);
	p->state = HTTP2_PAYLOAD_END;
	p->skip = bytes - 1;
	return 0;
}

/* What is left of the payload is a part of the header block, then padding. */
static __always_inline __u32 http2__begin_fragment(struct http_parser *p, __u32 bytes)
{
	if (bytes < p->padding)
		return http__lose(p);
	p->fragment_left = bytes - p->padding;
	if (!p->fragment_left)
		return http2__skip_payload(p, p->padding);
	p->state = HTTP2_BLOCK;
	return 0;
}

static __always_inline void http2__begin_block(struct http_parser *p)
{
	p->in_block = 1;
	p->stream = p->frame_stream;
	p->block_ends_stream = p->frame_flags & HTTP2_FLAG_END_STREAM;
	p->head_bytes = 0;
	p->has_fields = 0;
	/* Streams are numbered upwards (RFC 9113 section 5.1.1): a second block on a stream is its trailers. */
	p->is_trailer = !p->is_response && p->frame_stream <= p->last_stream;
	if (!p->is_trailer)
		p->last_stream = p->frame_stream;
	trace__reset(p);
}

static __always_inline __u32 http2__begin_headers(struct http_parser *p)
{
	__u8 flags = p->frame_flags;

	p->padding = 0;
	if (p->frame_type == HTTP2_HEADERS)
		http2__begin_block(p);
	p->head_bytes += p->frame_length;
	if (p->is_response) /* never decoded, so of any length */
		return http2__skip_payload(p, p->frame_length);
	if (p->head_bytes > HTTP_MAX_HEAD_BYTES)
		return http__lose(p);
	p->position = 0;
	if (p->frame_type == HTTP2_HEADERS)
		p->position = !!(flags & HTTP2_FLAG_PADDED) + (flags & HTTP2_FLAG_PRIORITY ? HTTP2_PRIORITY_BYTES : 0);
	if (p->frame_length < p->position)
		return http__lose(p);
	if (!p->position)
		return http2__begin_fragment(p, p->frame_length);
	p->fragment_left = p->frame_length;
	p->state = HTTP2_BLOCK_PREFIX;
	return 0;
}

/* The pad length, then the priority. */
static __always_inline __u32 http2__take_block_prefix(struct http_parser *p, __u8 byte)
{
	if ((p->frame_flags & HTTP2_FLAG_PADDED) && p->fragment_left == p->frame_length)
		p->padding = byte;
	p->fragment_left--;
	if (--p->position)
		return 0;
	return http2__begin_fragment(p, p->fragment_left);
}

static __always_inline __u32 http2__take_block(struct http_parser *p, __u8 byte)
{
	p->fragment_left--;
	if (!hpack__take(p, byte))
		return http__lose(p);
	return p->fragment_left ? 0 : http2__skip_payload(p, p->padding);
}

/* RFC 9113 section 6: what cannot be tells that this is not the beginning of a frame. */
static __always_inline bool http2__has_sound_length(const struct http_parser *p)
{
	switch (p->frame_type) {
	case HTTP2_PRIORITY:
		return p->frame_length == HTTP2_PRIORITY_BYTES;
	case HTTP2_RST_STREAM:
	case HTTP2_WINDOW_UPDATE:
		return p->frame_length == 4;
	case HTTP2_SETTINGS:
		return p->frame_flags & HTTP2_FLAG_ACK ? !p->frame_length : p->frame_length % 6 == 0;
	case HTTP2_PING:
		return p->frame_length == 8;
	case HTTP2_GOAWAY:
		return p->frame_length >= 8;
	case HTTP2_PUSH_PROMISE:
		return p->is_response;
	default:
		return true;
	}
}

static __always_inline bool http2__has_sound_stream(const struct http_parser *p)
{
	switch (p->frame_type) {
	case HTTP2_HEADERS:
		return p->frame_stream && (p->is_response || p->frame_stream & 1);
	case HTTP2_DATA:
	case HTTP2_PRIORITY:
	case HTTP2_RST_STREAM:
	case HTTP2_PUSH_PROMISE:
	case HTTP2_CONTINUATION:
		return p->frame_stream;
	case HTTP2_SETTINGS:
	case HTTP2_PING:
	case HTTP2_GOAWAY:
		return !p->frame_stream;
	default:
		return true;
	}
}

/* The first frame is SETTINGS, and nothing comes between the parts of a header block (RFC 9113 sections 3.4, 6.10). */
static __always_inline bool http2__is_in_order(struct http_parser *p)
{
	bool is_first = !p->has_frames;

	p->has_frames = 1;
	if (is_first && (p->frame_type != HTTP2_SETTINGS || (p->frame_flags & HTTP2_FLAG_ACK)))
		return false;
	if (!p->in_block)
		return p->frame_type != HTTP2_CONTINUATION;
	return p->frame_type == HTTP2_CONTINUATION && p->frame_stream == p->stream;
}

static __always_inline __u32 http2__begin_payload(struct http_parser *p)
{
	__u32 events;

	p->frame_stream &= 0x7fffffff;
	if (!http2__is_in_order(p) || !http2__has_sound_length(p) || !http2__has_sound_stream(p))
		return http__lose(p);
	if (p->frame_type == HTTP2_HEADERS || p->frame_type == HTTP2_CONTINUATION)
		events = http2__begin_headers(p);
	else
		events = http2__skip_payload(p, p->frame_length);
	return events & HTTP_EVENT_LOST ? events : events | HTTP_EVENT_FRAME;
}

static __always_inline __u32 http2__take_frame_header(struct http_parser *p, __u8 byte)
{
	__u8 at = p->position;

	p->position = at + 1;
	if (at < 3)
		p->frame_length = at ? p->frame_length << 8 | byte : byte;
	else if (at == 3)
		p->frame_type = byte;
	else if (at == 4)
		p->frame_flags = byte;
	else
		p->frame_stream = p->frame_stream << 8 | byte;
	if (at == HTTP2_FRAME_HEADER_BYTES - 1)
		return http2__begin_payload(p);
	return at ? 0 : HTTP_EVENT_START;
}

#endif
