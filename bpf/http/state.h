/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What the parser (parser.h) knows of one direction of a connection. */
#ifndef SKBSPAN_HTTP_STATE_H
#define SKBSPAN_HTTP_STATE_H

#include <linux/types.h>
#include <stdbool.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* ---- events: bits ------------------------------------------------------------------------------------------------- */

#define HTTP_EVENT_START 1u /* first byte of a request line or status line, of HTTP/2's preface, of a frame header */
#define HTTP_EVENT_HEAD 2u  /* the header section is complete: `trace`, `is_response`, and `status` or `stream` hold */
#define HTTP_EVENT_FRAME                                                                                               \
	4u /* HTTP/2: the frame header is complete: frame_type, frame_flags, frame_stream, frame_length */
#define HTTP_EVENT_END 8u   /* the message is complete; in HTTP/2: END_STREAM on `stream` */
#define HTTP_EVENT_LOST 16u /* malformed or not supported: no more events; the state stays HTTP_LOST */

/* ---- bounds ------------------------------------------------------------------------------------------------------- */

#define HTTP_MAX_HEAD_BYTES 65536 /* of a header section, of a trailer section, of an HTTP/2 header block */
#define HTTP_MAX_WORD_BYTES 32    /* of a method */
#define HTTP_ALL_BYTES (~0ull >> 1)
#define HTTP_LARGEST_LENGTH (~0ull >> 4) /* of a body or a chunk */

#define HTTP_START_BYTES 24 /* http__can_start reads so many: as long as HTTP/2's preface */

/* ---- states ------------------------------------------------------------------------------------------------------- */

enum http_state {
	HTTP_FRESH = 0, /* before a connection's first byte */
	HTTP_LOST,
	HTTP_OPAQUE,      /* after CONNECT, 101: whatever follows is not HTTP, or not ours to follow */
	HTTP_UNTIL_CLOSE, /* the body of a response that ends with the connection */
	HTTP_PREFACE,
	HTTP_MESSAGE, /* between two messages */
	/* The head of a message: counted against HTTP_MAX_HEAD_BYTES. */
	HTTP_FIRST_WORD,
	HTTP_TARGET,
	HTTP_STATUS,
	HTTP_REASON,
	HTTP_LINE, /* at the first byte of a line of the header section */
	HTTP_NAME,
	HTTP_VALUE,
	HTTP_IGNORED_LINE,
	HTTP_HEAD_LF,
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_EXTENSION,
	HTTP_CHUNK_LF,
	HTTP_TRAILER,
	HTTP_TRAILER_LINE,
	HTTP_TRAILER_LF,
	/* The body. */
	HTTP_BODY_END, /* its last byte */
	HTTP_CHUNK_END,
	HTTP_CHUNK_END_LF,
	HTTP2_FRAME_HEADER,
	HTTP2_PAYLOAD_END, /* a payload's last byte */
	HTTP2_BLOCK_PREFIX,
	HTTP2_BLOCK,
};

#define HTTP_FIRST_HEAD_STATE HTTP_FIRST_WORD
#define HTTP_LAST_HEAD_STATE HTTP_TRAILER_LF

enum http_field {
	HTTP_FIELD_NONE = 0,
	HTTP_FIELD_TRACE, /* traceparent */
	HTTP_FIELD_LENGTH,
	HTTP_FIELD_ENCODING, /* transfer-encoding */
};

/* Where in a header block (RFC 7541 section 6) the next byte is. */
enum hpack_state {
	HPACK_FIELD = 0, /* in the integer that a representation begins with */
	HPACK_NAME_LENGTH,
	HPACK_NAME, /* as long as "traceparent": compared with it */
	HPACK_IGNORED_NAME,
	HPACK_VALUE_LENGTH,
	HPACK_VALUE, /* traceparent's */
	HPACK_IGNORED_VALUE,
};

enum hpack_kind {
	HPACK_INDEXED = 0,
	HPACK_INSERTED, /* literal with incremental indexing */
	HPACK_LITERAL,  /* not put into the table */
	HPACK_RESIZE,
};

/* ---- what is known ------------------------------------------------------------------------------------------------ */

struct http_trace {
	__u8 found;
	__u8 flags;
	__u8 reserved[2];
	__u8 trace_id[16];
	__u8 span_id[8];
} __attribute__((aligned(4)));

#define HPACK_ENTRIES 8 /* of the dynamic table whose values are kept: the latest named traceparent */

struct hpack_entry {
	__u32 number; /* of the insertion, from 1; 0: free */
	struct http_trace trace;
};

struct http_parser {
	__u64 skip; /* after this byte so many bytes need not be looked at: whoever drives the parser counts them down */
	__u64 word; /* the latest bytes, or bits of a Huffman coded string */
	union {
		struct {              /* HTTP/1 */
			__u64 length; /* Content-Length or a chunk's size */
			__u16 status; /* of the response */
			__u8 field;   /* enum http_field */
			__u8 names;   /* bit: the name may still be this one */
			bool method_is_head;
			bool method_is_connect;
			__u8 has_slash;
			__u8 has_digit;
			__u8 has_gap;
			__u8 has_length;
			__u8 has_encoding;
			__u8 is_chunked;
		};
		struct { /* HTTP/2 */
			/* Bit k: the k-th latest entry of the dynamic table is named traceparent. A table of 4,096 bytes, which is
			 * what everybody has, has 128 entries at most. */
			__u64 table_names[2];
			__u32 stream; /* of the latest event HEAD or END */
			__u32 frame_stream;
			__u32 frame_length;
			__u32 last_stream; /* the highest that a request came on */
			__u32 fragment_left;
			__u32 string_left;
			__u32 number; /* HPACK's integer; in a Huffman coded string how many symbols there were */
			__u32 table_size;
			__u32 inserted;              /* entries ever put into the dynamic table */
			__u32 entry_low, entry_high; /* bounds of what the field takes in the table */
			__u16 name_bytes, longest_name;
			__u8 frame_type;
			__u8 frame_flags;
			__u8 has_frames;
			__u8 in_block;
			__u8 block_ends_stream;
			__u8 is_trailer;
			__u8 padding;
			__u8 hpack; /* enum hpack_state */
			__u8 kind;  /* enum hpack_kind */
			__u8 has_fields;
			__u8 shift; /* of the integer's next byte, plus 1; 0: the next byte is an integer's first */
			__u8 is_huffman;
			__u8 is_trace;
			__u8 bits; /* of `word` that are not decoded */
			__u8 next_entry;
			__u8 reserved;
		};
	};
	__u32 head_bytes;
	__u8 state; /* enum http_state */
	bool is_response;
	bool is_http2;
	/* Set by whoever drives the parser of responses, before the head of one that is not interim is complete: it answers
	 * HEAD; it answers CONNECT. */
	bool next_has_no_body;
	bool next_is_tunnel;
	__u8 direction_known;
	__u8 position;       /* in what is compared or counted */
	__u8 traces;         /* there was a traceparent in this message */
	__u8 value_position; /* in a traceparent */
	__u8 value_version;
	__u8 value_parts; /* TRACE_HAS_* */
	__u8 value_invalid;
	struct http_trace trace;
	struct hpack_entry entries[HPACK_ENTRIES];
};

static __always_inline __u32 http__lose(struct http_parser *p)
{
	p->state = HTTP_LOST;
	p->skip = HTTP_ALL_BYTES;
	return HTTP_EVENT_LOST;
}

#endif
