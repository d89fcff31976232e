/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#include "facts.h"

#include <linux/filter.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../packet_view.h"

#define BIT(value) (1u << (value))
#define LINK_ADDRESS_BYTES 12

static bool is_jump(const struct classic_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_JMP;
}

static bool is_constant_load(const struct classic_insn *insn)
{
	return BPF_MODE(insn->code) != BPF_IND;
}

uint32_t classic_insn__packet_bytes(const struct classic_insn *insn)
{
	switch (insn->code) {
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_W | BPF_IND:
		return 4;
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_H | BPF_IND:
		return 2;
	case BPF_LD | BPF_B | BPF_ABS:
	case BPF_LD | BPF_B | BPF_IND:
	case BPF_LDX | BPF_B | BPF_MSH:
		return 1;
	}
	return 0;
}

uint64_t fact__furthest_byte(const struct fact *fact, const struct classic_insn *insn)
{
	uint64_t offset = insn->k;

	if (!is_constant_load(insn))
		offset += fact->max[VALUE_X];
	return offset + classic_insn__packet_bytes(insn);
}

/* Linux gives loads from these offsets meanings of its own; libpcap uses them for `inbound` and the like. */
static bool is_kernel_extension(const struct classic_insn *insn)
{
	return classic_insn__packet_bytes(insn) && insn->k - (uint32_t)SKF_AD_OFF < SKF_AD_MAX;
}

/* A load whose constant part alone is beyond any packet. libpcap makes one for a negative offset (`ether[-1]`). */
static bool never_loads(const struct classic_insn *insn)
{
	uint32_t bytes = classic_insn__packet_bytes(insn);

	return bytes && (uint64_t)insn->k + bytes > UINT32_MAX;
}

uint32_t facts__resolve(const struct classic_program *program, size_t index)
{
	const struct classic_insn *insn = &program->insns[index];

	while (insn->code == (BPF_JMP | BPF_JA))
		insn += 1 + insn->k;
	if (insn->code == (BPF_RET | BPF_K))
		return insn->k ? LABEL_ACCEPT : LABEL_REJECT;
	if (never_loads(insn))
		return LABEL_REJECT;
	return insn - program->insns;
}

/* ---- is it a program that can be translated ----------------------------------------------------------------------- */

static bool is_known_operation(const struct classic_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		return classic_insn__packet_bytes(insn) || insn->code == (BPF_LD | BPF_W | BPF_LEN) ||
		       insn->code == (BPF_LD | BPF_IMM) || (insn->code == (BPF_LD | BPF_MEM) && insn->k < BPF_MEMWORDS);
	case BPF_LDX:
		return classic_insn__packet_bytes(insn) || insn->code == (BPF_LDX | BPF_W | BPF_LEN) ||
		       insn->code == (BPF_LDX | BPF_IMM) ||
		       (insn->code == (BPF_LDX | BPF_MEM) && insn->k < BPF_MEMWORDS);
	case BPF_ST:
	case BPF_STX:
		return BPF_CLASS(insn->code) == insn->code && insn->k < BPF_MEMWORDS;
	case BPF_ALU:
		if (insn->code == (BPF_ALU | BPF_DIV | BPF_K) || insn->code == (BPF_ALU | BPF_MOD | BPF_K))
			return insn->k != 0;
		if (insn->code == (BPF_ALU | BPF_LSH | BPF_K) || insn->code == (BPF_ALU | BPF_RSH | BPF_K))
			return insn->k < 32;
		return BPF_OP(insn->code) <= BPF_XOR && (insn->code & ~(BPF_ALU | BPF_X | 0xf0)) == 0;
	case BPF_JMP:
		return BPF_OP(insn->code) <= BPF_JSET && (insn->code & ~(BPF_JMP | BPF_X | 0xf0)) == 0;
	case BPF_RET:
		return insn->code == (BPF_RET | BPF_K) || insn->code == (BPF_RET | BPF_A);
	default:
		return insn->code == (BPF_MISC | BPF_TAX) || insn->code == (BPF_MISC | BPF_TXA);
	}
}

