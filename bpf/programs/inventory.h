/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What the programs of the inventory and the tracer's user space both know. */
#ifndef SKBSPAN_INVENTORY_PROGRAMS_H
#define SKBSPAN_INVENTORY_PROGRAMS_H

#include "../wire.h"

#define CGROUP_NAME_BYTES 128 /* the longest that Kubernetes makes has 90; a longer one is cut */
#define CGROUP_PATH_BYTES 1024
#define CGROUP_LEVELS 24

/* Processes that need not be told apart. */
struct member_key {
	__u64 netns; /* the cookie, or the inode where there is none */
	__u64 cgroup_id;
	__u64 cgroup_v1_id;
	char process_name[16];
};

struct cgroup_names {
	__u32 bytes;
	__u32 is_cut;
	char names[CGROUP_PATH_BYTES]; /* zero-terminated, the innermost first, without the root's, which is empty */
};

enum member_report {
	MEMBER_REPORT_NEW = 1,   /* with names */
	MEMBER_REPORT_SEEN = 2,  /* in this scan too */
	MEMBER_REPORT_ENDED = 3, /* a cgroup was removed: of the rest nothing is set */
};

struct member_head {
	__u32 report; /* enum member_report */
	__u32 reserved;
	struct wire_member member;
};

struct member_record {
	struct member_head head;
	struct cgroup_names names[2]; /* of cgroup version 2 and 1 */
};

struct inventory_state {
	__u64 scan;  /* number of the scan that is under way, or was last; set by user space */
	__u64 tasks; /* looked at in it */
	__u64 lost;  /* reports for which the ring buffer had no room, since the start */
};

#define INVENTORY_MEMBERS                                                                                              \
	16384 /* remembered at least; the oldest are forgotten, and told of again when they are seen */
#define INVENTORY_RING_BYTES (1024 * 1024)
#define INVENTORY_MOST_TASKS (1u << 20)

#endif
