/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The trace context that is active in a thread, as the application's runtime publishes it: OpenTelemetry's OTEP 4947, the variable
 * otel_thread_ctx_v1. It is read while the thread itself is in the kernel, so that it does not change meanwhile.
 */
#ifndef SKBSPAN_THREAD_CONTEXT_H
#define SKBSPAN_THREAD_CONTEXT_H

#include "connection.h"
#include "thread_places.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MOST_THREAD_FILES);
	__type(key, struct thread_file);
	__type(value, struct thread_place);
} thread_files SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MOST_THREAD_PROCESSES);
	__type(key, __u32); /* process id */
	__type(value, struct thread_process);
} thread_processes SEC(".maps");

struct thread_record {
	__u8 trace_id[16];
	__u8 span_id[8];
	__u8 valid; /* 1; all else: not valid */
	__u8 trace_flags;
	__u16 attributes_bytes;
};

#define LARGEST_USER_ADDRESS ((1ull << 56) - 4096) /* with five levels of pages */
#define DTV_AT 8                                   /* in both libraries' block at the thread pointer */
#define DTV_NOT_MADE (~0ull)                       /* glibc: the module's block is made when it is used first */

static __always_inline __u64 user__read_word(__u64 address)
{
	__u64 word = 0;

	if (address >= LARGEST_USER_ADDRESS || address & 7)
		return 0;
	bpf_probe_read_user(&word, sizeof(word), (void *)address);
	return word;
}

/* The address of the variable in this thread; 0: it has none. */
static __always_inline __u64 thread_place__address(const struct thread_place *place, __u64 thread_pointer)
{
	__u64 table, block;

	if (!thread_pointer)
		return 0;
	if (place->kind == THREAD_PLACE_STATIC)
		return thread_pointer + place->offset;
	table = user__read_word(thread_pointer + DTV_AT);
	if (!table)
		return 0;
	block = user__read_word(table + (__u64)place->module * (place->kind == THREAD_PLACE_DTV_GLIBC ? 16 : 8));
	return block && block != DTV_NOT_MADE ? block + place->offset : 0;
}

static __always_inline bool thread_record__is_valid(const struct thread_record *record)
{
	const __u64 *words = (const __u64 *)record;

	return record->valid == 1 && (words[0] | words[1]) && words[2];
}

static __always_inline const struct thread_place *thread_place__find(const struct task_struct *task)
{
	struct thread_file file = {};
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);
	struct thread_process *process;
	__u32 process_id = bpf_get_current_pid_tgid() >> 32;

	file.inode = BPF_CORE_READ(inode, i_ino);
	file.bytes = BPF_CORE_READ(inode, i_size);
	process = bpf_map_lookup_elem(&thread_processes, &process_id);
	if (process && process->file.inode == file.inode && process->file.bytes == file.bytes &&
	    process->start_ticks == BPF_CORE_READ(task, group_leader, start_boottime) / THREAD_TICK_NS)
		return &process->place;
	return bpf_map_lookup_elem(&thread_files, &file);
}

/*
 * What is active in the current thread; no_trace: nothing, or what is there is no record. False: its process publishes nothing,
 * as far as is known.
 */
static __always_inline bool thread__read_trace(struct request_trace *trace)
{
	const struct task_struct *task = (void *)bpf_get_current_task();
	const struct thread_place *place;
	struct thread_record record = {}, again = {};
	__u64 variable, pointer;

	if (!bpf_core_field_exists(task->thread.fsbase))
		return false;
	place = thread_place__find(task);
	if (!place)
		return false;
	*trace = no_trace;
	variable = thread_place__address(place, BPF_CORE_READ(task, thread.fsbase));
	pointer = user__read_word(variable);
	if (!pointer || pointer & 1 || pointer >= LARGEST_USER_ADDRESS)
		return true;
	if (bpf_probe_read_user(&record, sizeof(record), (void *)pointer) || !thread_record__is_valid(&record))
		return true;
	/* only the thread itself may change it: what changes now is no such record */
	if (user__read_word(variable) != pointer || bpf_probe_read_user(&again, sizeof(again), (void *)pointer) ||
	    __builtin_memcmp(&record, &again, sizeof(record)))
		return true;
	__builtin_memcpy(trace->trace_id, record.trace_id, 16);
	__builtin_memcpy(trace->span_id, record.span_id, 8);
	trace->flags = record.trace_flags;
	trace->source = WIRE_REQUEST_SOURCE_THREAD;
	return true;
}

/* The bytes that this thread writes from `sequence` on, and what comes back where this end opened the connection. */
static __always_inline void connection__on_thread(struct connection *connection, const struct sock *sk, __u32 sequence,
						  const struct request_trace *trace)
{
	struct direction *sent = &connection->directions[SENT], *received = &connection->directions[RECEIVED];
	bool is_accepted = sk->sk_max_ack_backlog != 0;

	/* a header says more exactly whose the bytes are */
	if (sent->is_told || (sent->is_followed && (sent->parser.is_http2 || sent->has_header)))
		return;
	if (!trace->source && sent->told.source != WIRE_REQUEST_SOURCE_THREAD)
		return;
	sent->has_run = 1;
	if (trace->source && !trace__is_same(&sent->told, trace))
		stat__add(WIRE_STAT_REQUESTS, 1);
	direction__tell(connection, sent, SENT, sequence, trace, is_accepted ? WIRE_REQUEST_RESPONSE : 0);
	if (is_accepted || received->is_followed)
		return;
	received->has_run = 1;
	direction__tell(connection, received, RECEIVED, connection->next_received, trace, WIRE_REQUEST_RESPONSE);
}

#endif
