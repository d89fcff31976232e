// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "inventory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "../programs/inventory.h"
#include "kernel_btf.h"
#include "members.h"
#include "stream.h"

/* programs/inventory_*.bpf.c, compiled: see the Makefile. */
#define EMBED(name, path)                                                                                              \
	__asm__(".section .rodata\n"                                                                                   \
		".balign 16\n"                                                                                         \
		".global " #name "\n" #name ":\n"                                                                      \
		".incbin \"" path "\"\n"                                                                               \
		".global " #name "_end\n" #name "_end:\n"                                                              \
		".previous\n");                                                                                        \
	extern const char name[], name##_end[]

EMBED(embedded_iterator, EMBEDDED_ITERATOR_PATH);
EMBED(embedded_walk, EMBEDDED_WALK_PATH);

#define SCAN_EVERY_NS 30000000000ull
/* A scan looks at each process once, about a microsecond: what asks for one may not make it a load. */
#define SCAN_WANTED_NS 250000000ull /* a packet is in a namespace that nobody is known in */
#define SCAN_SETTLE_NS                                                                                                 \
	1000000000ull /* something changed: runtimes move a process from place to place before it is where it stays */
#define SCAN_ATTEMPTS 16 /* when the ring buffer was full; each tells of what is missing */

#define ASKED_NAMESPACES 65536 /* a power of two */

struct live_program {
	const char *program;
	const char *tracepoint;
};

static const struct live_program live_programs[] = {
	{ "inventory_exec", "sched_process_exec" },
	{ "inventory_attach", "cgroup_attach_task" },
	{ "inventory_rmdir", "cgroup_rmdir" },
};

#define LIVE_PROGRAMS (sizeof(live_programs) / sizeof(live_programs[0]))

struct inventory {
	enum wire_inventory_method method;
	char reason[256];
	struct bpf_object *object;
	int links[LIVE_PROGRAMS];
	size_t link_count;
	int scan_program;
	struct inventory_state *state; /* of the programs */
	size_t state_bytes;
	struct ring_buffer *ring;
	struct member_table *members;
	struct stream *stream; /* while it is written to */
	uint64_t node_cookie, node_inode;
	uint64_t scan;    /* number of the last */
	uint64_t retried; /* reports that found no room, and were told of by another attempt */
	uint64_t scanned_ns;
	bool wanted, settling;
	uint64_t asked[ASKED_NAMESPACES]; /* namespaces that packets were in */
	size_t asked_count;
};

static uint64_t clock__monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* ---- reports to the stream ------------------------------------------------------------------------------------------ */

/* "/a/b", of "b\0a\0". `path` has room for every name and a slash before it. */
static void cgroup_names__to_path(const struct cgroup_names *names, char path[CGROUP_PATH_BYTES + 2])
{
	size_t end = names->bytes, at = 0;

	while (end > 0) {
		size_t start = end - 1; /* of the zero after the name */

		while (start > 0 && names->names[start - 1])
			start--;
		path[at++] = '/';
		memcpy(path + at, names->names + start, end - 1 - start);
		at += end - 1 - start;
		end = start;
	}
	if (!at)
		path[at++] = '/';
	path[at] = '\0';
}

static void inventory__mark_node(struct inventory *inventory, struct wire_member *member)
{
	if (member->flags & WIRE_MEMBER_NODE) {
		inventory->node_cookie = member->netns_cookie;
		inventory->node_inode = member->netns_inode;
	}
	if (member->netns_cookie == inventory->node_cookie && member->netns_inode == inventory->node_inode)
		member->flags |= WIRE_MEMBER_NODE;
}

static void inventory__on_new(struct inventory *inventory, const struct member_record *record)
{
	char paths[2][CGROUP_PATH_BYTES + 2] = { "", "" };
	struct wire_member member = record->head.member;

	inventory__mark_node(inventory, &member);
	if (!member_table__see(inventory->members, &member, inventory->scan))
		return;
	if (member.cgroup_id)
		cgroup_names__to_path(&record->names[0], paths[0]);
	if (member.cgroup_v1_id)
		cgroup_names__to_path(&record->names[1], paths[1]);
	if (record->names[0].is_cut || record->names[1].is_cut)
		member.flags |= WIRE_MEMBER_CUT;
	stream__member(inventory->stream, &member, paths[0], paths[1]);
	inventory->settling = true;
}

static int inventory__on_report(void *context, void *data, size_t bytes)
{
	struct inventory *inventory = context;
	const struct member_head *head = data;

	(void)bytes;
	if (head->report == MEMBER_REPORT_NEW)
		inventory__on_new(inventory, data);
	else if (head->report == MEMBER_REPORT_SEEN)
		member_table__see(inventory->members, &head->member, inventory->scan);
	else
		inventory->settling = true;
	return 0;
}

