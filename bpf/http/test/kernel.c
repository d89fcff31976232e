/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#include "kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "../parser.h"
#include "run.h"

__asm__(".pushsection .rodata\n"
	".balign 16\n"
	".global embedded_run_object\n"
	"embedded_run_object:\n"
	".incbin \"" EMBEDDED_OBJECT_PATH "\"\n"
	".global embedded_run_object_end\n"
	"embedded_run_object_end:\n"
	".popsection\n");
extern const char embedded_run_object[], embedded_run_object_end[];

struct kernel {
	struct bpf_object *object;
	int program, parsers;
	struct run_input *input;
	struct run_output *output;
};

/* A variable in a section of its own is a map, which can be mapped into this process. */
static void *map_variable(struct bpf_object *object, const char *section, size_t bytes)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		void *memory;

		if (!strstr(bpf_map__name(map), section) || bpf_map__value_size(map) < bytes)
			continue;
		memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
		if (memory != MAP_FAILED)
			return memory;
	}
	fprintf(stderr, "http-test: cannot map the object's variable in %s\n", section);
	return NULL;
}

struct kernel *kernel__open(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		return NULL;
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* kernels before 5.11 count maps against it */
	kernel->object = bpf_object__open_mem(embedded_run_object, embedded_run_object_end - embedded_run_object, NULL);
	if (!kernel->object || bpf_object__load(kernel->object)) {
		fprintf(stderr, "http-test: cannot load the parser into the kernel\n");
		goto failed;
	}
	kernel->program = bpf_program__fd(bpf_object__find_program_by_name(kernel->object, "http_run"));
	kernel->parsers = bpf_object__find_map_fd_by_name(kernel->object, "parsers");
	kernel->input = map_variable(kernel->object, ".data.in", sizeof(struct run_input));
	kernel->output = map_variable(kernel->object, ".data.out", sizeof(struct run_output));
	if (kernel->input && kernel->output)
		return kernel;
failed:
	bpf_object__close(kernel->object);
	free(kernel);
	return NULL;
}

void kernel__close(struct kernel *kernel)
{
	munmap(kernel->input, sizeof(*kernel->input));
	munmap(kernel->output, sizeof(*kernel->output));
	bpf_object__close(kernel->object);
	free(kernel);
}

int kernel__run(struct kernel *kernel, struct http_parser *p, const uint8_t *bytes, size_t count, uint8_t *events)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	uint32_t key = 0;

	if (count > RUN_BYTES || bpf_map_update_elem(kernel->parsers, &key, p, BPF_ANY))
		return -1;
	kernel->input->count = count;
	memcpy(kernel->input->bytes, bytes, count);
	memset(kernel->output, 0, sizeof(*kernel->output));
	if (bpf_prog_test_run_opts(kernel->program, &options) || options.retval)
		return -1;
	memcpy(events, kernel->output->events, count);
	return bpf_map_lookup_elem(kernel->parsers, &key, p);
}

uint32_t kernel__verified_insns(const struct kernel *kernel)
{
	struct bpf_prog_info info = { 0 };
	uint32_t bytes = sizeof(info);

	return bpf_obj_get_info_by_fd(kernel->program, &info, &bytes) ? 0 : info.verified_insns;
}
