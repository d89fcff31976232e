/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What this kernel and these rights allow, found by trying. */
#ifndef SKBSPAN_FEATURES_H
#define SKBSPAN_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include "../wire.h"

enum answer {
	ANSWER_UNKNOWN = 0,
	ANSWER_YES = 1,
	ANSWER_NO = 2,
};

enum feature {
	FEATURE_RIGHTS_BPF,     /* CAP_BPF or CAP_SYS_ADMIN */
	FEATURE_RIGHTS_PERFMON, /* CAP_PERFMON or CAP_SYS_ADMIN */
	FEATURE_KERNEL_BTF,
	FEATURE_MODULE_BTF,
	FEATURE_RING_BUFFER,    /* a ring buffer map can be made */
	FEATURE_RAW_TRACEPOINT, /* a raw tracepoint program loads and attaches to kfree_skb */
	FEATURE_KPROBE,         /* one kprobe with a BPF program */
	FEATURE_KPROBE_MULTI,   /* a kprobe.multi link */
	FEATURE_KPROBE_SESSION, /* a kprobe.session link, and its functions are in the kernel's BTF */
	FEATURE_FENTRY,
	FEATURE_STACK, /* bpf_get_stack in a raw tracepoint program */
	FEATURE_SYMBOL_ADDRESSES,
	FEATURE_FUNCTION_LIST, /* available_filter_functions can be read */
	FEATURE_MEMLOCK,       /* locked memory does not limit maps */
	FEATURE_OPEN_FILES,    /* enough descriptors for kprobes one by one */
	FEATURE_LOCKDOWN,      /* yes: the kernel is not locked down to confidentiality */
	FEATURE_JIT,
	FEATURE_UNPRIVILEGED, /* yes: programs of unprivileged users are switched off */
	FEATURE_LIBPCAP,
	FEATURE_INVENTORY, /* processes can be looked at, to tell whose a network namespace is */
	FEATURE_REQUESTS,  /* applications' requests can be seen, to join packets to them */
	FEATURE_UPROBE,    /* functions of applications' libraries: for the trace contexts in TLS */
	FEATURE_THREAD,    /* a thread's own variables can be found: for the trace contexts of threads */
	FEATURE_COUNT,
};

struct feature_state {
	const char *check; /* machine name: "kprobe.multi" */
	const char *title; /* "Many functions with one link (kprobe.multi)" */
	enum answer answer;
	char reason[256]; /* what was tried and seen; never empty */
	const char *mend; /* what to do about a no or an unknown; "" when nothing is to be done */
};

struct features {
	struct feature_state states[FEATURE_COUNT];
};

/* Tries everything. Whatever it makes in the kernel is gone when it returns. */
void features__probe(struct features *features);

/* Try the inventory and the programs for requests, which features__probe leaves out: each takes as long as all the rest, and no
 * backend needs them. */
void features__check_inventory(struct features *features);
void features__check_requests(struct features *features);

/*
 * The best backend that works here. Returns 0, or an exit code (3 rights missing, 4 the kernel cannot) with a message
 * in `error`: nothing works, not even tracepoints.
 */
int features__choose_backend(const struct features *features, enum wire_backend *backend, char *error,
			     size_t error_bytes);

/* Whether this backend works: 0, or an exit code (3 or 4) with a message in `error` that says why and what to do. */
int features__check_backend(const struct features *features, enum wire_backend backend, char *error,
			    size_t error_bytes);

/* "kprobe.session" and so on; "drops" for WIRE_BACKEND_DROPS. */
const char *backend__name(enum wire_backend backend);

/* "yes", "no", "unknown" */
const char *answer__name(enum answer answer);

#endif