static void inventory__on_gone(void *context, const struct wire_member *gone)
{
	struct inventory *inventory = context;
	struct wire_member member = *gone;

	member.flags |= WIRE_MEMBER_GONE;
	member.observed_monotonic_ns = clock__monotonic_ns();
	stream__member(inventory->stream, &member, "", "");
}

/* ---- scans ---------------------------------------------------------------------------------------------------------- */

static int inventory__run_scan(const struct inventory *inventory)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);

	return bpf_prog_test_run_opts(inventory->scan_program, &options);
}

/* What found no room is told of by the next attempt. True: everything was told. */
static bool inventory__scan_all(struct inventory *inventory)
{
	uint64_t lost_before = __atomic_load_n(&inventory->state->lost, __ATOMIC_ACQUIRE);

	inventory->state->scan = ++inventory->scan;
	for (int attempt = 0; attempt < SCAN_ATTEMPTS; attempt++) {
		uint64_t lost = __atomic_load_n(&inventory->state->lost, __ATOMIC_ACQUIRE);
		int failure = inventory__run_scan(inventory);

		if (failure) {
			inventory->method = WIRE_INVENTORY_NONE;
			snprintf(inventory->reason, sizeof(inventory->reason), "running the scan: %s",
				 strerror(-failure));
			return false;
		}
		ring_buffer__consume(inventory->ring);
		if (__atomic_load_n(&inventory->state->lost, __ATOMIC_ACQUIRE) != lost)
			continue;
		inventory->retried += lost - lost_before;
		return true;
	}
	return false;
}

static uint64_t inventory__lost(const struct inventory *inventory)
{
	uint64_t lost = inventory->state ? __atomic_load_n(&inventory->state->lost, __ATOMIC_ACQUIRE) : 0;

	return lost - inventory->retried + member_table__lost(inventory->members);
}

void inventory__scan(struct inventory *inventory, struct stream *stream)
{
	struct wire_inventory frame = { .start_monotonic_ns = clock__monotonic_ns() };

	inventory->stream = stream;
	inventory->wanted = inventory->settling = false;
	inventory->scanned_ns = frame.start_monotonic_ns;
	if (inventory->method != WIRE_INVENTORY_NONE && inventory__scan_all(inventory))
		member_table__sweep(inventory->members, inventory->scan, inventory__on_gone, inventory);
	frame.end_monotonic_ns = clock__monotonic_ns();
	frame.lost = inventory__lost(inventory);
	frame.method = inventory->method;
	frame.tasks = inventory->state ? inventory->state->tasks : 0;
	frame.members = member_table__count(inventory->members);
	frame.is_live = inventory__is_live(inventory);
	stream__inventory(stream, &frame);
	inventory->stream = NULL;
}

static bool inventory__is_due(const struct inventory *inventory, uint64_t now)
{
	uint64_t age = now - inventory->scanned_ns;

	return age >= SCAN_EVERY_NS || (inventory->wanted && age >= SCAN_WANTED_NS) ||
	       (inventory->settling && age >= SCAN_SETTLE_NS);
}

void inventory__take(struct inventory *inventory, struct stream *stream)
{
	if (!inventory->ring)
		return;
	inventory->stream = stream;
	ring_buffer__consume(inventory->ring);
	if (inventory->method != WIRE_INVENTORY_NONE && inventory__is_due(inventory, clock__monotonic_ns()))
		inventory__scan(inventory, stream);
	inventory->stream = NULL;
}

void inventory__want_scan(struct inventory *inventory)
{
	inventory->wanted = true;
}

