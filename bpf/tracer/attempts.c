// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "attempts.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "file.h"
#include "kernel_btf.h"

#define NAME "skbspan_try"
#define LICENSE "Dual BSD/GPL" /* some helpers are for GPL programs only */

/* By number: headers of older distributions lack them. */
#define ATTACH_TYPE_KPROBE_MULTI 42
#define ATTACH_TYPE_KPROBE_SESSION 56

#define INSN(opcode, destination, source, offset, immediate)                                                           \
	((struct bpf_insn){ .code = (opcode),                                                                          \
			    .dst_reg = (destination),                                                                  \
			    .src_reg = (source),                                                                       \
			    .off = (offset),                                                                           \
			    .imm = (immediate) })
#define MOVE(destination, source) INSN(BPF_ALU64 | BPF_MOV | BPF_X, destination, source, 0, 0)
#define SET(destination, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, destination, 0, 0, value)
#define ADD(destination, value) INSN(BPF_ALU64 | BPF_ADD | BPF_K, destination, 0, 0, value)
#define STORE(destination, offset, value) INSN(BPF_ST | BPF_MEM | BPF_DW, destination, 0, offset, value)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Closes what was made and tells how making it went. */
static int attempt__close(int fd)
{
	if (fd < 0)
		return errno ? errno : EIO;
	close(fd);
	return 0;
}

static int attempt__map(enum bpf_map_type type, uint32_t key_bytes, uint32_t value_bytes, uint32_t entries)
{
	errno = 0;
	return attempt__close(bpf_map_create(type, NAME, key_bytes, value_bytes, entries, NULL));
}

int attempt__ring_buffer(void)
{
	return attempt__map(BPF_MAP_TYPE_RINGBUF, 0, 0, sysconf(_SC_PAGESIZE));
}

int attempt__large_map(void)
{
	return attempt__map(BPF_MAP_TYPE_ARRAY, 4, 1024 * 1024, 16);
}

/* ---- programs ------------------------------------------------------------------------------------------------------- */

static int program__load(enum bpf_prog_type type, int attach_type, uint32_t btf_id, const struct bpf_insn *insns,
			 size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach_type, .attach_btf_id = btf_id);

	errno = 0;
	return bpf_prog_load(type, NAME, LICENSE, insns, count, &options);
}

static int program__load_empty(enum bpf_prog_type type, int attach_type, uint32_t btf_id)
{
	const struct bpf_insn insns[] = { SET(BPF_REG_0, 0), EXIT };

	return program__load(type, attach_type, btf_id, insns, COUNT(insns));
}

/* Kprobe programs tell functions apart by their cookie. */
static int program__load_kprobe(int attach_type)
{
	const struct bpf_insn insns[] = { CALL(BPF_FUNC_get_attach_cookie), SET(BPF_REG_0, 0), EXIT };

	return program__load(BPF_PROG_TYPE_KPROBE, attach_type, 0, insns, COUNT(insns));
}

/* Attaches `program` as the raw tracepoint `name` (NULL: where it was loaded for), and closes it. */
static int program__try_tracepoint(int program, const char *name)
{
	int result;

	if (program < 0)
		return errno ? errno : EIO;
	errno = 0;
	result = attempt__close(bpf_raw_tracepoint_open(name, program));
	close(program);
	return result;
}

int attempt__raw_tracepoint(void)
{
	return program__try_tracepoint(program__load_empty(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0), "kfree_skb");
}

int attempt__stack(void)
{
	/* the buffer is written first: to the verifier of 6.1 the helper reads it */
	const struct bpf_insn insns[] = {
		STORE(BPF_REG_10, -16, 0), STORE(BPF_REG_10, -8, 0), MOVE(BPF_REG_2, BPF_REG_10),
		ADD(BPF_REG_2, -16),       SET(BPF_REG_3, 16),       SET(BPF_REG_4, 0),
		CALL(BPF_FUNC_get_stack),  SET(BPF_REG_0, 0),        EXIT,
	};

	return attempt__close(program__load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, insns, COUNT(insns)));
}

int attempt__read_kernel(void)
{
	const struct bpf_insn insns[] = {
		MOVE(BPF_REG_3, BPF_REG_1),
		MOVE(BPF_REG_1, BPF_REG_10),
		ADD(BPF_REG_1, -8),
		SET(BPF_REG_2, 8),
		CALL(BPF_FUNC_probe_read_kernel),
		SET(BPF_REG_0, 0),
		EXIT,
	};

	return attempt__close(program__load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, insns, COUNT(insns)));
}

