// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/*
 * Finds the requests of applications, and the trace context that they carry, where bytes are written to a TCP socket and where
 * they are read from it. Both happen under the socket's lock, so a connection is one program's at a time. The bytes stay in the
 * kernel: what leaves it is the trace context, and where in the stream of bytes it holds.
 */
#include <linux/ptrace.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "connection.h"
#include "thread_context.h"
#include "tls.h"

char LICENSE[] SEC("license") = "GPL"; /* loaded under the GPL-2.0 side of the dual licence: the helpers ask for it */

/* Since 6.4, for programs at tracepoints since 6.12: reads an sk_buff's bytes wherever they lie. */
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *dynptr) __ksym __weak;

#define PROTOCOL_TCP 6
/* Pieces, chunks and bodies in one send or read: HTTP/2 libraries gather many small frames into one. */
#define MOST_STEPS 2048
/* So many bytes decide whether a send can begin a request. */
#define FIRST_BYTES 24

struct work {
	struct connection *connection;
	struct direction *direction;
	const void *packet; /* PIECE_PACKET */
	int which;
};

/* ---- bytes to the parser -------------------------------------------------------------------------------------------- */

/* A function of its own: the verifier lets nothing else use the stack where a dynptr was. */
static __attribute__((noinline)) long packet__read_bytes(const void *packet, void *to, __u32 bytes, __u32 offset)
{
	struct bpf_dynptr all;

	keep_check(bytes);
	if (bytes > CHUNK_BYTES || bpf_dynptr_from_skb((void *)packet, 0, &all))
		return -1;
	return bpf_dynptr_read(to, bytes, &all, offset, 0);
}

static __always_inline long pieces__read(const struct pieces *pieces, const void *packet, void *to, __u32 bytes,
					 bool is_packet)
{
	if (is_packet)
		return packet__read_bytes(packet, to, bytes, pieces->base);
	if (!pieces->base)
		return -1;
	if (pieces->kind == PIECE_USER)
		return bpf_probe_read_user(to, bytes, (void *)pieces->base);
	return bpf_probe_read_kernel(to, bytes, (void *)pieces->base);
}

/* Whether the next bytes can begin a request or a response: with others no connection is followed. */
static __always_inline bool pieces__can_start(const struct pieces *pieces, const void *packet, bool is_packet)
{
	__u64 bytes = pieces->left < pieces->total ? pieces->left : pieces->total;
	__u8 first[FIRST_BYTES] = {};

	if (bytes > FIRST_BYTES)
		bytes = FIRST_BYTES;
	keep_check(bytes);
	if (!bytes || bytes > FIRST_BYTES)
		return false;
	if (pieces__read(pieces, packet, first, bytes, is_packet))
		return false;
	return http__can_start(first, bytes);
}

static __always_inline void work__on_events(struct work *work, __u32 events, __u32 sequence)
{
	struct connection *connection = work->connection;
	struct direction *direction = work->direction;
	struct http_parser *parser = &direction->parser;

	if (events & HTTP_EVENT_START) {
		direction->message_sequence = sequence;
		direction->is_in_head = !parser->is_http2;
		if (connection->answered != connection->asked) {
			__u8 method = connection->methods[connection->answered & (OUTSTANDING - 1)];

			parser->next_has_no_body = method & METHOD_HEAD;
			parser->next_is_tunnel = (method & METHOD_CONNECT) != 0;
		}
	}
	if (events & HTTP_EVENT_FRAME)
		connection__on_frame(connection, direction, work->which);
	if (events & HTTP_EVENT_END && parser->is_http2 && parser->is_response && connection->open_streams)
		connection->open_streams--;
	if (events & HTTP_EVENT_HEAD) {
		direction->is_in_head = 0;
		if (!parser->is_response)
			connection__on_request(connection, direction, work->which);
		else if (!parser->is_http2)
			connection__on_response(connection, direction, work->which);
	}
}

#define WORDS_A_STEP 4

/* What only waits for the end of its line, most of a header section, goes by in large steps. Returns how many bytes went. */
static __always_inline __u32 chunk__take_words(const struct connection *connection, struct http_parser *parser,
					       __u32 start)
{
	__u32 at = start;

#pragma unroll
	for (int word = 0; word < WORDS_A_STEP; word++) {
		__u32 taken;

		if (at + 8 > connection->chunk_bytes)
			break;
		taken = http__take_word(parser, *(__u64 *)(connection->chunk + (at & (CHUNK_BYTES - 1))));
		at += taken;
		if (taken < 8)
			break;
	}
	return at - start;
}

