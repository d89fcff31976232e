/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#include "kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../packet_view.h"
#include "../filter.h"

#define LOG_BYTES (1 << 20)
#define SHOWN_LOG_BYTES 3000
#define FAR_BYTES 4096
/* A word that crosses the window's end is read from the far part as a whole. */
#define FIRST_FAR_BYTE (PACKET_VIEW_CERTAIN - 3)

struct kernel {
	int view_map, far_map;
	struct packet_view *view;
	uint8_t *far;
	uint64_t far_address; /* of the far map's value, in the kernel */
};

static const struct bpf_insn exit_insn = { .code = BPF_JMP | BPF_EXIT };

static struct bpf_insn *put_map_value(struct bpf_insn *insn, uint8_t reg, int map)
{
	*insn++ = (struct bpf_insn){ .code = BPF_LD | BPF_DW | BPF_IMM,
				     .dst_reg = reg,
				     .src_reg = BPF_PSEUDO_MAP_VALUE,
				     .imm = map };
	*insn++ = (struct bpf_insn){ 0 };
	return insn;
}

static void report_log(const struct bpf_insn *insns, size_t count)
{
	char *log = calloc(1, LOG_BYTES);
	LIBBPF_OPTS(bpf_prog_load_opts, options, .log_buf = log, .log_size = LOG_BYTES, .log_level = 1);
	size_t length;
	int program;

	if (!log)
		return;
	program = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "filter_test", "GPL", insns, count, &options);
	if (program >= 0)
		close(program);
	length = strlen(log);
	fprintf(stderr, "the verifier's last words:\n%s\n",
		log + (length > SHOWN_LOG_BYTES ? length - SHOWN_LOG_BYTES : 0));
	free(log);
}

static int load(const struct bpf_insn *insns, size_t count)
{
	int program = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "filter_test", "GPL", insns, count, NULL);

	if (program < 0) {
		fprintf(stderr, "filter-test: cannot load a program: %s\n", strerror(errno));
		report_log(insns, count);
	}
	return program;
}

static int run(int program, uint32_t *answer)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);

	if (bpf_prog_test_run_opts(program, &options))
		return -1;
	*answer = options.retval;
	return 0;
}

/* A program stores the far map's address in the view, where user space reads it. */
static int find_far_address(struct kernel *kernel)
{
	struct bpf_insn insns[8], *next = insns;
	uint32_t answer;
	int program;

	next = put_map_value(next, BPF_REG_1, kernel->far_map);
	next = put_map_value(next, BPF_REG_2, kernel->view_map);
	*next++ = (struct bpf_insn){ .code = BPF_STX | BPF_MEM | BPF_DW,
				     .dst_reg = BPF_REG_2,
				     .src_reg = BPF_REG_1,
				     .off = offsetof(struct packet_view, far_base) };
	*next++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 };
	*next++ = exit_insn;
	program = load(insns, next - insns);
	if (program < 0)
		return -1;
	if (run(program, &answer)) {
		fprintf(stderr, "filter-test: cannot run a program: %s\n", strerror(errno));
		close(program);
		return -1;
	}
	close(program);
	kernel->far_address = kernel->view->far_base;
	return 0;
}

static int create_map(const char *name, size_t bytes, void **memory)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, bytes, 1, &options);

	if (map < 0) {
		fprintf(stderr, "filter-test: cannot create a map: %s\n", strerror(errno));
		return -1;
	}
	*memory = mmap(NULL, FAR_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (*memory == MAP_FAILED) {
		fprintf(stderr, "filter-test: cannot map a map's memory: %s\n", strerror(errno));
		return -1;
	}
	return map;
}

struct kernel *kernel__open(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	void *view, *far;

	if (!kernel)
		return NULL;
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* kernels before 5.11 count maps against it */
	kernel->view_map = create_map("view", sizeof(struct packet_view), &view);
	if (kernel->view_map < 0)
		goto failed;
	kernel->far_map = create_map("far", FAR_BYTES, &far);
	if (kernel->far_map < 0)
		goto failed;
	kernel->view = view;
	kernel->far = far;
	if (!find_far_address(kernel))
		return kernel;
failed:
	free(kernel);
	return NULL;
}

void kernel__close(struct kernel *kernel)
{
	munmap(kernel->view, FAR_BYTES);
	munmap(kernel->far, FAR_BYTES);
	close(kernel->view_map);
	close(kernel->far_map);
	free(kernel);
}

int kernel__load(struct kernel *kernel, const struct filter_program *program)
{
	static struct bpf_insn insns[4 + FILTER_MAX_INSNS + 1];
	struct bpf_insn *next = put_map_value(insns, BPF_REG_1, kernel->view_map);

	*next++ = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 1 };
	*next++ = exit_insn;
	if (filter__splice(program, next, FILTER_MAX_INSNS)) {
		fprintf(stderr, "filter-test: the filter does not fit\n");
		return -1;
	}
	next[FILTER_MAX_INSNS] = exit_insn;
	return load(insns, COUNT_OF(insns));
}

uint32_t kernel__verified_insns(int program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t bytes = sizeof(info);

	return bpf_obj_get_info_by_fd(program, &info, &bytes) ? 0 : info.verified_insns;
}

static void fill(uint8_t *bytes, size_t count, struct random *random)
{
	uint64_t value = random__next(random) | 0x0101010101010101ull;

	for (size_t i = 0; i < count; i++)
		bytes[i] = value >> 8 * (i % 8);
}

void kernel__set_packet(struct kernel *kernel, const struct packet *packet, struct random *random)
{
	struct packet_view *view = kernel->view;
	uint32_t window = random__between(random, PACKET_VIEW_CERTAIN, PACKET_VIEW_WINDOW);

	if (window > packet->buffer_bytes)
		window = packet->buffer_bytes;

	view->far_base = kernel->far_address;
	view->wire_bytes = packet->wire_bytes;
	view->buffer_bytes = packet->buffer_bytes;
	view->window_bytes = window;
	memcpy(view->bytes, packet->bytes, window);
	fill(view->bytes + window, PACKET_VIEW_WINDOW - window, random);
	fill(kernel->far, FAR_BYTES, random);
	if (packet->buffer_bytes > FIRST_FAR_BYTE)
		memcpy(kernel->far + FIRST_FAR_BYTE, packet->bytes + FIRST_FAR_BYTE,
		       packet->buffer_bytes - FIRST_FAR_BYTE);
}

void kernel__break_far(struct kernel *kernel)
{
	kernel->view->far_base = 0x8000000000000000ull; /* not an address that any memory can have */
}

int kernel__matches(int program)
{
	uint32_t answer;

	return run(program, &answer) ? -1 : (int)answer;
}
