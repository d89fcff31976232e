// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* The inventory by the kernel's own iterator of tasks, which it has since 6.7. */
#include "members.h"

struct bpf_iter_task {
	__u64 opaque[3];
} __attribute__((aligned(8)));

extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned int flags) __ksym;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

#define ITERATE_PROCESSES 0 /* BPF_TASK_ITER_ALL_PROCS */

SEC("syscall") int inventory_scan(void *ctx)
{
	struct bpf_iter_task iterator;
	struct task_struct *task;

	inventory.tasks = 0;
	bpf_rcu_read_lock();
	bpf_iter_task_new(&iterator, NULL, ITERATE_PROCESSES);
	while ((task = bpf_iter_task_next(&iterator))) {
		__u64 address = 0;

		/* read as memory: to the verifier a pointer is no number */
		bpf_probe_read_kernel(&address, sizeof(address), &task);
		inventory.tasks++;
		task__report(address, true);
	}
	bpf_iter_task_destroy(&iterator);
	bpf_rcu_read_unlock();
	return 0;
}
