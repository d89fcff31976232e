/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Who is in which network namespace: for every process its namespace and the paths of its cgroups.
 *
 * A scan looks at all processes. User space runs it with BPF_PROG_TEST_RUN, which asks for no rights once a program is loaded and,
 * unlike an iterator of the kind that is read as a file, knows nothing of the reader's process namespace: from a pod without hostPID
 * it sees the whole machine. There are two ways to do it, each an object of its own: libbpf cannot leave out what a kernel lacks where
 * it may not look at the modules for it (which takes CAP_SYS_ADMIN). Between scans tracepoints tell of processes that begin, or that
 * enter a cgroup.
 */
#ifndef SKBSPAN_MEMBERS_PROGRAMS_H
#define SKBSPAN_MEMBERS_PROGRAMS_H

#include "inventory.h"
#include "namespace.h"

char LICENSE[] SEC("license") = "GPL"; /* see tracer.bpf.c */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, INVENTORY_RING_BYTES);
} reports SEC(".maps");

/* Members that user space knows of, with the scan that saw them last: each is told of with its names once, and once a scan without.
 * Neither cookies nor the ids of cgroups are used again, so that an entry is never wrong. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, INVENTORY_MEMBERS);
	__type(key, struct member_key);
	__type(value, __u64);
} known SEC(".maps");

struct inventory_state inventory SEC(".data.inventory");

/* ---- one process ----------------------------------------------------------------------------------------------------- */

static __always_inline struct kernfs_node *node__parent(const struct kernfs_node *node)
{
	const struct kernfs_node___since_6_18 *newer = (const void *)node;
	struct kernfs_node *parent = NULL;

	if (bpf_core_field_exists(newer->__parent))
		bpf_core_read(&parent, sizeof(parent), &newer->__parent);
	else
		bpf_core_read(&parent, sizeof(parent), &node->parent);
	return parent;
}

static __always_inline void cgroup__read_names(struct cgroup_names *names, const struct kernfs_node *node)
{
	__u64 at = 0;

	names->is_cut = 1;
	names->bytes = 0;
	for (int level = 0; level < CGROUP_LEVELS; level++) {
		struct kernfs_node *parent = node ? node__parent(node) : NULL;
		const char *name = NULL;
		long bytes;

		if (!parent) {
			names->is_cut = 0;
			break;
		}
		keep_check(at);
		if (at > CGROUP_PATH_BYTES - CGROUP_NAME_BYTES)
			break;
		bpf_core_read(&name, sizeof(name), &node->name);
		bytes = bpf_probe_read_kernel_str(names->names + at, CGROUP_NAME_BYTES, name);
		if (bytes <= 0 || bytes > CGROUP_NAME_BYTES)
			break;
		at += bytes;
		node = parent;
	}
	names->bytes = at;
}

/* The cgroup that the memory controller of version 1 counts the process in; NULL where it is one of version 2. */
static __always_inline struct cgroup *css_set__memory(const struct css_set *set, const struct cgroup *unified)
{
	struct cgroup_subsys_state *state = NULL;
	struct cgroup *memory = NULL;

	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return NULL;
	bpf_probe_read_kernel(&state, sizeof(state),
			      (const char *)set + bpf_core_field_offset(struct css_set, subsys) +
				      bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id) * sizeof(state));
	if (state)
		bpf_core_read(&memory, sizeof(memory), &state->cgroup);
	if (!memory || BPF_CORE_READ(memory, root) == BPF_CORE_READ(unified, root))
		return NULL;
	return memory;
}

struct member {
	struct wire_member wire;
	struct kernfs_node *nodes[2]; /* of cgroup version 2 and 1; NULL: not known */
};