static int check(const struct classic_program *program, char *message, size_t message_bytes)
{
	for (size_t i = 0; i < program->count; i++) {
		const struct classic_insn *insn = &program->insns[i];
		uint64_t longest = insn->jump_true > insn->jump_false ? insn->jump_true : insn->jump_false;
		size_t room = program->count - i - 1;

		if (!is_known_operation(insn)) {
			snprintf(message, message_bytes,
				 "instruction %zu of the compiled filter has an unknown code 0x%x", i, insn->code);
			return -1;
		}
		if (is_kernel_extension(insn)) {
			snprintf(message, message_bytes,
				 "it asks for something that is not in the packet (inbound, outbound); "
				 "choose by address, or use --interface");
			return -1;
		}
		if (insn->code == (BPF_JMP | BPF_JA)) {
			if ((int32_t)insn->k < 0) {
				snprintf(message, message_bytes,
					 "protochain needs a loop, which a filter in the kernel cannot have; "
					 "use proto instead");
				return -1;
			}
			longest = insn->k;
		}
		if (BPF_CLASS(insn->code) != BPF_RET && (is_jump(insn) ? longest : 0) >= room) {
			snprintf(message, message_bytes, "instruction %zu of the compiled filter leaves it", i);
			return -1;
		}
	}
	return 0;
}

/* ---- bounds of values --------------------------------------------------------------------------------------------- */

static uint32_t saturate(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : value;
}

/* The largest value that has no more bits than `value`. */
static uint32_t fill_bits(uint32_t value)
{
	for (unsigned shift = 1; shift < 32; shift *= 2)
		value |= value >> shift;
	return value;
}

static uint32_t bound_arithmetic(const struct classic_insn *insn, uint64_t a, uint64_t x)
{
	bool constant = BPF_SRC(insn->code) == BPF_K;
	uint64_t operand = constant ? insn->k : x;

	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		return saturate(a + operand);
	case BPF_MUL:
		return saturate(a * operand);
	case BPF_DIV:
		return constant ? a / operand : a;
	case BPF_MOD:
		return constant && operand - 1 < a ? operand - 1 : a;
	case BPF_AND:
		return a < operand ? a : operand;
	case BPF_OR:
	case BPF_XOR:
		return fill_bits(a | operand);
	case BPF_LSH:
		return constant ? saturate(a << operand) : UINT32_MAX;
	case BPF_RSH:
		return constant ? a >> operand : a;
	default:
		return UINT32_MAX;
	}
}

static uint32_t bound_load(const struct classic_insn *insn, const struct fact *before)
{
	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		return insn->k;
	case BPF_MEM:
		return before->max[insn->k];
	case BPF_MSH:
		return 15 * 4;
	case BPF_LEN:
		return UINT32_MAX;
	default:
		return (uint32_t)((1ull << (8 * classic_insn__packet_bytes(insn))) - 1);
	}
}

/* ---- one pass over the program ------------------------------------------------------------------------------------ */

static uint32_t reads(const struct classic_insn *insn)
{
	uint32_t index_operand = BPF_SRC(insn->code) == BPF_X ? BIT(VALUE_X) : 0;

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
	case BPF_LDX:
		if (BPF_MODE(insn->code) == BPF_MEM)
			return BIT(insn->k);
		return BPF_MODE(insn->code) == BPF_IND ? BIT(VALUE_X) : 0;
	case BPF_STX:
		return BIT(VALUE_X);
	case BPF_ALU:
		return BIT(VALUE_A) | (BPF_OP(insn->code) == BPF_NEG ? 0 : index_operand);
	case BPF_JMP:
		return BPF_OP(insn->code) == BPF_JA ? 0 : BIT(VALUE_A) | index_operand;
	case BPF_RET:
		return insn->code == (BPF_RET | BPF_A) ? BIT(VALUE_A) : 0;
	case BPF_MISC:
		return insn->code == (BPF_MISC | BPF_TXA) ? BIT(VALUE_X) : BIT(VALUE_A);
	default:
		return BIT(VALUE_A);
	}
}

