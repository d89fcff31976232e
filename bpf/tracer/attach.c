// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../programs/shared.h"

#define ATTACH_TYPE_KPROBE_MULTI 42
#define ATTACH_TYPE_KPROBE_SESSION 56 /* since 6.10; libbpf 1.1 does not know it */
#define KPROBE_MULTI_RETURN 1

#define POSITIONS 5
#define RETURN_PROGRAM "hop_return"
#define PROLOGUE_RETURN_PROGRAM "prologue_return"

static const char *const role_names[ROLE_COUNT] = { "hop", "sight", "prologue", "end", "recheck" };

struct attachment {
	int *links; /* file descriptors, closed in reverse order */
	size_t count, capacity;
	int *programs; /* the object's, not closed here: their misses are asked for */
	size_t program_count, program_capacity;
};

static bool fds__add(int **fds, size_t *count, size_t *capacity, int fd)
{
	if (*count == *capacity) {
		size_t more = *capacity ? *capacity * 2 : 64;
		int *grown = realloc(*fds, more * sizeof(int));

		if (!grown)
			return false;
		*fds = grown;
		*capacity = more;
	}
	(*fds)[(*count)++] = fd;
	return true;
}

static void attachment__add_link(struct attachment *attachment, int fd)
{
	if (!fds__add(&attachment->links, &attachment->count, &attachment->capacity, fd))
		close(fd);
}

#define PROGRAM_NAME_BYTES 64
#define EMPTY_FUNCTION_PROGRAM "empty_entry"
#define EMPTY_SESSION_PROGRAM "empty_both"
#define EMPTY_TRACEPOINT_PROGRAM "empty_tracepoint"

static void function__program_name(char name[PROGRAM_NAME_BYTES], const struct attach_options *options,
				   enum probe_role role, int position)
{
	const char *kind = options->backend == WIRE_BACKEND_KPROBE_SESSION ? "session" : "entry";

	if (options->empty_programs)
		snprintf(name, PROGRAM_NAME_BYTES,
			 options->empty_returns ? EMPTY_SESSION_PROGRAM : EMPTY_FUNCTION_PROGRAM);
	else
		snprintf(name, PROGRAM_NAME_BYTES, "%s_%s_%d", role_names[role], kind, position);
}

static void tracepoint__program_name(char name[PROGRAM_NAME_BYTES], const struct attach_options *options, int place)
{
	static const char *const names[] = { "tracepoint_drop", "tracepoint_consume", "tracepoint_copied",
					     "tracepoint_freed" };

	if (options->empty_programs)
		snprintf(name, PROGRAM_NAME_BYTES, EMPTY_TRACEPOINT_PROGRAM);
	else if (place < TRACEPOINT_SIGHT_0)
		snprintf(name, PROGRAM_NAME_BYTES, "%s", names[place]);
	else
		snprintf(name, PROGRAM_NAME_BYTES, "tracepoint_sight_%d", place - TRACEPOINT_SIGHT_0);
}

static int object__program_fd(struct bpf_object *object, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(object, name));
}

static const char *return__program_name(const struct attach_options *options, enum probe_role role)
{
	if (options->empty_programs)
		return EMPTY_FUNCTION_PROGRAM;
	return role == ROLE_PROLOGUE ? PROLOGUE_RETURN_PROGRAM : RETURN_PROGRAM;
}

static bool backend__is_kprobe(enum wire_backend backend)
{
	return backend == WIRE_BACKEND_KPROBE_SESSION || backend == WIRE_BACKEND_KPROBE_MULTI ||
	       backend == WIRE_BACKEND_KPROBE;
}

static int backend__attach_type(enum wire_backend backend)
{
	if (backend == WIRE_BACKEND_KPROBE_SESSION)
		return ATTACH_TYPE_KPROBE_SESSION;
	return backend == WIRE_BACKEND_KPROBE_MULTI ? ATTACH_TYPE_KPROBE_MULTI : 0;
}

static void program__enable(struct bpf_object *object, const char *name, int attach_type)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	if (!program)
		return;
	bpf_program__set_autoload(program, true);
	if (attach_type)
		bpf_program__set_expected_attach_type(program, attach_type);
}

void attach__choose_programs(struct bpf_object *object, const struct attach_options *options,
			     const struct probe *probes, size_t count)
{
	int attach_type = backend__attach_type(options->backend);
	char name[PROGRAM_NAME_BYTES];
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, false);
	for (size_t i = 0; i < count; i++) {
		if (probes[i].kind == WIRE_PROBE_TRACEPOINT) {
			tracepoint__program_name(name, options, probes[i].place);
			program__enable(object, name, 0);
			continue;
		}
		function__program_name(name, options, probes[i].role, probes[i].argument);
		program__enable(object, name, attach_type);
		if (options->backend == WIRE_BACKEND_KPROBE_MULTI || options->backend == WIRE_BACKEND_KPROBE)
			program__enable(object, return__program_name(options, probes[i].role), attach_type);
	}
}