static long chunk__step(__u32 index, struct work *work)
{
	struct connection *connection = work->connection;
	struct direction *direction = work->direction;
	__u32 at, taken, events;

	if (!connection || !direction)
		return 1;
	at = connection->chunk_at;
	if (at >= connection->chunk_bytes)
		return 1;
	taken = chunk__take_words(connection, &direction->parser, at);
	if (taken) {
		connection->chunk_at = at + taken;
		return 0;
	}
	connection->chunk_at = at + 1;
	events = http__take(&direction->parser, connection->chunk[at & (CHUNK_BYTES - 1)]);
	if (events)
		work__on_events(work, events, connection->pieces.sequence + at);
	return direction->parser.skip || events & HTTP_EVENT_LOST;
}

/* One piece, one chunk, or what need not be looked at. */
static __always_inline long work__step(struct work *work, bool is_packet)
{
	struct connection *connection = work->connection;
	struct direction *direction = work->direction;
	struct pieces *pieces;
	__u64 bytes;

	if (!connection || !direction)
		return 1;
	pieces = &connection->pieces;
	if (!pieces->total || !direction->is_followed)
		return 1;
	if (!pieces->left)
		return pieces__next(pieces) ? 0 : 1;
	bytes = pieces->left < pieces->total ? pieces->left : pieces->total;
	if (pieces->discard) {
		bytes = bytes < pieces->discard ? bytes : pieces->discard;
		pieces->discard -= bytes;
		pieces__advance(pieces, bytes);
		return 0;
	}
	if (direction->parser.skip) {
		bytes = bytes < direction->parser.skip ? bytes : direction->parser.skip;
		direction->parser.skip -= bytes;
		pieces__advance(pieces, bytes);
		return 0;
	}
	if (bytes > CHUNK_BYTES)
		bytes = CHUNK_BYTES;
	keep_check(bytes);
	if (bytes > CHUNK_BYTES || pieces__read(pieces, work->packet, connection->chunk, bytes, is_packet)) {
		/* the pages of a file that is sent (sendfile) need not be readable */
		if (!http__takes_any(&direction->parser))
			return 1;
		bytes = 1;
	}
	connection->chunk_bytes = bytes;
	connection->chunk_at = 0;
	bpf_loop(CHUNK_BYTES, chunk__step, work, 0);
	pieces__advance(pieces, connection->chunk_at);
	return direction->parser.state == HTTP_LOST;
}

static long memory__step(__u32 index, struct work *work)
{
	return work__step(work, false);
}

static long packet__step(__u32 index, struct work *work)
{
	return work__step(work, true);
}

/* Bytes went by unseen (until 6.5 those of sendfile do): no harm where they need not be looked at. */
static __always_inline bool parser__pass_unseen(struct http_parser *parser, __u64 bytes)
{
	if (parser->skip >= bytes) {
		parser->skip -= bytes;
		return true;
	}
	if (parser->skip + 1 != bytes || !http__takes_any(parser))
		return false;
	parser->skip = 0;
	http__take_any(parser);
	return true;
}

/* Brings the parser to the first of the bytes. False: there is nothing to follow. */
static __always_inline bool work__align(struct work *work, bool is_packet)
{
	struct connection *connection = work->connection;
	struct direction *direction = work->direction;
	struct pieces *pieces = &connection->pieces;
	__s32 known = direction->next_sequence - pieces->sequence;

	pieces->discard = 0;
	if (direction->is_followed && known < 0) {
		if (!parser__pass_unseen(&direction->parser, -known))
			direction__lose(connection, direction, work->which, pieces->sequence);
		known = 0;
	}
	if (direction->is_followed) {
		/* what did not fit the last time is sent again, what was only peeked at is read again */
		if ((__u32)known >= pieces->total)
			return false;
		pieces->discard = known;
		return true;
	}
	if (!pieces__can_start(pieces, work->packet, is_packet))
		return false;
	direction__start(direction, pieces->sequence);
	return true;
}

