// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "functions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "attachable.h"
#include "kernel_btf.h"
#include "return_kinds.h"
#include "suffixes.h"
#include "symbols.h"

#define POSITIONS 5 /* registers that BPF programs can read portably */

struct discovery {
	const struct symbol_table *symbols;
	struct attachable_list *attachable;
	struct function_table *table;
	size_t capacity;
	bool out_of_memory;
};

/* ---- which functions have an sk_buff -------------------------------------------------------------------------------- */

static bool type__is_sk_buff(const struct btf *btf, uint32_t type)
{
	const struct btf_type *at;

	if (type == kernel_btf__sk_buff())
		return true;
	if (type < btf__type_cnt(kernel_btf__vmlinux()))
		return false;
	/* a module may carry a copy, when its makers failed to see that it is the kernel's */
	at = btf__type_by_id(btf, type);
	return at && btf_is_struct(at) && !strcmp(btf__name_by_offset(btf, at->name_off), "sk_buff");
}

/* The position (from 1) of the first `struct sk_buff *` among the first five parameters, 0: none. */
static uint8_t prototype__sk_buff_position(const struct btf *btf, const struct btf_type *prototype)
{
	const struct btf_param *parameters = btf_params(prototype);

	for (int i = 0; i < btf_vlen(prototype) && i < POSITIONS; i++) {
		const struct btf_type *type = btf__type_by_id(btf, kernel_btf__strip(btf, parameters[i].type));

		if (type && (btf_is_struct(type) || btf_is_union(type)) && type->size > 8)
			return 0; /* passed by value: on the stack or in two registers, what follows is shifted */
		if (type && btf_is_ptr(type) && type__is_sk_buff(btf, kernel_btf__strip(btf, type->type)))
			return i + 1;
	}
	return 0;
}

/* ---- which of them must be left alone ------------------------------------------------------------------------------- */

struct exclusion {
	const char *prefix;
	const char *reason;
};

static const struct exclusion exclusions[] = {
	{ "bpf_", "called by BPF programs: probing it would see their packets, not the network's path" },
	{ "__bpf_", "called by BPF programs: probing it would see their packets, not the network's path" },
	{ "____bpf_", "called by BPF programs: probing it would see their packets, not the network's path" },
	{ "__traceiter_", "part of a tracepoint" },
	{ "__probestub_", "part of a tracepoint" },
	{ "trace_", "part of a tracepoint" },
	{ "perf_trace_", "part of a tracepoint" },
};

/* They name the place of a drop by their own return address, which tracing their return replaces. The drop has its tracepoint. */
static const char *const droppers[] = {
	"kfree_skb",      "kfree_skb_reason",      "__kfree_skb_reason",
	"kfree_skb_list", "kfree_skb_list_reason", "sk_skb_reason_drop",
};

static const char *name__exclude(const char *name)
{
	for (size_t i = 0; i < sizeof(droppers) / sizeof(droppers[0]); i++)
		if (!strcmp(name, droppers[i]))
			return "its return address tells where a packet was dropped: the drop tracepoint stands for it";
	if (!strcmp(name, "trace_packet"))
		return NULL; /* of ip_tables: the TRACE target */
	for (size_t i = 0; i < sizeof(exclusions) / sizeof(exclusions[0]); i++)
		if (!strncmp(name, exclusions[i].prefix, strlen(exclusions[i].prefix)))
			return exclusions[i].reason;
	return NULL;
}

/* ---- functions to symbols ------------------------------------------------------------------------------------------- */

static void discovery__add(struct discovery *discovery, const struct traced_function *function)
{
	struct function_table *table = discovery->table;

	if (table->count == discovery->capacity) {
		size_t capacity = discovery->capacity ? discovery->capacity * 2 : 2048;
		struct traced_function *grown = realloc(table->functions, capacity * sizeof(*grown));

		if (!grown) {
			discovery->out_of_memory = true;
			return;
		}
		table->functions = grown;
		discovery->capacity = capacity;
	}
	table->functions[table->count++] = *function;
}

static bool symbol__is_of(const struct symbol *symbol, const char *module)
{
	return !strcmp(symbol->module, module);
}

