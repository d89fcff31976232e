// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "tracepoints.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "kernel_btf.h"

/* The kernel declares `typedef void (*btf_trace_NAME)(void *__data, ...)` for every tracepoint. */
#define PREFIX "btf_trace_"
#define PREFIX_BYTES (sizeof(PREFIX) - 1)

static const char *type__name(const struct btf *btf, const struct btf_type *type)
{
	const char *name = type ? btf__name_by_offset(btf, type->name_off) : NULL;

	return name ? name : "";
}

static const struct btf_type *tracepoint__prototype(const struct btf *btf, const struct btf_type *type)
{
	if (!btf_is_typedef(type) || strncmp(type__name(btf, type), PREFIX, PREFIX_BYTES))
		return NULL;
	type = btf__type_by_id(btf, type->type);
	if (!type || !btf_is_ptr(type))
		return NULL;
	type = btf__type_by_id(btf, type->type);
	return type && btf_is_func_proto(type) && btf_vlen(type) ? type : NULL;
}

static bool parameter__is_sk_buff(const struct btf *btf, const struct btf_param *parameter)
{
	const struct btf_type *type = btf__type_by_id(btf, kernel_btf__strip(btf, parameter->type));

	if (!type || !btf_is_ptr(type))
		return false;
	type = btf__type_by_id(btf, kernel_btf__strip(btf, type->type));
	return type && btf_is_struct(type) && !strcmp(type__name(btf, type), "sk_buff");
}

static bool parameter__is_reason(const struct btf *btf, const struct btf_param *parameter)
{
	const struct btf_type *type = btf__type_by_id(btf, kernel_btf__strip(btf, parameter->type));

	return type && btf_is_any_enum(type) && !strcmp(type__name(btf, type), "skb_drop_reason");
}

/* Fills in the arguments; false when there is no sk_buff. */
static bool tracepoint__describe(struct traced_tracepoint *tracepoint, const struct btf *btf,
				 const struct btf_type *prototype)
{
	const struct btf_param *parameters = btf_params(prototype) + 1; /* the first one, __data, is not in ctx->args */
	int count = btf_vlen(prototype) - 1;
	bool found = false;

	tracepoint->argument_count = count;
	tracepoint->reason_argument = -1;
	for (int i = 0; i < count; i++) {
		if (!found && parameter__is_sk_buff(btf, &parameters[i])) {
			tracepoint->argument = i;
			found = true;
		} else if (tracepoint->reason_argument < 0 && parameter__is_reason(btf, &parameters[i])) {
			tracepoint->reason_argument = i;
		}
	}
	return found;
}

static bool table__add(struct tracepoint_table *table, const struct traced_tracepoint *tracepoint)
{
	struct traced_tracepoint *grown = realloc(table->tracepoints, (table->count + 1) * sizeof(*grown));

	if (!grown)
		return false;
	table->tracepoints = grown;
	table->tracepoints[table->count++] = *tracepoint;
	return true;
}

static void table__read_btf(struct tracepoint_table *table, const struct btf *btf, uint32_t first, const char *module)
{
	for (uint32_t id = first; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const struct btf_type *prototype = tracepoint__prototype(btf, type);
		struct traced_tracepoint tracepoint = { .module = module };

		if (!prototype || !tracepoint__describe(&tracepoint, btf, prototype))
			continue;
		tracepoint.name = type__name(btf, type) + PREFIX_BYTES;
		if (!table__add(table, &tracepoint))
			return;
	}
}

static int tracepoint__compare(const void *left, const void *right)
{
	return strcmp(((const struct traced_tracepoint *)left)->name, ((const struct traced_tracepoint *)right)->name);
}

struct tracepoint_table *tracepoint_table__discover(void)
{
	const struct btf *vmlinux = kernel_btf__vmlinux();
	struct tracepoint_table *table = vmlinux ? calloc(1, sizeof(*table)) : NULL;
	const struct module_btf *modules;
	size_t module_count;

	if (!table)
		return NULL;
	table__read_btf(table, vmlinux, 1, "");
	modules = kernel_btf__modules(&module_count);
	for (size_t i = 0; i < module_count; i++)
		table__read_btf(table, modules[i].btf, btf__type_cnt(vmlinux), modules[i].name);
	if (table->count)
		qsort(table->tracepoints, table->count, sizeof(*table->tracepoints), tracepoint__compare);
	return table;
}

const struct traced_tracepoint *tracepoint_table__find(const struct tracepoint_table *table, const char *name)
{
	for (size_t i = 0; table && i < table->count; i++)
		if (!strcmp(table->tracepoints[i].name, name))
			return &table->tracepoints[i];
	return NULL;
}

void tracepoint_table__free(struct tracepoint_table *table)
{
	if (!table)
		return;
	free(table->tracepoints);
	free(table);
}
