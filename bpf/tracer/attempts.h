/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Small things tried in the kernel to learn whether they work. Each is undone before it returns: 0, or an errno. */
#ifndef SKBSPAN_ATTEMPTS_H
#define SKBSPAN_ATTEMPTS_H

/* A function of every kernel with IPv4, called for multicast alone: attaching to it disturbs nobody. */
#define ATTEMPT_FUNCTION "ip_mc_output"

int attempt__ring_buffer(void);
int attempt__large_map(void); /* 16 MiB */
int attempt__raw_tracepoint(void);
int attempt__stack(void);
int attempt__read_kernel(void);
int attempt__kprobe(void); /* ENODEV: no such perf event source */
int attempt__uprobe(void); /* ENODEV: no such perf event source */
int attempt__kprobe_multi(void);
int attempt__kprobe_session(void);
int attempt__fentry(void); /* ENOENT: no type information of the function */

#endif