/* ---- kprobe.multi and kprobe.session: one link for all functions of a program ------------------------------------- */

struct group {
	struct probe **probes;
	uint64_t *addresses;
	uint64_t *cookies;
	size_t count;
};

/* The kernel's own structure, since the headers of older distributions lack the session attach type. */
static int link__create_multi(int program, int attach_type, uint32_t flags, const struct group *group, size_t from,
			      size_t count)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = program;
	attr.link_create.attach_type = attach_type;
	attr.link_create.kprobe_multi.flags = flags;
	attr.link_create.kprobe_multi.cnt = count;
	attr.link_create.kprobe_multi.addrs = (uint64_t)(uintptr_t)(group->addresses + from);
	attr.link_create.kprobe_multi.cookies = (uint64_t)(uintptr_t)(group->cookies + from);
	return syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
}

/* One address that the kernel refuses fails the whole link: halve until it stands alone, and leave that one out. */
static void group__attach(struct attachment *attachment, int program, int attach_type, uint32_t flags,
			  struct group *group, size_t from, size_t count)
{
	int fd = link__create_multi(program, attach_type, flags, group, from, count);

	if (fd >= 0) {
		attachment__add_link(attachment, fd);
		if (!(flags & KPROBE_MULTI_RETURN))
			for (size_t i = from; i < from + count; i++)
				group->probes[i]->attached = true;
		return;
	}
	if (count == 1 || errno == EPERM || errno == EOPNOTSUPP || errno == EMFILE)
		return;
	group__attach(attachment, program, attach_type, flags, group, from, count / 2);
	group__attach(attachment, program, attach_type, flags, group, from + count / 2, count - count / 2);
}

static void group__add(struct group *group, struct probe *probe)
{
	group->probes[group->count] = probe;
	group->addresses[group->count] = probe->address;
	group->cookies[group->count] = probe->cookie;
	group->count++;
}

static bool group__init(struct group *group, size_t capacity)
{
	memset(group, 0, sizeof(*group));
	group->probes = calloc(capacity, sizeof(*group->probes));
	group->addresses = calloc(capacity, sizeof(*group->addresses));
	group->cookies = calloc(capacity, sizeof(*group->cookies));
	return group->probes && group->addresses && group->cookies;
}

static void group__free(struct group *group)
{
	free(group->probes);
	free(group->addresses);
	free(group->cookies);
}

/* Of the functions that have the return program of `role`. */
static void returns__attach_multi(struct attachment *attachment, struct bpf_object *object,
				  const struct attach_options *options, struct probe *probes, size_t count,
				  struct group *group, enum probe_role role)
{
	const char *name = return__program_name(options, role);

	group->count = 0;
	for (size_t i = 0; i < count; i++)
		if (probes[i].attached && probes[i].cookie & PROBE_RECORD &&
		    (probes[i].role == ROLE_PROLOGUE) == (role == ROLE_PROLOGUE))
			group__add(group, &probes[i]);
	if (group->count)
		group__attach(attachment, object__program_fd(object, name), backend__attach_type(options->backend),
			      KPROBE_MULTI_RETURN, group, 0, group->count);
}

static void probes__attach_multi(struct attachment *attachment, struct bpf_object *object,
				 const struct attach_options *options, struct probe *probes, size_t count)
{
	int attach_type = backend__attach_type(options->backend);
	char name[PROGRAM_NAME_BYTES];
	struct group group;

	if (!group__init(&group, count)) {
		group__free(&group);
		return;
	}
	for (int role = ROLE_COUNT - 1; role >= 0; role--) { /* ends before sights: what begins must be able to end */
		for (int position = 1; position <= POSITIONS; position++) {
			group.count = 0;
			for (size_t i = 0; i < count; i++)
				if (probes[i].kind == WIRE_PROBE_FUNCTION && (int)probes[i].role == role &&
				    probes[i].argument == position)
					group__add(&group, &probes[i]);
			function__program_name(name, options, role, position);
			if (group.count)
				group__attach(attachment, object__program_fd(object, name), attach_type, 0, &group, 0,
					      group.count);
		}
	}
	if (options->backend != WIRE_BACKEND_KPROBE_SESSION) {
		returns__attach_multi(attachment, object, options, probes, count, &group, ROLE_PROLOGUE);
		returns__attach_multi(attachment, object, options, probes, count, &group, ROLE_HOP);
	}
	group__free(&group);
}

/* ---- kprobe: one by one -------------------------------------------------------------------------------------------- */