int attempt__fentry(void)
{
	const struct btf *btf = kernel_btf__vmlinux();
	int function = btf ? btf__find_by_name_kind(btf, ATTEMPT_FUNCTION, BTF_KIND_FUNC) : -1;

	if (function < 0)
		return ENOENT;
	return program__try_tracepoint(program__load_empty(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, function), NULL);
}

/* ---- kprobes -------------------------------------------------------------------------------------------------------- */

static int kprobe__open(long source)
{
	struct perf_event_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.size = sizeof(attr);
	attr.type = source;
	attr.kprobe_func = (uint64_t)(uintptr_t)ATTEMPT_FUNCTION;
	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

int attempt__kprobe(void)
{
	int program, event, result;
	long source;

	if (!file__read_number("/sys/bus/event_source/devices/kprobe/type", &source))
		return ENODEV;
	program = program__load_kprobe(0);
	if (program < 0)
		return errno ? errno : EIO;
	errno = 0;
	event = kprobe__open(source);
	if (event >= 0) {
		LIBBPF_OPTS(bpf_link_create_opts, options, .perf_event.bpf_cookie = 1);

		result = attempt__close(bpf_link_create(program, event, BPF_PERF_EVENT, &options));
		close(event);
	} else {
		result = errno ? errno : EIO;
	}
	close(program);
	return result;
}

/* A function of this program, where it stands in the file. */
static __attribute__((noinline)) void uprobe__target(void)
{
	asm volatile("");
}

/* 0: not known. */
static uint64_t uprobe__offset(void)
{
	uint64_t address = (uint64_t)(uintptr_t)uprobe__target;
	char *maps = file__read("/proc/self/maps", NULL), *rest = maps;
	uint64_t found = 0;

	for (char *line = strsep(&rest, "\n"); line && !found; line = strsep(&rest, "\n")) {
		unsigned long long start, end, offset;

		if (sscanf(line, "%llx-%llx %*s %llx", &start, &end, &offset) == 3 && address >= start && address < end)
			found = address - start + offset;
	}
	free(maps);
	return found;
}

static int uprobe__open(long source)
{
	struct perf_event_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.size = sizeof(attr);
	attr.type = source;
	attr.uprobe_path = (uint64_t)(uintptr_t)"/proc/self/exe";
	attr.probe_offset = uprobe__offset();
	return syscall(SYS_perf_event_open, &attr, getpid(), -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int attempt__uprobe(void)
{
	int program, event, result;
	long source;

	if (!file__read_number("/sys/bus/event_source/devices/uprobe/type", &source))
		return ENODEV;
	program = program__load_kprobe(0);
	if (program < 0)
		return errno ? errno : EIO;
	errno = 0;
	event = uprobe__open(source);
	result = event < 0 ? (errno ? errno : EIO) : 0;
	if (event >= 0) {
		LIBBPF_OPTS(bpf_link_create_opts, options, .perf_event.bpf_cookie = 1);

		result = attempt__close(bpf_link_create(program, event, BPF_PERF_EVENT, &options));
		close(event);
	}
	close(program);
	return result;
}

static int attempt__kprobe_link(int attach_type)
{
	const char *function = ATTEMPT_FUNCTION;
	uint64_t cookie = 1;
	union bpf_attr attr;
	int program = program__load_kprobe(attach_type), result;

	if (program < 0)
		return errno ? errno : EIO;
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = program;
	attr.link_create.attach_type = attach_type;
	attr.link_create.kprobe_multi.cnt = 1;
	attr.link_create.kprobe_multi.syms = (uint64_t)(uintptr_t)&function;
	attr.link_create.kprobe_multi.cookies = (uint64_t)(uintptr_t)&cookie;
	errno = 0;
	result = attempt__close(syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)));
	close(program);
	return result;
}

int attempt__kprobe_multi(void)
{
	return attempt__kprobe_link(ATTACH_TYPE_KPROBE_MULTI);
}

int attempt__kprobe_session(void)
{
	return attempt__kprobe_link(ATTACH_TYPE_KPROBE_SESSION);
}