/* The bytes of one send or read, in `pieces`. */
static __always_inline void work__feed(struct work *work, bool is_packet)
{
	struct connection *connection = work->connection;
	struct direction *direction = work->direction;
	struct pieces *pieces = &connection->pieces;

	if (!work__align(work, is_packet))
		return;
	bpf_loop(MOST_STEPS, is_packet ? packet__step : memory__step, work, 0);
	direction->next_sequence = pieces->sequence;
	if (direction->parser.state == HTTP_LOST) {
		direction__lose(connection, direction, work->which, pieces->sequence);
	} else if (pieces->total > direction->parser.skip) {
		direction__lose(connection, direction, work->which, pieces->sequence);
	} else {
		direction->next_sequence += pieces->total;
		direction->parser.skip -= pieces->total;
	}
	if (direction->is_told || connection->is_plaintext)
		return;
	/* HTTP/2's preface and settings, a server's too, belong to the first request */
	if ((direction->is_in_head && work->which == SENT) || (direction->parser.is_http2 && !direction->has_run)) {
		connection__write(connection, work->which,
				  direction->has_run ? direction->message_sequence : direction->first_sequence,
				  &no_trace, WIRE_REQUEST_PENDING);
		direction->told.source = SOURCE_PENDING; /* what follows is told even if it is what was before */
	}
}

static __always_inline void connection__feed(struct connection *connection, const struct pieces *pieces, int which,
					     const void *packet, bool is_packet)
{
	struct work work = {
		.connection = connection,
		.direction = which == SENT ? &connection->directions[SENT] : &connection->directions[RECEIVED],
		.packet = packet,
		.which = which,
	};

	connection->pieces = *pieces;
	work__feed(&work, is_packet);
}

/* ---- the connection of a socket ------------------------------------------------------------------------------------- */

static __always_inline void endpoint__of_ipv6(struct endpoint *endpoint, const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	endpoint->ip_version = 6;
	__builtin_memcpy(endpoint->address, address, 16);
	if (words[0] || words[1] || words[2] != bpf_htonl(0xffff))
		return;
	/* an IPv4 connection of a socket for both (::ffff:a.b.c.d) */
	endpoint->ip_version = 4;
	*(__u32 *)endpoint->address = words[3];
	__builtin_memset(endpoint->address + 4, 0, 12);
}

static __always_inline void socket__read_remote(const struct sock *sk, struct endpoint *remote)
{
	__u8 address[16];

	remote->port = bpf_ntohs(sk->__sk_common.skc_dport);
	if (sk->__sk_common.skc_family == SKBSPAN_AF_INET6) {
		bpf_core_read(address, sizeof(address), &sk->__sk_common.skc_v6_daddr);
		endpoint__of_ipv6(remote, address);
	} else {
		remote->ip_version = 4;
		*(__u32 *)remote->address = sk->__sk_common.skc_daddr;
	}
}

static __always_inline void socket__read_local(const struct sock *sk, struct endpoint *local)
{
	__u8 address[16];

	local->port = sk->__sk_common.skc_num;
	if (sk->__sk_common.skc_family == SKBSPAN_AF_INET6) {
		bpf_core_read(address, sizeof(address), &sk->__sk_common.skc_v6_rcv_saddr);
		endpoint__of_ipv6(local, address);
	} else {
		local->ip_version = 4;
		*(__u32 *)local->address = sk->__sk_common.skc_rcv_saddr;
	}
}

static __always_inline void connection__describe(struct connection *connection, const struct sock *sk)
{
	const struct net *net = sk->__sk_common.skc_net.net;

	socket__read_local(sk, &connection->local);
	socket__read_remote(sk, &connection->remote);
	connection->netns_inode = net->ns.inum;
	connection->netns_cookie = net__cookie(net);
	connection->process_id = bpf_get_current_pid_tgid() >> 32;
}

static __always_inline struct connection *connection__make(const struct sock *sk, const __u64 *identity)
{
	__u64 key = (__u64)sk;
	struct connection *connection;

	if (bpf_map_update_elem(&connections, &key, &no_connection, BPF_ANY))
		return NULL;
	connection = bpf_map_lookup_elem(&connections, &key);
	if (!connection)
		return NULL;
	connection->identity[0] = identity[0];
	connection->identity[1] = identity[1];
	connection__describe(connection, sk);
	return connection;
}

static __always_inline struct connection *connection__find(const struct sock *sk, const __u64 *identity)
{
	__u64 key = (__u64)sk;
	struct connection *connection = bpf_map_lookup_elem(&connections, &key);

	if (!connection || connection->identity[0] != identity[0] || connection->identity[1] != identity[1])
		return NULL;
	return connection;
}

static __always_inline void socket__identify(const struct sock *sk, __u64 *identity)
{
	identity[0] = sk->__sk_common.skc_addrpair;
	identity[1] = (__u64)sk->__sk_common.skc_hash << 32 | sk->__sk_common.skc_portpair;
}

