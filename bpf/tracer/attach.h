/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Attaches the loaded programs to a plan's probes, by the chosen backend. */
#ifndef SKBSPAN_ATTACH_H
#define SKBSPAN_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../wire.h"
#include "roles.h"

struct bpf_object;

/* A function or tracepoint to attach. The index of a probe in the plan is its index in the stream. */
struct probe {
	const char *name;
	const char *symbol;
	const char *module;
	uint64_t address;
	uint64_t cookie; /* PROBE_* with the probe's index */
	enum probe_role role;
	uint8_t place;    /* tracepoints: enum tracepoint_place, which program serves it */
	uint8_t kind;     /* enum wire_probe_kind */
	uint8_t argument; /* position of the sk_buff: from 1 for functions, from 0 for tracepoints */
	uint8_t return_kind;
	bool attached;
};

struct attachment; /* the links of one tracer */

struct attach_options {
	enum wire_backend backend;
	bool empty_programs; /* attach programs that do nothing */
	bool empty_returns;  /* kprobe.session: at the returns too */
};

/* Decides which programs of the opened object the kernel is asked to load. */
void attach__choose_programs(struct bpf_object *object, const struct attach_options *options,
			     const struct probe *probes, size_t count);

/*
 * Attaches the probes; sets `attached` in each. A probe that the kernel refuses is left out, the others are attached all the same.
 * NULL with a message in `error` when nothing could be attached.
 */
struct attachment *attach__probes(struct bpf_object *object, const struct attach_options *options, struct probe *probes,
				  size_t count, char *error, size_t error_bytes);

/* Probe hits that the kernel skipped, over all programs. */
uint64_t attachment__missed(const struct attachment *attachment);

/* Closes the links; misses can still be asked for. */
void attachment__detach(struct attachment *attachment);

/* Detaches what is still attached. */
void attachment__free(struct attachment *attachment);

#endif
