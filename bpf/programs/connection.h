/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What is known of a connection that speaks HTTP: a parser a direction, and whose the bytes are. Used under the socket's lock. */
#ifndef SKBSPAN_CONNECTION_H
#define SKBSPAN_CONNECTION_H

#include "../http/parser.h"
#include "flows.h"
#include "namespace.h"
#include "pieces.h"

#define SENT 0
#define RECEIVED 1

/* Requests that wait for their response: HTTP/1.1 pipelining, streams of HTTP/2. Powers of two. */
#define OUTSTANDING 8
#define STREAMS 32
#define CHUNK_BYTES 256

/* Methods whose responses end otherwise than others. */
#define METHOD_HEAD 1u
#define METHOD_CONNECT 2u

struct direction {
	struct http_parser parser;
	__u32 next_sequence;    /* of the first byte that the parser has not had */
	__u32 first_sequence;   /* of the first that it had */
	__u32 message_sequence; /* where the message or frame that began last begins */
	__u8 is_followed;
	__u8 is_in_head; /* a header section has begun and not ended */
	__u8 has_run;    /* it was known once whose bytes come */
	__u8 is_told;    /* by the application: what the parser finds does not change it */
	__u8 has_header; /* the latest request carries a trace context itself */
	struct request_trace told;
};

/* An object SSL of OpenSSL. */
struct tls_key {
	__u64 process_id;
	__u64 ssl; /* its address; 0: none */
};

struct connection {
	__u64 identity[2];  /* of the socket: its memory is used again */
	struct tls_key tls; /* whose records this connection carries, once that is known */
	__u64 netns_cookie;
	__u32 netns_inode;
	__u32 process_id;
	struct endpoint local;
	struct endpoint remote;
	__u32 next_received; /* sequence number of the next byte that comes, when bytes were sent last */
	__u32 asked;         /* requests of HTTP/1 */
	__u32 answered;      /* of them */
	struct request_trace outstanding[OUTSTANDING];
	__u8 methods[OUTSTANDING]; /* METHOD_* */
	struct request_trace streams[STREAMS];
	struct direction directions[2];
	/* What is handed to a TLS library (tls.h): sequence numbers are positions in it, and nothing is told of it here. */
	struct request_trace first; /* of the latest write: whose its first bytes are */
	__u8 has_first;
	__u8 is_plaintext;
	__u32 open_streams; /* of HTTP/2, not answered yet */
	struct pieces pieces;
	__u32 chunk_bytes;
	__u32 chunk_at;
	__u8 chunk[CHUNK_BYTES + 8]; /* 8 bytes can be read at any of them */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* address of the socket */
	__type(value, struct connection);
} connections SEC(".maps");

static const struct request_trace no_trace;
static const struct connection no_connection;

/* ---- whose the bytes are -------------------------------------------------------------------------------------------- */

static __always_inline bool trace__is_same(const struct request_trace *left, const struct request_trace *right)
{
	const __u64 *a = (const __u64 *)left, *b = (const __u64 *)right;

	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && left->flags == right->flags &&
	       left->source == right->source;
}

static __always_inline void connection__mark_flow(struct connection *connection, const struct request_trace *trace)
{
	__u64 tag = flow__tag(endpoint__hash(&connection->local), endpoint__hash(&connection->remote));

	if (trace->flags & TRACE_FLAG_SAMPLED)
		flow__mark_sampled(tag, bpf_ktime_get_ns() + settings.sampled_for_ns);
	else if (!trace->stream) /* other streams of HTTP/2 may still be sampled */
		flow__forget_sampled(tag);
}

/* False: it is lost. */
static __always_inline bool connection__write(struct connection *connection, int which, __u32 sequence,
					      const struct request_trace *trace, __u8 flags)
{
	struct wire_request *frame = request__reserve();

	if (!frame)
		return false;
	if (which == SENT)
		request__write(frame, trace, &connection->local, &connection->remote);
	else
		request__write(frame, trace, &connection->remote, &connection->local);
	frame->netns_cookie = connection->netns_cookie;
	frame->netns_inode = connection->netns_inode;
	frame->process_id = connection->process_id;
	frame->sequence = sequence;
	frame->flags = flags | (which == RECEIVED ? WIRE_REQUEST_RECEIVED : 0);
	bpf_ringbuf_submit(frame, BPF_RB_NO_WAKEUP);
	return true;
}

static __always_inline void plaintext__tell(struct connection *connection, struct direction *direction, int which,
					    const struct request_trace *trace)
{
	if (which == SENT && !connection->has_first) {
		connection->first = *trace;
		connection->has_first = 1;
	}
	direction->told = *trace;
}

/* From `sequence` on the bytes of the direction belong to this. Written when it changes. */
static __always_inline void direction__tell(struct connection *connection, struct direction *direction, int which,
					    __u32 sequence, const struct request_trace *trace, __u8 flags)
{
	bool is_first = !direction->has_run;

	direction->has_run = 1;
	if (connection->is_plaintext) {
		plaintext__tell(connection, direction, which, trace);
		return;
	}
	if (trace__is_same(&direction->told, trace))
		return;
	if (is_first)
		sequence = direction->first_sequence;
	direction->told = *trace;
	if (!connection__write(connection, which, sequence, trace, flags))
		direction->told.source = SOURCE_PENDING; /* what follows is told even if it is the same */
	connection__mark_flow(connection, trace);
}

/* ---- what the parser finds ------------------------------------------------------------------------------------------ */

