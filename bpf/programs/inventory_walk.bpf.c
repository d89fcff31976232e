// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* The inventory by following the list of processes, on kernels without an iterator of tasks. */
#include "members.h"

struct walk {
	struct task_struct *task;
	struct task_struct *first;
};

static long walk__step(__u32 index, struct walk *walk)
{
	struct task_struct *task = walk->task;
	struct list_head *next;

	inventory.tasks++;
	task__report((__u64)task, true);
	next = BPF_CORE_READ(task, tasks.next);
	if (!next)
		return 1;
	walk->task = (void *)next - bpf_core_field_offset(struct task_struct, tasks);
	return walk->task == walk->first;
}

/*
 * The list of processes is followed from the tracer's own. It is one under RCU, and this kind of program is run
 * inside of a read-side critical section (bpf_prog_test_run_raw_tp): what is on the list cannot be freed meanwhile.
 */
SEC("raw_tp") int inventory_scan(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct walk walk = {};

	inventory.tasks = 0;
	walk.task = walk.first = BPF_CORE_READ(task, group_leader);
	bpf_loop(INVENTORY_MOST_TASKS, walk__step, &walk, 0);
	return 0;
}