static bool symbol__is_suffixed(const struct symbol *symbol)
{
	return symbol->name[symbol->base_bytes];
}

static void discovery__add_symbol(struct discovery *discovery, const struct traced_function *function,
				  const struct symbol *symbol, bool stands_alone)
{
	struct traced_function found = *function;

	found.symbol = symbol->name;
	found.address = symbol->address;
	found.reason = name__exclude(function->name);
	if (!found.reason)
		found.reason = suffix__refuse(symbol->name, function->argument, stands_alone);
	if (!found.reason)
		found.reason = attachable_list__refuse(discovery->attachable, symbol);
	found.attachable = !found.reason;
	discovery__add(discovery, &found);
}

/* A symbol that is only a piece of a function, beside the function itself, is nothing that a person asks about. */
static bool symbol__is_mere_part(const struct symbol *symbol, bool stands_alone)
{
	return !stands_alone && symbol__is_suffixed(symbol) &&
	       (strstr(symbol->name, ".cold") || strstr(symbol->name, ".part."));
}

/* The function's symbols: several when static functions in several files have its name, or when it was copied. */
static void discovery__add_function(struct discovery *discovery, struct traced_function *function)
{
	const struct symbol *first = symbol_table__first_of_base(discovery->symbols, function->name), *symbol;
	bool stands_alone = true, has_whole = false, found = false;

	for (symbol = first; symbol; symbol = symbol_table__next_of_base(discovery->symbols, symbol)) {
		if (!symbol__is_of(symbol, function->module))
			continue;
		if (!symbol__is_suffixed(symbol))
			stands_alone = false;
		if (!strstr(symbol->name, ".cold") && !strstr(symbol->name, ".part."))
			has_whole = true;
	}
	for (symbol = first; symbol; symbol = symbol_table__next_of_base(discovery->symbols, symbol)) {
		if (!symbol__is_of(symbol, function->module) || symbol__is_mere_part(symbol, !has_whole))
			continue;
		discovery__add_symbol(discovery, function, symbol, stands_alone);
		found = true;
	}
	if (found)
		return;
	function->symbol = function->name;
	function->reason = "the kernel has no symbol of this name: it was inlined in its callers";
	discovery__add(discovery, function);
}

static void discovery__read_btf(struct discovery *discovery, const struct btf *btf, uint32_t first, const char *module)
{
	for (uint32_t id = first; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id), *prototype;
		struct traced_function function = { .module = module };

		if (!btf_is_func(type))
			continue;
		prototype = btf__type_by_id(btf, type->type);
		if (!prototype || !btf_is_func_proto(prototype))
			continue;
		function.argument = prototype__sk_buff_position(btf, prototype);
		if (!function.argument)
			continue;
		function.name = btf__name_by_offset(btf, type->name_off);
		function.return_kind = return_kind__of(btf, type->type, function.name);
		discovery__add_function(discovery, &function);
	}
}

/* ---- order, and what is there twice --------------------------------------------------------------------------------- */

static int function__compare(const void *left, const void *right)
{
	const struct traced_function *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	order = order ? order : strcmp(a->module, b->module);
	if (order)
		return order;
	return a->address < b->address ? -1 : a->address > b->address;
}

/* Functions of one name with different prototypes are described one after the other, and nothing says which is where. */
static void table__merge_copies(struct function_table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++) {
		struct traced_function *function = &table->functions[i];
		struct traced_function *before = kept ? &table->functions[kept - 1] : NULL;

		if (before && !strcmp(before->name, function->name) && !strcmp(before->module, function->module) &&
		    before->address == function->address && !strcmp(before->symbol, function->symbol)) {
			if (before->argument != function->argument) {
				before->attachable = false;
				before->reason =
					"several functions have this name, with the sk_buff at different positions";
			}
			if (before->return_kind != function->return_kind)
				before->return_kind = WIRE_RETURN_UNKNOWN;
			continue;
		}
		table->functions[kept++] = *function;
	}
	table->count = kept;
}

