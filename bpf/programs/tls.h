/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What applications hand to OpenSSL (SSL_write) and get from it (SSL_read): the plaintext of TLS connections.
 *
 * Which socket carries an SSL object's records nobody says. It is the one that the thread writes to, in SSL_write or after it, a
 * record of application data that is as long as the plaintext makes it; from then on the two belong together, and the thread does
 * not matter. A record that does not fit is never taken for one.
 */
#ifndef SKBSPAN_TLS_H
#define SKBSPAN_TLS_H

#include "connection.h"

struct tls_session {
	struct connection connection; /* its sequence numbers are positions in the plaintext */
	__u64 socket;                 /* that carries it; 0: not known yet */
	__u64 identity[2];            /* of that */
	__u32 written;                /* positions: of what the library has taken, and given */
	__u32 read;
	struct request_trace waiting; /* for the record of the latest write to come to the socket */
	__u64 waiting_until_ns;
	__u32 waiting_bytes; /* of plaintext */
	__u8 is_waiting;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, struct tls_key);
	__type(value, struct tls_session);
} tls_sessions SEC(".maps");

/* A thread's latest call of the library. */
struct tls_call {
	struct tls_key key;
	__u64 buffer;
	__u64 count_at;      /* where SSL_read_ex and SSL_write_ex put the number of bytes; 0: they are returned */
	__u64 stack_pointer; /* at the function's entry */
	__u64 until_ns;
	struct tls_key written; /* by its latest SSL_write: others may come before the record goes to the socket */
	__u64 written_until_ns;
	__u8 is_under_way;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* thread */
	__type(value, struct tls_call);
} tls_calls SEC(".maps");

static const struct tls_session no_session;

/* So long after SSL_write a thread's record is looked for while the socket is not known. Node.js writes it at once; this is for
 * machines that are busy. */
#define TLS_WAIT_NS 1000000000ull

/* ---- records -------------------------------------------------------------------------------------------------------- */

#define TLS_RECORD_HEADER_BYTES 5
#define TLS_CHANGE_CIPHER_SPEC 20 /* the first type */
#define TLS_APPLICATION_DATA 23   /* the last */
#define TLS_LARGEST_RECORD 16384  /* of plaintext */
/* What a record adds to the plaintext: 16 (ChaCha20) to 80 bytes (CBC with a long checksum, its padding and its vector). */
#define TLS_LEAST_ADDED 16
#define TLS_MOST_ADDED 96
#define MOST_RECORDS 6 /* what ends a handshake may go out before the first data in one write */

static __always_inline bool record__fits(__u32 record_bytes, __u32 plaintext_bytes)
{
	__u32 plain = plaintext_bytes < TLS_LARGEST_RECORD ? plaintext_bytes : TLS_LARGEST_RECORD;

	return record_bytes >= plain + TLS_LEAST_ADDED && record_bytes <= plain + TLS_MOST_ADDED;
}

/* Where in a write the record with that much plaintext begins; -1: not there. */
static __always_inline __s32 pieces__find_record(const struct pieces *pieces, __u32 plaintext_bytes)
{
	__u64 at = 0;

	if (pieces->kind != PIECE_USER)
		return -1;
	for (int record = 0; record < MOST_RECORDS; record++) {
		__u8 header[TLS_RECORD_HEADER_BYTES];
		__u32 bytes;

		if (at + sizeof(header) > pieces->left)
			return -1;
		if (bpf_probe_read_user(header, sizeof(header), (void *)(pieces->base + at)))
			return -1;
		if (header[0] < TLS_CHANGE_CIPHER_SPEC || header[0] > TLS_APPLICATION_DATA || header[1] != 3)
			return -1;
		bytes = header[3] << 8 | header[4];
		if (header[0] == TLS_APPLICATION_DATA && record__fits(bytes, plaintext_bytes))
			return at;
		at += sizeof(header) + bytes;
	}
	return -1;
}

/* ---- sessions ------------------------------------------------------------------------------------------------------- */

static __always_inline struct tls_session *tls_session__find(const struct tls_key *key)
{
	return key->ssl ? bpf_map_lookup_elem(&tls_sessions, key) : NULL;
}

static __always_inline struct tls_session *tls_session__make(const struct tls_key *key)
{
	struct tls_session *session;

	if (bpf_map_update_elem(&tls_sessions, key, &no_session, BPF_ANY))
		return NULL;
	session = bpf_map_lookup_elem(&tls_sessions, key);
	if (session)
		session->connection.is_plaintext = 1;
	return session;
}

/* After a write was looked at: what its record is to be told of. Two that wait with different requests are neither's. */
static __always_inline void tls_session__await(struct tls_session *session, __u32 bytes)
{
	struct connection *connection = &session->connection;
	struct direction *sent = &connection->directions[SENT];
	const struct request_trace *trace = connection->has_first ? &connection->first :
					    sent->is_in_head      ? &no_trace :
								    &sent->told;
	__u64 now = bpf_ktime_get_ns();

	if (session->is_waiting && (session->socket || now < session->waiting_until_ns)) {
		if (!trace__is_same(&session->waiting, trace))
			session->waiting = no_trace;
	} else {
		session->waiting = *trace;
		session->waiting_bytes = bytes;
		session->is_waiting = 1;
	}
	session->waiting_until_ns = now + TLS_WAIT_NS;
}

/* ---- the socket ----------------------------------------------------------------------------------------------------- */

/* Whose record this thread may be about to write to the socket. */
static __always_inline bool tls__find_key(struct tls_key *key, const struct connection *connection)
{
	__u64 thread = bpf_get_current_pid_tgid();
	const struct tls_call *call;

	if (connection && connection->tls.ssl) {
		*key = connection->tls;
		return true;
	}
	call = bpf_map_lookup_elem(&tls_calls, &thread);
	if (!call || call->written_until_ns < bpf_ktime_get_ns())
		return false;
	*key = call->written;
	return true;
}

/* The session that waits for its record and may write to this socket. */
static __always_inline struct tls_session *tls__find_waiting(const struct tls_key *key, const struct sock *sk,
							     const __u64 *identity)
{
	struct tls_session *session = tls_session__find(key);

	if (!session || !session->is_waiting)
		return NULL;
	if (session->socket && (session->socket != (__u64)sk || session->identity[0] != identity[0] ||
				session->identity[1] != identity[1]))
		return NULL;
	return session;
}

static __always_inline bool tls_session__has_several(const struct tls_session *session)
{
	const struct connection *connection = &session->connection;

	return connection->open_streams > 1 || connection->asked - connection->answered > 1;
}

/* What the session waits to tell, told of the connection that carries it, from its record on. */
static __always_inline void connection__on_record(struct connection *connection, const struct tls_session *session,
						  const struct request_trace *trace, __u32 sequence)
{
	struct direction *sent = &connection->directions[SENT], *received = &connection->directions[RECEIVED];
	bool is_response = session->connection.directions[SENT].parser.is_response;

	if (sent->is_told || sent->told.source == WIRE_REQUEST_SOURCE_THREAD)
		return;
	sent->has_run = 1;
	direction__tell(connection, sent, SENT, sequence, trace, is_response ? WIRE_REQUEST_RESPONSE : 0);
	if (is_response)
		return;
	/* what answers several requests at once is nobody's: it cannot be read before it is decrypted */
	received->has_run = 1;
	direction__tell(connection, received, RECEIVED, connection->next_received,
			tls_session__has_several(session) ? &no_trace : trace, WIRE_REQUEST_RESPONSE);
}

#endif