/* Asked once a namespace: what is not found then is found by the reports, or by one of the regular scans. */
void inventory__note(struct inventory *inventory, uint64_t netns_cookie)
{
	uint32_t at = (uint32_t)(netns_cookie * 0x9e3779b97f4a7c15ull >> 40);

	if (!netns_cookie)
		return;
	while (inventory->asked[at % ASKED_NAMESPACES] && inventory->asked[at % ASKED_NAMESPACES] != netns_cookie)
		at++;
	if (inventory->asked[at % ASKED_NAMESPACES])
		return;
	if (inventory->asked_count == ASKED_NAMESPACES / 2) {
		memset(inventory->asked, 0, sizeof(inventory->asked));
		inventory->asked_count = 0;
	}
	inventory->asked[at % ASKED_NAMESPACES] = netns_cookie;
	inventory->asked_count++;
	if (!member_table__knows(inventory->members, netns_cookie))
		inventory->wanted = true;
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

#define SCAN_PROGRAM "inventory_scan"

/* Loading would say so too, but not what is missing. */
static bool kernel__has_iterator(void)
{
	static const char *const functions[] = { "bpf_iter_task_new", "bpf_iter_task_next", "bpf_iter_task_destroy",
						 "bpf_rcu_read_lock", "bpf_rcu_read_unlock" };
	const struct btf *btf = kernel_btf__vmlinux();

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (!btf || btf__find_by_name_kind(btf, functions[i], BTF_KIND_FUNC) < 0)
			return false;
	return true;
}

/* What a kernel refuses is no error of ours to print: the next way is tried. */
static int print__nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

static int inventory__load(struct inventory *inventory, enum wire_inventory_method method)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "skbspan_inv");
	bool iterates = method == WIRE_INVENTORY_ITERATOR;
	const char *start = iterates ? embedded_iterator : embedded_walk;
	const char *end = iterates ? embedded_iterator_end : embedded_walk_end;
	int failure;

	inventory->object = bpf_object__open_mem(start, end - start, &options);
	if (!inventory->object)
		return -errno;
	failure = bpf_object__load(inventory->object);
	if (!failure)
		return 0;
	bpf_object__close(inventory->object);
	inventory->object = NULL;
	return failure;
}

static void inventory__choose_method(struct inventory *inventory)
{
	int failure;

	if (!kernel__has_iterator())
		snprintf(inventory->reason, sizeof(inventory->reason), "this kernel has no iterator of tasks (6.7)");
	else if (!(failure = inventory__load(inventory, WIRE_INVENTORY_ITERATOR)))
		inventory->method = WIRE_INVENTORY_ITERATOR;
	else
		snprintf(inventory->reason, sizeof(inventory->reason), "the iterator of tasks: %s", strerror(-failure));
	if (inventory->method != WIRE_INVENTORY_NONE)
		return;
	failure = inventory__load(inventory, WIRE_INVENTORY_WALK);
	if (!failure)
		inventory->method = WIRE_INVENTORY_WALK;
	else
		snprintf(inventory->reason, sizeof(inventory->reason), "the programs do not load: %s",
			 strerror(-failure));
}

static void inventory__attach(struct inventory *inventory)
{
	for (size_t i = 0; i < LIVE_PROGRAMS; i++) {
		int program =
			bpf_program__fd(bpf_object__find_program_by_name(inventory->object, live_programs[i].program));
		int link = program < 0 ? -1 : bpf_raw_tracepoint_open(live_programs[i].tracepoint, program);

		if (link >= 0)
			inventory->links[inventory->link_count++] = link;
	}
}

static bool inventory__map(struct inventory *inventory)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(inventory->object, ".data.inventory");
	size_t page = sysconf(_SC_PAGESIZE);
	void *memory;

	inventory->state_bytes = (bpf_map__value_size(map) + page - 1) / page * page;
	memory = mmap(NULL, inventory->state_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (memory == MAP_FAILED)
		return false;
	inventory->state = memory;
	inventory->ring = ring_buffer__new(bpf_object__find_map_fd_by_name(inventory->object, "reports"),
					   inventory__on_report, inventory, NULL);
	return inventory->ring;
}

struct inventory *inventory__open(void)
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));
	libbpf_print_fn_t print;

	if (!inventory)
		return NULL;
	inventory->members = member_table__new();
	if (!inventory->members) {
		free(inventory);
		return NULL;
	}
	print = getenv("SKBSPAN_TRACER_DEBUG") ? NULL : libbpf_set_print(print__nothing);
	inventory__choose_method(inventory);
	if (print)
		libbpf_set_print(print);
	if (!inventory->object)
		return inventory;
	inventory->scan_program = bpf_program__fd(bpf_object__find_program_by_name(inventory->object, SCAN_PROGRAM));
	if (inventory__map(inventory)) {
		inventory__attach(inventory);
	} else {
		inventory->method = WIRE_INVENTORY_NONE;
		snprintf(inventory->reason, sizeof(inventory->reason), "mapping its memory: %s", strerror(errno));
	}
	return inventory;
}

enum wire_inventory_method inventory__method(const struct inventory *inventory)
{
	return inventory->method;
}

bool inventory__is_live(const struct inventory *inventory)
{
	return inventory->link_count == LIVE_PROGRAMS;
}

const char *inventory__reason(const struct inventory *inventory)
{
	return inventory->reason;
}

void inventory__free(struct inventory *inventory)
{
	if (!inventory)
		return;
	while (inventory->link_count)
		close(inventory->links[--inventory->link_count]);
	if (inventory->ring)
		ring_buffer__free(inventory->ring);
	if (inventory->state)
		munmap(inventory->state, inventory->state_bytes);
	bpf_object__close(inventory->object);
	member_table__free(inventory->members);
	free(inventory);
}
