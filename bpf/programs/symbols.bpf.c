// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/*
 * Lists the kernel's functions with their addresses, in the form of /proc/kallsyms, which shows zeros to a process without
 * CAP_SYSLOG. CAP_BPF and CAP_PERFMON, which may read all of the kernel's memory, suffice here (Linux 6.0 or later).
 */
#include "kernel.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

struct seq_file;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct kallsym_iter {
	unsigned long value;
	char type;
	char name[512];
	char module_name[56];
};

struct bpf_iter__ksym {
	struct bpf_iter_meta *meta;
	struct kallsym_iter *ksym;
};

#pragma clang attribute pop

/* Variables that say where the kernel sees pages; tracer/symbols.c keeps them too. */
static __always_inline bool symbol__tells_of_memory(const char *name)
{
	char copy[24] = {};

	bpf_probe_read_kernel_str(copy, sizeof(copy), name);
	return !bpf_strncmp(copy, sizeof("vmemmap_base"), "vmemmap_base") ||
	       !bpf_strncmp(copy, sizeof("page_offset_base"), "page_offset_base");
}

SEC("iter/ksym")
int list_symbol(struct bpf_iter__ksym *context)
{
	struct seq_file *output = context->meta->seq;
	struct kallsym_iter *symbol = context->ksym;
	char type;

	if (!symbol)
		return 0;
	type = symbol->type;
	if (type != 't' && type != 'T' && type != 'w' && type != 'W' && !symbol__tells_of_memory(symbol->name))
		return 0;
	if (symbol->module_name[0])
		BPF_SEQ_PRINTF(output, "%lx %c %s\t[%s]\n", symbol->value, type, symbol->name, symbol->module_name);
	else
		BPF_SEQ_PRINTF(output, "%lx %c %s\n", symbol->value, type, symbol->name);
	return 0;
}