/* Another function of the same name, without an sk_buff at all (type information before pahole 1.25 may have such pairs). */
static void table__refuse_namesakes(struct function_table *table, const struct btf *btf, uint32_t first,
				    const char *module)
{
	for (uint32_t id = first; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id), *prototype;
		const struct traced_function *found;

		if (!btf_is_func(type))
			continue;
		prototype = btf__type_by_id(btf, type->type);
		if (!prototype || !btf_is_func_proto(prototype) || prototype__sk_buff_position(btf, prototype))
			continue;
		found = function_table__find(table, btf__name_by_offset(btf, type->name_off));
		for (size_t i = found ? (size_t)(found - table->functions) : table->count;
		     i < table->count && !strcmp(table->functions[i].name, found->name); i++) {
			if (strcmp(table->functions[i].module, module))
				continue;
			table->functions[i].attachable = false;
			table->functions[i].reason =
				"several functions have this name, not all of them with an sk_buff";
		}
	}
}

/* The layer of a function is that of its place in the core list, whichever of the place's names it has. */
static void table__set_layers(struct function_table *table)
{
	for (size_t i = 0; i < core_function_count; i++)
		for (int name = 0; name < CORE_NAMES && core_functions[i].names[name]; name++) {
			const struct traced_function *found =
				function_table__find(table, core_functions[i].names[name]);
			size_t at = found ? (size_t)(found - table->functions) : table->count;

			for (; at < table->count && !strcmp(table->functions[at].name, core_functions[i].names[name]);
			     at++)
				table->functions[at].layer = core_functions[i].layer;
		}
}

/* ---- all ------------------------------------------------------------------------------------------------------------ */

static void discovery__run(struct discovery *discovery)
{
	struct function_table *table = discovery->table;
	const struct btf *vmlinux = kernel_btf__vmlinux();
	const struct module_btf *modules;
	size_t module_count;

	table->attachable_known = attachable_list__is_known(discovery->attachable);
	discovery__read_btf(discovery, vmlinux, 1, "");
	modules = kernel_btf__modules(&module_count);
	for (size_t i = 0; i < module_count; i++)
		discovery__read_btf(discovery, modules[i].btf, btf__type_cnt(vmlinux), modules[i].name);
	if (table->count)
		qsort(table->functions, table->count, sizeof(*table->functions), function__compare);
	table__merge_copies(table);
	table__refuse_namesakes(table, vmlinux, 1, "");
	for (size_t i = 0; i < module_count; i++)
		table__refuse_namesakes(table, modules[i].btf, btf__type_cnt(vmlinux), modules[i].name);
	table__set_layers(table);
	for (size_t i = 0; i < table->count; i++)
		table->attachable += table->functions[i].attachable;
}

struct function_table *function_table__discover(const struct symbol_table *symbols, char *error, size_t error_bytes)
{
	struct discovery discovery = { .symbols = symbols };

	if (!kernel_btf__vmlinux() || !kernel_btf__sk_buff()) {
		snprintf(
			error, error_bytes,
			"cannot find the kernel's functions: it has no type information (/sys/kernel/btf/vmlinux: %s); "
			"use a kernel with CONFIG_DEBUG_INFO_BTF=y",
			strerror(errno ? errno : ENOENT));
		return NULL;
	}
	discovery.table = calloc(1, sizeof(*discovery.table));
	discovery.attachable = attachable_list__read();
	if (discovery.table && discovery.attachable)
		discovery__run(&discovery);
	if (!discovery.table || !discovery.attachable || discovery.out_of_memory) {
		snprintf(error, error_bytes, "out of memory while reading the kernel's functions");
		function_table__free(discovery.table);
		discovery.table = NULL;
	}
	attachable_list__free(discovery.attachable);
	return discovery.table;
}

void function_table__forbid(struct function_table *table, const char *reason)
{
	for (size_t i = 0; i < table->count; i++) {
		struct traced_function *function = &table->functions[i];

		function->attachable = function->chosen = false;
		function->reason = function->reason ? function->reason : reason;
	}
	table->attachable = 0;
}

const struct traced_function *function_table__find(const struct function_table *table, const char *name)
{
	size_t low = 0, high = table->count; /* the first function that is not before `name` */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(table->functions[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == table->count || strcmp(table->functions[low].name, name))
		return NULL;
	return &table->functions[low];
}

void function_table__free(struct function_table *table)
{
	if (!table)
		return;
	free(table->functions);
	free(table);
}