/* False: the process has no namespace any more, or is the kernel's. The first task of all stands for the machine itself. */
static __always_inline bool member__read(struct member *member, const struct task_struct *task)
{
	struct wire_member *wire = &member->wire;
	struct net *net = BPF_CORE_READ(task, nsproxy, net_ns);
	struct cgroup *unified, *memory;
	struct kernfs_node *node;
	struct css_set *set;

	__builtin_memset(member, 0, sizeof(*member));
	wire->process_id = BPF_CORE_READ(task, tgid);
	if (!net || (wire->process_id && BPF_CORE_READ(task, flags) & TASK_IS_KERNEL_THREAD))
		return false;
	set = BPF_CORE_READ(task, cgroups);
	unified = BPF_CORE_READ(set, dfl_cgrp);
	memory = css_set__memory(set, unified);
	member->nodes[0] = node = BPF_CORE_READ(unified, kn);
	wire->cgroup_id = BPF_CORE_READ(node, id);
	if (memory) {
		member->nodes[1] = node = BPF_CORE_READ(memory, kn);
		wire->cgroup_v1_id = BPF_CORE_READ(node, id);
	}
	wire->netns_cookie = net__cookie(net);
	wire->netns_inode = BPF_CORE_READ(net, ns.inum);
	wire->start_monotonic_ns = BPF_CORE_READ(task, start_time);
	wire->observed_monotonic_ns = bpf_ktime_get_ns();
	wire->flags = wire->process_id ? 0 : WIRE_MEMBER_NODE;
	bpf_core_read_str(wire->process_name, sizeof(wire->process_name), &task->comm);
	return true;
}

static __always_inline bool member__tell_new(const struct member *member)
{
	struct member_record *record = bpf_ringbuf_reserve(&reports, sizeof(*record), 0);

	if (!record)
		return false;
	record->head.report = MEMBER_REPORT_NEW;
	record->head.reserved = 0;
	record->head.member = member->wire;
	cgroup__read_names(&record->names[0], member->nodes[0]);
	cgroup__read_names(&record->names[1], member->nodes[1]);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return true;
}

static __always_inline bool head__tell(enum member_report report, const struct wire_member *member)
{
	struct member_head *head = bpf_ringbuf_reserve(&reports, sizeof(*head), 0);

	if (!head)
		return false;
	head->report = report;
	head->reserved = 0;
	if (member)
		head->member = *member;
	bpf_ringbuf_submit(head, BPF_RB_NO_WAKEUP);
	return true;
}

/* Tells user space what it does not know of the process yet. A global function, with a number for the address: the verifier looks at it
 * once. In the loop of the iterator it took 6.12 a minute and a half. */
__attribute__((noinline)) int task__report(__u64 address, __u32 is_scan)
{
	const struct task_struct *task = (const void *)address;
	struct member_key key = {};
	struct member member;
	__u64 scan = inventory.scan, *last;
	bool told;

	if (!member__read(&member, task))
		return 0;
	key.netns = member.wire.netns_cookie ?: member.wire.netns_inode;
	key.cgroup_id = member.wire.cgroup_id;
	key.cgroup_v1_id = member.wire.cgroup_v1_id;
	__builtin_memcpy(key.process_name, member.wire.process_name, sizeof(key.process_name));
	last = bpf_map_lookup_elem(&known, &key);
	if (last && (!is_scan || *last == scan))
		return 0;
	told = last ? head__tell(MEMBER_REPORT_SEEN, &member.wire) : member__tell_new(&member);
	if (told)
		bpf_map_update_elem(&known, &key, &scan, BPF_ANY);
	else
		__sync_fetch_and_add(&inventory.lost, 1);
	return 0;
}

/* ---- between scans --------------------------------------------------------------------------------------------------- */

/* sched_process_exec(task, ...): what a runtime starts is where it belongs by now */
SEC("raw_tp") int inventory_exec(struct bpf_raw_tracepoint_args *ctx)
{
	task__report(ctx->args[0], false);
	return 0;
}

/* cgroup_attach_task(cgroup, path, task, whole process) */
SEC("raw_tp") int inventory_attach(struct bpf_raw_tracepoint_args *ctx)
{
	task__report(ctx->args[2], false);
	return 0;
}

/* cgroup_rmdir(cgroup, path): a container or a pod ended */
SEC("raw_tp") int inventory_rmdir(void *ctx)
{
	head__tell(MEMBER_REPORT_ENDED, NULL);
	return 0;
}

#endif
