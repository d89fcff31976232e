// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "return_kinds.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <bpf/btf.h>

#include "kernel_btf.h"

struct named_kind {
	const char *name;
	enum wire_return_kind kind;
};

/* Types that say what the number means: found under these names as a typedef or as an enum. */
static const struct named_kind named_types[] = {
	{ "netdev_tx_t", WIRE_RETURN_NETDEV_TX },
	{ "netdev_tx", WIRE_RETURN_NETDEV_TX },
	{ "rx_handler_result_t", WIRE_RETURN_RX_HANDLER },
	{ "rx_handler_result", WIRE_RETURN_RX_HANDLER },
	{ "gro_result_t", WIRE_RETURN_GRO },
	{ "gro_result", WIRE_RETURN_GRO },
	{ "skb_drop_reason", WIRE_RETURN_DROP_REASON },
	{ "bool", WIRE_RETURN_BOOL },
};

/* These return a verdict, and no parameter of theirs tells it. */
static const char *const verdict_functions[] = {
	"nf_nat_packet",        "nf_nat_manip_pkt",       "nf_confirm",
	"nf_conntrack_confirm", "__nf_conntrack_confirm", "nf_queue_handler",
};

static const char *type__name(const struct btf *btf, uint32_t type)
{
	const struct btf_type *at = btf__type_by_id(btf, type);
	const char *name = at ? btf__name_by_offset(btf, at->name_off) : NULL;

	return name ? name : "";
}

static enum wire_return_kind type__named_kind(const struct btf *btf, uint32_t type)
{
	const struct btf_type *at;

	while ((at = btf__type_by_id(btf, type)) != NULL) {
		if (btf_is_typedef(at) || btf_is_any_enum(at)) {
			const char *name = type__name(btf, type);

			for (size_t i = 0; i < sizeof(named_types) / sizeof(named_types[0]); i++)
				if (!strcmp(name, named_types[i].name))
					return named_types[i].kind;
		}
		if (!btf_is_mod(at) && !btf_is_typedef(at) && !btf_is_type_tag(at))
			break;
		type = at->type;
	}
	return WIRE_RETURN_UNKNOWN;
}

static bool parameter__points_to(const struct btf *btf, uint32_t type, const char *structure)
{
	const struct btf_type *pointer = btf__type_by_id(btf, kernel_btf__strip(btf, type));

	if (!pointer || !btf_is_ptr(pointer))
		return false;
	return !strcmp(type__name(btf, kernel_btf__strip(btf, pointer->type)), structure);
}

/* Netfilter's hooks, and the matches and targets of its tables, get the state of the hook beside the sk_buff. */
static bool prototype__returns_verdict(const struct btf *btf, const struct btf_type *prototype, const char *function)
{
	const struct btf_param *parameters = btf_params(prototype);

	for (size_t i = 0; i < sizeof(verdict_functions) / sizeof(verdict_functions[0]); i++)
		if (!strcmp(function, verdict_functions[i]))
			return true;
	for (int i = 0; i < btf_vlen(prototype); i++)
		if (parameter__points_to(btf, parameters[i].type, "nf_hook_state") ||
		    parameter__points_to(btf, parameters[i].type, "xt_action_param"))
			return true;
	return false;
}

static enum wire_return_kind number__kind(const struct btf *btf, const struct btf_type *type,
					  const struct btf_type *prototype, const char *function)
{
	if (btf_int_encoding(type) & BTF_INT_BOOL)
		return WIRE_RETURN_BOOL;
	if (type->size < 4)
		return WIRE_RETURN_UNKNOWN; /* the rest of the register is not defined */
	if (btf_int_encoding(type) & BTF_INT_SIGNED) {
		bool verdict = !strcmp(function, "__nf_conntrack_confirm") || !strcmp(function, "nf_conntrack_confirm");

		return verdict ? WIRE_RETURN_VERDICT : WIRE_RETURN_INTEGER;
	}
	return prototype__returns_verdict(btf, prototype, function) ? WIRE_RETURN_VERDICT : WIRE_RETURN_UNSIGNED;
}

enum wire_return_kind return_kind__of(const struct btf *btf, uint32_t prototype_id, const char *function)
{
	const struct btf_type *prototype = btf__type_by_id(btf, prototype_id), *type;
	enum wire_return_kind named;

	if (!prototype || !btf_is_func_proto(prototype))
		return WIRE_RETURN_UNKNOWN;
	if (!prototype->type)
		return WIRE_RETURN_VOID;
	named = type__named_kind(btf, prototype->type);
	if (named)
		return named;
	type = btf__type_by_id(btf, kernel_btf__strip(btf, prototype->type));
	if (!type)
		return WIRE_RETURN_UNKNOWN;
	if (btf_is_ptr(type))
		return WIRE_RETURN_POINTER;
	if (btf_is_int(type))
		return number__kind(btf, type, prototype, function);
	return btf_is_any_enum(type) && type->size >= 4 ? WIRE_RETURN_UNSIGNED : WIRE_RETURN_UNKNOWN;
}

const char *return_kind__name(enum wire_return_kind kind)
{
	static const char *const names[] = {
		[WIRE_RETURN_UNKNOWN] = "unknown",
		[WIRE_RETURN_VOID] = "void",
		[WIRE_RETURN_INTEGER] = "integer",
		[WIRE_RETURN_BOOL] = "bool",
		[WIRE_RETURN_VERDICT] = "verdict",
		[WIRE_RETURN_POINTER] = "pointer",
		[WIRE_RETURN_UNSIGNED] = "unsigned",
		[WIRE_RETURN_DROP_REASON] = "drop_reason",
		[WIRE_RETURN_RX_HANDLER] = "rx_handler",
		[WIRE_RETURN_NETDEV_TX] = "netdev_tx",
		[WIRE_RETURN_GRO] = "gro",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}
