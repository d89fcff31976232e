// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "drop_reasons.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "kernel_btf.h"

#define CORE_ENUM "skb_drop_reason"
#define SUBSYSTEM_SHIFT 16

/* A prefix that says nothing, longest first. */
static const char *const prefixes[] = { "SKB_DROP_REASON_", "SKB_" };

static const char *btf__string(const struct btf *btf, uint32_t offset)
{
	const char *string = btf__name_by_offset(btf, offset);

	return string ? string : "";
}

static const char *reason__short_name(const char *name)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return name + strlen(prefixes[i]);
	return name;
}

static bool name__ends_with(const char *name, const char *end)
{
	size_t bytes = strlen(name), end_bytes = strlen(end);

	return bytes >= end_bytes && !strcmp(name + bytes - end_bytes, end);
}

/* Bounds and masks of the enums, which no packet is dropped for. */
static bool name__is_marker(const char *name)
{
	return !strncmp(name, "__", 2) || name__ends_with(name, "_MAX") || name__ends_with(name, "_SUBSYS_MASK");
}

static bool table__add(struct drop_reason_table *table, uint32_t value, const char *name)
{
	struct drop_reason *grown;

	if (!value || name__is_marker(name))
		return true;
	grown = realloc(table->reasons, (table->count + 1) * sizeof(*grown));
	if (!grown)
		return false;
	table->reasons = grown;
	table->reasons[table->count++] = (struct drop_reason){ value, reason__short_name(name) };
	return true;
}

static bool table__read_core(struct drop_reason_table *table, const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, CORE_ENUM, BTF_KIND_ENUM);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++)
		if (!table__add(table, btf_enum(type)[i].val, btf__string(btf, btf_enum(type)[i].name_off)))
			return false;
	return true;
}

/* Subsystems number their reasons in enums of their own: `enum ovs_drop_reason`, `enum mac80211_drop_reason`, ... */
static bool type__is_subsystem_enum(const struct btf *btf, const struct btf_type *type)
{
	const char *name;

	if (!btf_is_enum(type))
		return false;
	name = btf__string(btf, type->name_off);
	return name__ends_with(name, "_drop_reason") && strcmp(name, CORE_ENUM);
}

static bool table__read_subsystems(struct drop_reason_table *table, const struct btf *btf, uint32_t first)
{
	for (uint32_t id = first; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		if (!type__is_subsystem_enum(btf, type))
			continue;
		for (int i = 0; i < btf_vlen(type); i++) {
			uint32_t value = btf_enum(type)[i].val;

			/* an enum without the subsystem in its values has nothing to do with an sk_buff's reason */
			if (value >> SUBSYSTEM_SHIFT &&
			    !table__add(table, value, btf__string(btf, btf_enum(type)[i].name_off)))
				return false;
		}
	}
	return true;
}

static int reason__compare(const void *left, const void *right)
{
	const struct drop_reason *a = left, *b = right;

	return a->value < b->value ? -1 : a->value > b->value;
}

/* The same enum may be in the type information of several modules. */
static void table__sort(struct drop_reason_table *table)
{
	size_t kept = 0;

	if (table->count)
		qsort(table->reasons, table->count, sizeof(*table->reasons), reason__compare);
	for (size_t i = 0; i < table->count; i++)
		if (!kept || table->reasons[kept - 1].value != table->reasons[i].value)
			table->reasons[kept++] = table->reasons[i];
	table->count = kept;
}

struct drop_reason_table *drop_reason_table__discover(void)
{
	struct drop_reason_table *table = calloc(1, sizeof(*table));
	const struct btf *vmlinux = kernel_btf__vmlinux();
	const struct module_btf *modules;
	size_t module_count;
	bool complete;

	if (!table || !vmlinux)
		return table;
	complete = table__read_core(table, vmlinux) && table__read_subsystems(table, vmlinux, 1);
	modules = kernel_btf__modules(&module_count);
	for (size_t i = 0; complete && i < module_count; i++)
		complete = table__read_subsystems(table, modules[i].btf, btf__type_cnt(vmlinux));
	if (!complete) {
		drop_reason_table__free(table);
		return NULL;
	}
	table__sort(table);
	return table;
}

void drop_reason_table__free(struct drop_reason_table *table)
{
	if (!table)
		return;
	free(table->reasons);
	free(table);
}
