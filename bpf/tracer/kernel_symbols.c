// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "kernel_symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "file.h"

/* programs/symbols.bpf.c, compiled: see the Makefile. */
__asm__(".section .rodata\n"
	".balign 16\n"
	".global embedded_symbols_object\n"
	"embedded_symbols_object:\n"
	".incbin \"" EMBEDDED_OBJECT_PATH "\"\n"
	".global embedded_symbols_object_end\n"
	"embedded_symbols_object_end:\n"
	".previous\n");
extern const char embedded_symbols_object[], embedded_symbols_object_end[];

/* A kernel without this iterator (before 6.0) is no error of ours to print. */
static int print__nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

static struct bpf_object *listing__load(void)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "skbspan_symbols");
	struct bpf_object *object = bpf_object__open_mem(
		embedded_symbols_object, embedded_symbols_object_end - embedded_symbols_object, &options);

	if (object && bpf_object__load(object)) {
		int failure = errno;

		bpf_object__close(object);
		errno = failure;
		return NULL;
	}
	return object;
}

/* An open file that reads like /proc/kallsyms, or -1 and errno. */
static int listing__open(void)
{
	libbpf_print_fn_t printed_before = libbpf_set_print(print__nothing);
	struct bpf_object *object = listing__load();
	struct bpf_program *program = object ? bpf_object__find_program_by_name(object, "list_symbol") : NULL;
	struct bpf_link *link = program ? bpf_program__attach_iter(program, NULL) : NULL;
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	int failure = errno;

	/* what is open keeps the program */
	bpf_link__destroy(link);
	bpf_object__close(object);
	libbpf_set_print(printed_before);
	errno = failure;
	return fd;
}

static struct symbol_table *listing__read(void)
{
	int fd = listing__open();
	char *text = fd < 0 ? NULL : descriptor__read(fd, NULL);
	char ignored[256];

	if (fd >= 0)
		close(fd);
	return text ? symbol_table__parse_text(text, "the BPF program", ignored, sizeof(ignored)) : NULL;
}

struct symbol_table *kernel_symbols__read(char *error, size_t error_bytes)
{
	struct symbol_table *table = symbol_table__read("/proc/kallsyms", error, error_bytes), *listed;

	if (table && symbol_table__has_addresses(table))
		return table;
	listed = listing__read();
	if (!listed)
		return table;
	symbol_table__free(table);
	return listed;
}

int kernel_symbols__try_listing(void)
{
	int fd;

	errno = 0;
	fd = listing__open();
	if (fd < 0)
		return errno ? errno : EIO;
	close(fd);
	return 0;
}