static __always_inline struct request_trace *connection__stream(struct connection *connection, __u32 stream)
{
	return &connection->streams[stream >> 1 & (STREAMS - 1)];
}

/* 0 in HTTP/1, where the parser keeps something else in this place. */
static __always_inline __u32 parser__stream(const struct http_parser *parser)
{
	return parser->is_http2 ? parser->stream : 0;
}

static __always_inline void trace__of_parser(struct request_trace *trace, const struct http_parser *parser,
					     bool is_plaintext)
{
	*trace = no_trace;
	if (!parser->trace.found)
		return;
	__builtin_memcpy(trace->trace_id, parser->trace.trace_id, 16);
	__builtin_memcpy(trace->span_id, parser->trace.span_id, 8);
	trace->flags = parser->trace.flags;
	trace->source = is_plaintext     ? WIRE_REQUEST_SOURCE_TLS :
			parser->is_http2 ? WIRE_REQUEST_SOURCE_HTTP2 :
					   WIRE_REQUEST_SOURCE_HTTP1;
	if (!(settings.sources & 1u << trace->source))
		*trace = no_trace;
}

static __always_inline void connection__on_request(struct connection *connection, struct direction *direction,
						   int which)
{
	struct http_parser *parser = &direction->parser;
	__u32 stream = parser__stream(parser);
	struct request_trace *trace;

	if (stream) {
		trace = connection__stream(connection, stream);
		if (trace->stream != stream) { /* else: what follows the body (trailers) */
			trace__of_parser(trace, parser, connection->is_plaintext);
			trace->stream = stream;
			connection->open_streams++;
			stat__add(trace->source ? WIRE_STAT_REQUESTS : WIRE_STAT_REQUESTS_PLAIN, 1);
		}
	} else {
		__u32 place = connection->asked++ & (OUTSTANDING - 1);

		trace = &connection->outstanding[place];
		trace__of_parser(trace, parser, connection->is_plaintext);
		connection->methods[place] = (parser->method_is_head ? METHOD_HEAD : 0) |
					     (parser->method_is_connect ? METHOD_CONNECT : 0);
		stat__add(trace->source ? WIRE_STAT_REQUESTS : WIRE_STAT_REQUESTS_PLAIN, 1);
	}
	if (direction->is_told)
		return;
	direction->has_header = trace->source != WIRE_REQUEST_SOURCE_NONE;
	if (!direction->has_header && direction->told.source == WIRE_REQUEST_SOURCE_THREAD)
		*trace = direction->told; /* then its response belongs to it too */
	direction__tell(connection, direction, which, direction->message_sequence, trace, 0);
	if (which == SENT && settings.infers_responses && !connection->is_plaintext)
		direction__tell(connection, &connection->directions[RECEIVED], RECEIVED, connection->next_received,
				trace, WIRE_REQUEST_RESPONSE);
}

static __always_inline void connection__on_response(struct connection *connection, struct direction *direction,
						    int which)
{
	const struct request_trace *trace = &no_trace;
	__u32 waiting = connection->asked - connection->answered, place = connection->answered & (OUTSTANDING - 1);
	__u16 status = direction->parser.status;

	if (waiting && waiting <= OUTSTANDING)
		trace = &connection->outstanding[place];
	if (waiting && (status >= 200 || status == 101))
		connection->answered++;
	if (status == 101) /* what the client sends from now on is no HTTP: it stays with this request */
		connection->directions[which == SENT ? RECEIVED : SENT].parser.state = HTTP_OPAQUE;
	/* the thread that answers knows the server's own span */
	if (!direction->is_told && direction->told.source != WIRE_REQUEST_SOURCE_THREAD)
		direction__tell(connection, direction, which, direction->message_sequence, trace,
				WIRE_REQUEST_RESPONSE);
}

/* HTTP/2: bytes of a stream. Those of the connection itself (stream 0) stay with what was before. */
static __always_inline void connection__on_frame(struct connection *connection, struct direction *direction, int which)
{
	struct http_parser *parser = &direction->parser;
	const struct request_trace *trace;
	bool is_request = !parser->is_response;

	if (!parser->frame_stream)
		return;
	if (is_request && parser->frame_type == HTTP2_HEADERS) {
		direction->is_in_head = 1;
		return; /* told when its header section is complete */
	}
	if (parser->frame_type != HTTP2_DATA && parser->frame_type != HTTP2_HEADERS)
		return;
	trace = connection__stream(connection, parser->frame_stream);
	direction__tell(connection, direction, which, direction->message_sequence,
			trace->stream == parser->frame_stream ? trace : &no_trace,
			is_request ? 0 : WIRE_REQUEST_RESPONSE);
}

static __always_inline void direction__start(struct direction *direction, __u32 sequence)
{
	__builtin_memset(&direction->parser, 0, sizeof(direction->parser));
	direction->next_sequence = sequence;
	direction->first_sequence = sequence;
	direction->is_followed = 1;
	direction->is_in_head = 0;
	direction->has_run = direction->told.source != 0;
}

/* What comes is not known to belong to anything. */
static __always_inline void direction__lose(struct connection *connection, struct direction *direction, int which,
					    __u32 sequence)
{
	direction->is_followed = 0;
	direction->is_in_head = 0;
	direction->has_run = 1;
	connection->asked = 0;
	connection->answered = 0;
	stat__add(WIRE_STAT_REQUESTS_UNREAD, 1);
	if (!direction->is_told && direction->told.source != WIRE_REQUEST_SOURCE_THREAD)
		direction__tell(connection, direction, which, sequence, &no_trace, 0);
}

#endif