static int file__read_number(const char *path, const char *format)
{
	FILE *file = fopen(path, "re");
	int number = -1;

	if (!file)
		return -1;
	if (fscanf(file, format, &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

struct kprobe_pmu {
	int type;
	int return_bit;
};

static int kprobe__open(const struct kprobe_pmu *pmu, const struct probe *probe, bool returns)
{
	struct perf_event_attr attr;

	if (returns && pmu->return_bit < 0) {
		errno = EOPNOTSUPP;
		return -1;
	}
	memset(&attr, 0, sizeof(attr));
	attr.size = sizeof(attr);
	attr.type = pmu->type;
	attr.kprobe_func = 0;
	attr.kprobe_addr = probe->address;
	if (returns)
		attr.config = 1ull << pmu->return_bit;
	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

static bool kprobe__attach(struct attachment *attachment, const struct kprobe_pmu *pmu, const struct probe *probe,
			   int program, bool returns)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .perf_event.bpf_cookie = probe->cookie);
	int event = kprobe__open(pmu, probe, returns), link;

	if (event < 0)
		return false;
	link = bpf_link_create(program, event, BPF_PERF_EVENT, &options);
	close(event); /* the link holds it */
	if (link < 0)
		return false;
	attachment__add_link(attachment, link);
	return true;
}

static void limits__raise_files(void)
{
	struct rlimit limit = { 65536, 65536 };

	if (setrlimit(RLIMIT_NOFILE, &limit)) {
		getrlimit(RLIMIT_NOFILE, &limit);
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void probes__attach_single(struct attachment *attachment, struct bpf_object *object,
				  const struct attach_options *options, struct probe *probes, size_t count)
{
	struct kprobe_pmu pmu = {
		.type = file__read_number("/sys/bus/event_source/devices/kprobe/type", "%d"),
		.return_bit = file__read_number("/sys/bus/event_source/devices/kprobe/format/retprobe", "config:%d"),
	};
	char name[PROGRAM_NAME_BYTES];

	limits__raise_files();
	for (int role = ROLE_COUNT - 1; role >= 0; role--)
		for (size_t i = 0; i < count; i++) {
			if (probes[i].kind != WIRE_PROBE_FUNCTION || (int)probes[i].role != role)
				continue;
			function__program_name(name, options, role, probes[i].argument);
			probes[i].attached =
				kprobe__attach(attachment, &pmu, &probes[i], object__program_fd(object, name), false);
			if (probes[i].attached && probes[i].cookie & PROBE_RECORD)
				kprobe__attach(attachment, &pmu, &probes[i],
					       object__program_fd(object, return__program_name(options, role)), true);
		}
}

/* ---- tracepoints --------------------------------------------------------------------------------------------------- */

static void probe__attach_tracepoint(struct attachment *attachment, struct bpf_object *object,
				     const struct attach_options *options, struct probe *probe)
{
	char name[PROGRAM_NAME_BYTES];
	int link;

	tracepoint__program_name(name, options, probe->place);
	link = bpf_raw_tracepoint_open(probe->name, object__program_fd(object, name));
	if (link < 0)
		return;
	attachment__add_link(attachment, link);
	probe->attached = true;
}

/* ---- all ------------------------------------------------------------------------------------------------------------ */

struct attachment *attach__probes(struct bpf_object *object, const struct attach_options *options, struct probe *probes,
				  size_t count, char *error, size_t error_bytes)
{
	struct attachment *attachment = calloc(1, sizeof(*attachment));
	struct bpf_program *program;

	if (!attachment) {
		snprintf(error, error_bytes, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (probes[i].kind == WIRE_PROBE_TRACEPOINT)
			probe__attach_tracepoint(attachment, object, options, &probes[i]);
	bpf_object__for_each_program(program, object)
		if (bpf_program__fd(program) >= 0)
			fds__add(&attachment->programs, &attachment->program_count, &attachment->program_capacity,
				 bpf_program__fd(program));
	if (options->backend == WIRE_BACKEND_KPROBE)
		probes__attach_single(attachment, object, options, probes, count);
	else if (backend__is_kprobe(options->backend))
		probes__attach_multi(attachment, object, options, probes, count);
	if (!attachment->count) {
		snprintf(error, error_bytes, "the kernel refused every probe: %s", strerror(errno));
		attachment__free(attachment);
		return NULL;
	}
	return attachment;
}

uint64_t attachment__missed(const struct attachment *attachment)
{
	uint64_t missed = 0;

	for (size_t i = 0; i < attachment->program_count; i++) {
		struct bpf_prog_info info = {};
		uint32_t bytes = sizeof(info);

		if (!bpf_obj_get_info_by_fd(attachment->programs[i], &info, &bytes))
			missed += info.recursion_misses;
	}
	return missed;
}

void attachment__detach(struct attachment *attachment)
{
	while (attachment->count)
		close(attachment->links[--attachment->count]);
}

void attachment__free(struct attachment *attachment)
{
	if (!attachment)
		return;
	attachment__detach(attachment);
	free(attachment->links);
	free(attachment->programs);
	free(attachment);
}