/* ---- what is sent --------------------------------------------------------------------------------------------------- */

/* What the application told of the bytes that come now. */
static __always_inline bool told__take(const struct sock *sk, struct request_trace *trace)
{
	struct told_key key = {};
	struct request_trace *found;

	key.netns_cookie = net__cookie(sk->__sk_common.skc_net.net);
	key.local_port = sk->__sk_common.skc_num;
	socket__read_remote(sk, &key.remote);
	found = bpf_map_lookup_elem(&told, &key);
	if (!found)
		return false;
	*trace = *found;
	bpf_map_delete_elem(&told, &key);
	return true;
}

static __always_inline void connection__on_told(struct connection *connection, __u32 sequence,
						const struct request_trace *trace)
{
	struct direction *sent = &connection->directions[SENT], *received = &connection->directions[RECEIVED];

	/* many streams share the connection: the headers say more exactly whose each is */
	if (sent->is_followed && sent->parser.is_http2)
		return;
	sent->is_told = 1;
	sent->has_run = 1;
	direction__tell(connection, sent, SENT, sequence, trace, trace->is_answer ? WIRE_REQUEST_RESPONSE : 0);
	if (received->is_followed || trace->is_answer)
		return; /* this is the response: what was received, and what comes next, is somebody else's */
	received->is_told = 1;
	received->has_run = 1;
	direction__tell(connection, received, RECEIVED, connection->next_received, trace, WIRE_REQUEST_RESPONSE);
}

#define SOURCE_IS_WANTED(source) (settings.sources & 1u << (source))

/* What is known of the bytes to be sent without looking into them. */
struct send {
	struct request_trace trace; /* of the thread, or told */
	struct tls_key tls;
	__u32 sequence;
	__u8 is_told;
	__u8 is_of_thread;
	__u8 is_of_tls;
};

static __always_inline void send__ask(struct send *send, const struct sock *sk, const struct connection *connection)
{
	__u32 zero = 0;
	struct requests_state *state = bpf_map_lookup_elem(&requests_state, &zero);

	send->is_told = state && state->heard && told__take(sk, &send->trace);
	if (SOURCE_IS_WANTED(WIRE_REQUEST_SOURCE_THREAD) && !send->is_told)
		send->is_of_thread = thread__read_trace(&send->trace);
	if (SOURCE_IS_WANTED(WIRE_REQUEST_SOURCE_TLS))
		send->is_of_tls = tls__find_key(&send->tls, connection);
}

/* Tells what the session waits to tell, if it is its record that is written. */
static __always_inline void send__look_for_record(const struct send *send, const struct sock *sk,
						  const struct tcp_sock *tcp, const __u64 *identity,
						  const struct pieces *pieces, struct connection *connection)
{
	struct tls_session *session = tls__find_waiting(&send->tls, sk, identity);
	__s32 at = session ? pieces__find_record(pieces, session->waiting_bytes) : -1;

	if (!session)
		return;
	if (at >= 0) {
		if (!connection && session->waiting.source)
			connection = connection__make(sk, identity);
		session->is_waiting = 0;
	}
	if (!connection || (at < 0 && !session->socket))
		return;
	connection->next_received = tcp->rcv_nxt;
	if (at < 0) { /* what is left of a request before, or what cannot be read: nobody can say */
		connection__on_record(connection, session, &no_trace, send->sequence);
		return;
	}
	connection->tls = send->tls;
	session->socket = (__u64)sk;
	session->identity[0] = identity[0];
	session->identity[1] = identity[1];
	connection__on_record(connection, session, &session->waiting, send->sequence + at);
}

static __always_inline void send__follow(const struct sock *sk, const struct msghdr *message)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock((void *)sk);
	struct send send = {};
	struct connection *connection;
	struct pieces pieces = {};
	__u64 identity[2] = {};
	bool is_readable;

	if (!tcp)
		return;
	socket__identify(sk, identity);
	connection = connection__find(sk, identity);
	send.sequence = tcp->write_seq;
	send__ask(&send, sk, connection);
	is_readable = pieces__of_message(&pieces, message);
	pieces.sequence = send.sequence;
	if (is_readable && send.is_of_tls && !send.is_told)
		send__look_for_record(&send, sk, tcp, identity, &pieces, connection);
	if (!connection) {
		bool is_of_request = send.is_told || (send.is_of_thread && send.trace.source);

		if (!is_of_request && (!is_readable || !pieces__can_start(&pieces, NULL, false)))
			return;
		connection = connection__make(sk, identity);
		if (!connection)
			return;
	}
	connection->next_received = tcp->rcv_nxt;
	if (send.is_told)
		connection__on_told(connection, send.sequence, &send.trace);
	if (send.is_of_thread)
		connection__on_thread(connection, sk, send.sequence, &send.trace);
	if (!is_readable)
		return;
	connection__feed(connection, &pieces, SENT, NULL, false);
}

