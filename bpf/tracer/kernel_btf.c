// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "kernel_btf.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define BTF_FOLDER "/sys/kernel/btf"
#define MOST_MODULES 1024

static struct {
	struct btf *vmlinux;
	int failure; /* errno of loading vmlinux */
	struct module_btf *modules;
	size_t module_count;
	bool modules_loaded;
} kernel;

/* libbpf says on standard error what it tries: here a failure is an answer, not news. */
static int print__nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

const struct btf *kernel_btf__vmlinux(void)
{
	libbpf_print_fn_t print;

	if (kernel.vmlinux || kernel.failure) {
		errno = kernel.failure;
		return kernel.vmlinux;
	}
	print = libbpf_set_print(print__nothing);
	kernel.vmlinux = btf__load_vmlinux_btf();
	kernel.failure = kernel.vmlinux ? 0 : errno ? errno : ENOENT;
	libbpf_set_print(print);
	return kernel.vmlinux;
}

static void modules__load_one(struct btf *vmlinux, const char *name)
{
	struct module_btf *module = &kernel.modules[kernel.module_count];
	char path[512];

	if (strlen(name) >= sizeof(module->name))
		return;
	snprintf(path, sizeof(path), BTF_FOLDER "/%s", name);
	module->btf = btf__parse_split(path, vmlinux);
	if (!module->btf)
		return;
	strcpy(module->name, name);
	kernel.module_count++;
}

const struct module_btf *kernel_btf__modules(size_t *count)
{
	libbpf_print_fn_t print;
	struct dirent *entry;
	DIR *folder;

	*count = kernel.module_count;
	if (kernel.modules_loaded || !kernel_btf__vmlinux())
		return kernel.modules;
	kernel.modules_loaded = true;
	kernel.modules = calloc(MOST_MODULES, sizeof(*kernel.modules));
	folder = opendir(BTF_FOLDER);
	print = libbpf_set_print(print__nothing);
	while (folder && kernel.modules && kernel.module_count < MOST_MODULES && (entry = readdir(folder)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "vmlinux"))
			modules__load_one(kernel.vmlinux, entry->d_name);
	libbpf_set_print(print);
	if (folder)
		closedir(folder);
	*count = kernel.module_count;
	return kernel.modules;
}

uint32_t kernel_btf__strip(const struct btf *btf, uint32_t type)
{
	const struct btf_type *at = btf__type_by_id(btf, type);

	while (at && (btf_is_mod(at) || btf_is_typedef(at) || btf_is_type_tag(at))) {
		type = at->type;
		at = btf__type_by_id(btf, type);
	}
	return type;
}

uint32_t kernel_btf__sk_buff(void)
{
	const struct btf *vmlinux = kernel_btf__vmlinux();
	static uint32_t found;
	int id;

	if (found || !vmlinux)
		return found;
	id = btf__find_by_name_kind(vmlinux, "sk_buff", BTF_KIND_STRUCT);
	found = id > 0 ? id : 0;
	return found;
}

uint32_t kernel_btf__sk_buff_bytes(void)
{
	uint32_t id = kernel_btf__sk_buff();

	return id ? btf__type_by_id(kernel_btf__vmlinux(), id)->size : 0;
}

void kernel_btf__free_all(void)
{
	for (size_t i = 0; i < kernel.module_count; i++)
		btf__free(kernel.modules[i].btf);
	free(kernel.modules);
	btf__free(kernel.vmlinux);
	memset(&kernel, 0, sizeof(kernel));
}