static void write_value(struct fact *fact, unsigned value, uint32_t max)
{
	fact->max[value] = max;
	fact->written |= BIT(value);
}

static struct fact after(const struct classic_insn *insn, const struct fact *before)
{
	struct fact fact = *before;
	uint64_t filled = classic_insn__packet_bytes(insn) ? (uint64_t)insn->k + classic_insn__packet_bytes(insn) : 0;

	if (filled > PACKET_VIEW_CERTAIN)
		filled = PACKET_VIEW_CERTAIN;
	if (filled > fact.window_bytes)
		fact.window_bytes = filled;
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		write_value(&fact, VALUE_A, bound_load(insn, before));
		break;
	case BPF_LDX:
		write_value(&fact, VALUE_X, bound_load(insn, before));
		break;
	case BPF_ST:
		write_value(&fact, insn->k, before->max[VALUE_A]);
		break;
	case BPF_STX:
		write_value(&fact, insn->k, before->max[VALUE_X]);
		break;
	case BPF_ALU:
		write_value(&fact, VALUE_A, bound_arithmetic(insn, before->max[VALUE_A], before->max[VALUE_X]));
		break;
	case BPF_MISC:
		if (insn->code == (BPF_MISC | BPF_TXA))
			write_value(&fact, VALUE_A, before->max[VALUE_X]);
		else
			write_value(&fact, VALUE_X, before->max[VALUE_A]);
		break;
	}
	return fact;
}

static void merge(struct fact *into, const struct fact *from)
{
	if (!into->reached) {
		*into = *from;
		return;
	}
	into->written &= from->written;
	if (from->window_bytes < into->window_bytes)
		into->window_bytes = from->window_bytes;
	for (unsigned value = 0; value < VALUE_COUNT; value++)
		if (from->max[value] > into->max[value])
			into->max[value] = from->max[value];
}

static void flow_to(const struct classic_program *program, struct facts *facts, size_t index, const struct fact *fact)
{
	uint32_t target = facts__resolve(program, index);

	if (target < program->count)
		merge(&facts->at[target], fact);
}

static void note_load(struct facts *facts, const struct classic_insn *insn, const struct fact *before)
{
	if (!classic_insn__packet_bytes(insn))
		return;
	if (insn->k < LINK_ADDRESS_BYTES)
		facts->reads_link_addresses = true;
	if (fact__furthest_byte(before, insn) > PACKET_VIEW_CERTAIN)
		facts->needs_far = true;
	if (!is_constant_load(insn) || fact__furthest_byte(before, insn) <= PACKET_VIEW_CERTAIN)
		facts->needs_window = true;
}

static void visit(const struct classic_program *program, struct facts *facts, size_t index)
{
	const struct classic_insn *insn = &program->insns[index];
	const struct fact *before = &facts->at[index];
	struct fact next = after(insn, before);

	facts->needs_zero |= reads(insn) & ~before->written;
	note_load(facts, insn, before);
	if (BPF_CLASS(insn->code) == BPF_RET)
		return;
	if (is_jump(insn)) {
		flow_to(program, facts, index + 1 + insn->jump_true, &next);
		flow_to(program, facts, index + 1 + insn->jump_false, &next);
	} else {
		flow_to(program, facts, index + 1, &next);
	}
}

int facts__gather(const struct classic_program *program, struct facts *out, char *message, size_t message_bytes)
{
	struct fact start = { .reached = true };

	memset(out, 0, sizeof(*out));
	if (check(program, message, message_bytes))
		return -1;
	out->at = calloc(program->count, sizeof(*out->at));
	if (!out->at) {
		snprintf(message, message_bytes, "out of memory");
		return -1;
	}
	flow_to(program, out, 0, &start);
	for (size_t i = 0; i < program->count; i++)
		if (out->at[i].reached)
			visit(program, out, i);
	return 0;
}

void facts__free(struct facts *facts)
{
	free(facts->at);
	memset(facts, 0, sizeof(*facts));
}