/* tcp_sendmsg_locked(sk, msg, size) */
SEC("fentry/tcp_sendmsg_locked") int send_function(__u64 *ctx)
{
	send__follow((void *)ctx[0], (void *)ctx[1]);
	return 0;
}

/* tcp_sendmsg_locked(sk, msg, skb, size_goal), since 6.16: before every part of a send that is put into an sk_buff */
SEC("tp_btf/tcp_sendmsg_locked") int send_tracepoint(__u64 *ctx)
{
	send__follow((void *)ctx[0], (void *)ctx[1]);
	return 0;
}

/* ---- what is received ----------------------------------------------------------------------------------------------- */

/* The bytes of a packet that are about to be copied to the application. The packet is the verifier's where `is_packet`. */
static __always_inline void receive__follow(const struct sk_buff *skb, int bytes, bool is_packet)
{
	const struct sock *sk = skb->sk;
	__u32 first_sequence, offset;
	struct connection *connection;
	struct pieces pieces = {};
	__u64 identity[2] = {};

	if (!sk || sk->sk_protocol != PROTOCOL_TCP || bytes <= 0)
		return;
	first_sequence = *(const __u32 *)skb->cb;
	pieces.sequence = BPF_CORE_READ((const struct tcp_sock *)sk, copied_seq);
	offset = pieces.sequence - first_sequence;
	if (offset >= skb->len)
		return;
	if (is_packet) {
		pieces.base = offset;
		pieces.left = bytes;
		pieces.total = bytes;
	} else {
		pieces__of_packet(&pieces, skb, bytes);
		if (!pieces__drop(&pieces, offset))
			return;
	}
	socket__identify(sk, identity);
	connection = connection__find(sk, identity);
	if (!connection) {
		if (!pieces__can_start(&pieces, skb, is_packet))
			return;
		connection = connection__make(sk, identity);
		if (!connection)
			return;
	}
	connection__feed(connection, &pieces, RECEIVED, skb, is_packet);
}

/* skb_copy_datagram_iovec(skb, len): as the kernel's own function reads a packet */
SEC("tp_btf/skb_copy_datagram_iovec") int receive_packet(__u64 *ctx)
{
	receive__follow((void *)ctx[0], ctx[1], true);
	return 0;
}

/* The same where that function may not be called: by the addresses of the pages. */
SEC("tp_btf/skb_copy_datagram_iovec") int receive_pages(__u64 *ctx)
{
	receive__follow((void *)ctx[0], ctx[1], false);
	return 0;
}

/* ---- what is handed to a TLS library -------------------------------------------------------------------------------- */

/* False: another call of this thread is under way, whose records are this one's plaintext (TLS in TLS). */
static __always_inline bool tls_call__begin(struct pt_regs *ctx, bool is_write, bool has_count)
{
	__u64 thread = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
	struct tls_call call = {
		.key = { .process_id = thread >> 32, .ssl = PT_REGS_PARM1(ctx) },
		.buffer = PT_REGS_PARM2(ctx),
		.count_at = has_count ? PT_REGS_PARM4(ctx) : 0,
		.stack_pointer = PT_REGS_SP(ctx),
		.until_ns = now + TLS_WAIT_NS,
		.is_under_way = 1,
	};
	const struct tls_call *earlier = bpf_map_lookup_elem(&tls_calls, &thread);

	/* stacks grow downwards: one that is still under way has its frame above */
	if (earlier && earlier->is_under_way && earlier->stack_pointer > call.stack_pointer && earlier->until_ns > now)
		return false;
	if (is_write) {
		call.written = call.key;
		call.written_until_ns = call.until_ns;
	} else if (earlier) {
		call.written = earlier->written;
		call.written_until_ns = earlier->written_until_ns;
	}
	return !bpf_map_update_elem(&tls_calls, &thread, &call, BPF_ANY);
}

/* The call that returns now. NULL: it was not seen when it began. */
static __always_inline struct tls_call *tls_call__end(struct pt_regs *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct tls_call *call = bpf_map_lookup_elem(&tls_calls, &thread);

	/* on x86 the return address has been taken from the stack */
	if (!call || !call->is_under_way || PT_REGS_SP(ctx) - call->stack_pointer > sizeof(__u64))
		return NULL;
	call->is_under_way = 0;
	call->until_ns = bpf_ktime_get_ns() + TLS_WAIT_NS;
	return call;
}

/* Bytes that the library took or gave. */
static __always_inline __u32 tls_call__bytes(const struct tls_call *call, int returned)
{
	__u64 count = 0;

	if (returned <= 0)
		return 0;
	if (!call->count_at)
		return returned;
	bpf_probe_read_user(&count, sizeof(count), (void *)call->count_at);
	return count;
}

#define MOST_PLAINTEXT_BYTES (1u << 30)

/* Feeds a session's parser. NULL: the session is not followed. */
static __always_inline struct tls_session *tls__feed(const struct tls_key *key, __u64 buffer, __u64 bytes, int which)
{
	struct tls_session *session = tls_session__find(key);
	struct pieces pieces = { .kind = PIECE_USER, .base = buffer, .left = bytes, .total = bytes };

	if (!bytes || bytes > MOST_PLAINTEXT_BYTES)
		return NULL;
	if (!session) {
		if (!pieces__can_start(&pieces, NULL, false))
			return NULL;
		session = tls_session__make(key);
		if (!session)
			return NULL;
	}
	session->connection.has_first = 0;
	pieces.sequence = which == SENT ? session->written : session->read;
	connection__feed(&session->connection, &pieces, which, NULL, false);
	return session;
}

static __always_inline int tls__on_write(struct pt_regs *ctx, __u64 bytes, bool has_count)
{
	struct tls_key key = { .process_id = bpf_get_current_pid_tgid() >> 32, .ssl = PT_REGS_PARM1(ctx) };
	struct tls_session *session;

	if (!tls_call__begin(ctx, true, has_count))
		return 0;
	session = tls__feed(&key, PT_REGS_PARM2(ctx), bytes, SENT);
	if (session)
		tls_session__await(session, bytes);
	return 0;
}

/* int SSL_write(SSL *ssl, const void *buf, int num) */
SEC("uprobe") int tls_write(struct pt_regs *ctx)
{
	int bytes = PT_REGS_PARM3(ctx);

	return tls__on_write(ctx, bytes > 0 ? bytes : 0, false);
}

/* int SSL_write_ex(SSL *ssl, const void *buf, size_t num, size_t *written) */
SEC("uprobe") int tls_write_ex(struct pt_regs *ctx)
{
	return tls__on_write(ctx, PT_REGS_PARM3(ctx), true);
}

/* What was not taken is given again, and is not looked at twice. */
SEC("uretprobe") int tls_write_return(struct pt_regs *ctx)
{
	struct tls_call *call = tls_call__end(ctx);
	struct tls_session *session = call ? tls_session__find(&call->key) : NULL;

	if (session)
		session->written += tls_call__bytes(call, PT_REGS_RC(ctx));
	return 0;
}

/* int SSL_read(SSL *ssl, void *buf, int num) */
SEC("uprobe") int tls_read(struct pt_regs *ctx)
{
	tls_call__begin(ctx, false, false);
	return 0;
}

/* int SSL_read_ex(SSL *ssl, void *buf, size_t num, size_t *readbytes) */
SEC("uprobe") int tls_read_ex(struct pt_regs *ctx)
{
	tls_call__begin(ctx, false, true);
	return 0;
}

SEC("uretprobe") int tls_read_return(struct pt_regs *ctx)
{
	struct tls_call *call = tls_call__end(ctx);
	struct tls_session *session;
	struct tls_key key;
	__u32 bytes;

	if (!call)
		return 0;
	key = call->key;
	bytes = tls_call__bytes(call, PT_REGS_RC(ctx));
	session = tls__feed(&key, call->buffer, bytes, RECEIVED);
	if (session)
		session->read += bytes;
	return 0;
}

/* void SSL_free(SSL *ssl): another object may get its address. */
SEC("uprobe") int tls_free(struct pt_regs *ctx)
{
	struct tls_key key = { .process_id = bpf_get_current_pid_tgid() >> 32, .ssl = PT_REGS_PARM1(ctx) };

	bpf_map_delete_elem(&tls_sessions, &key);
	return 0;
}
