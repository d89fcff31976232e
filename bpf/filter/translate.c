/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Classic BPF to eBPF.
 *
 * Two allocations of registers: a filter that stays in the window calls no helper and needs only r0 to r5, so that
 * the JIT saves nothing on entry; one that may look further keeps its values in r6 to r9 across the helper's calls.
 * All jumps are made to labels (indices of classic instructions, or an end) and given offsets at the end.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../packet_view.h"
#include "classic.h"
#include "facts.h"
#include "filter.h"

#define LABEL_NONE 0xffffffffu
#define LABEL_END 0xfffffffcu

/* The stack, from its top: one word for what the helper reads, then the scratch memory. */
#define FAR_WORD (-8)
#define MEMORY_WORD(index) (-FILTER_STACK_BYTES + 4 * (int)(index))

struct translator {
	const struct classic_program *program;
	struct facts facts;
	struct bpf_insn *insns;
	uint32_t *labels;    /* where the jump at the same index goes, LABEL_NONE: its offset is right, or no jump */
	uint32_t *positions; /* of each classic instruction in insns */
	size_t count;
	size_t capacity;
	bool out_of_memory;
	uint8_t a, x, view, window; /* registers */
};

/* ---- emitting ----------------------------------------------------------------------------------------------------- */

static bool reserve(struct translator *t)
{
	size_t capacity = t->capacity ? 2 * t->capacity : 64;
	struct bpf_insn *insns;
	uint32_t *labels;

	if (t->count < t->capacity)
		return true;
	insns = realloc(t->insns, capacity * sizeof(*insns));
	if (insns)
		t->insns = insns;
	labels = realloc(t->labels, capacity * sizeof(*labels));
	if (labels)
		t->labels = labels;
	t->out_of_memory = t->out_of_memory || !insns || !labels;
	if (!t->out_of_memory)
		t->capacity = capacity;
	return !t->out_of_memory;
}

static void emit_to(struct translator *t, uint32_t label, struct bpf_insn insn)
{
	if (!reserve(t))
		return;
	t->labels[t->count] = label;
	t->insns[t->count++] = insn;
}

static void emit(struct translator *t, uint8_t code, uint8_t dst, uint8_t src, int16_t off, uint32_t imm)
{
	emit_to(t, LABEL_NONE,
		(struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = (int32_t)imm });
}

static void emit_goto(struct translator *t, uint32_t label)
{
	emit_to(t, label, (struct bpf_insn){ .code = BPF_JMP | BPF_JA });
}

/* `code` is BPF_JMP (64 bits) or BPF_JMP32, with the condition and BPF_K. */
static void emit_if(struct translator *t, uint8_t code, uint8_t dst, uint32_t imm, uint32_t label)
{
	emit_to(t, label, (struct bpf_insn){ .code = code, .dst_reg = dst, .imm = (int32_t)imm });
}

static void emit_if_register(struct translator *t, uint8_t code, uint8_t dst, uint8_t src, uint32_t label)
{
	emit_to(t, label, (struct bpf_insn){ .code = code | BPF_X, .dst_reg = dst, .src_reg = src });
}

static void emit_move(struct translator *t, uint8_t dst, uint8_t src)
{
	emit(t, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void emit_move_32(struct translator *t, uint8_t dst, uint8_t src)
{
	emit(t, BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void emit_constant(struct translator *t, uint8_t dst, uint32_t value)
{
	emit(t, BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, value);
}

static void emit_load(struct translator *t, uint8_t size, uint8_t dst, uint8_t base, int16_t offset)
{
	emit(t, BPF_LDX | BPF_MEM | size, dst, base, offset, 0);
}

static void emit_store(struct translator *t, uint8_t size, uint8_t base, int16_t offset, uint8_t src)
{
	emit(t, BPF_STX | BPF_MEM | size, base, src, offset, 0);
}

/* 64 bits: the immediate of an addition is sign-extended, so a large constant goes through a register. */
static void emit_add_constant(struct translator *t, uint8_t dst, uint32_t value, uint8_t spare)
{
	if (value <= INT32_MAX) {
		if (value)
			emit(t, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value);
		return;
	}
	emit_constant(t, spare, value);
	emit(t, BPF_ALU64 | BPF_ADD | BPF_X, dst, spare, 0, 0);
}

static void emit_from_network_order(struct translator *t, uint8_t reg, uint32_t bytes)
{
	if (bytes > 1)
		emit(t, BPF_ALU | BPF_END | BPF_TO_BE, reg, 0, 0, 8 * bytes);
}

/* A jump over instructions whose number is not known yet: give it to land_here. */
static size_t emit_skip(struct translator *t, uint8_t code, uint8_t dst, uint32_t imm)
{
	emit(t, code, dst, 0, 0, imm);
	return t->count - 1;
}

static void land_here(struct translator *t, size_t skip)
{
	if (!t->out_of_memory)
		t->insns[skip].off = t->count - skip - 1;
}

/* ---- packet loads ------------------------------------------------------------------------------------------------- */

static uint8_t size_of(uint32_t bytes)
{
	return bytes == 4 ? BPF_W : bytes == 2 ? BPF_H : BPF_B;
}

/* dst = the bytes at far_base + r4. What is not readable does not match, as if the packet ended before it. */
static void emit_far_read(struct translator *t, uint8_t dst, uint32_t bytes)
{
	emit_move(t, BPF_REG_1, BPF_REG_10);
	emit(t, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, FAR_WORD);
	emit_constant(t, BPF_REG_2, bytes);
	emit_load(t, BPF_DW, BPF_REG_3, t->view, offsetof(struct packet_view, far_base));
	emit(t, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_3, BPF_REG_4, 0, 0);
	emit(t, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel);
	emit_if(t, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, LABEL_REJECT);
	emit_load(t, size_of(bytes), dst, BPF_REG_10, FAR_WORD);
}

static void emit_constant_load(struct translator *t, const struct classic_insn *insn, const struct fact *fact,
			       uint8_t dst)
{
	uint32_t bytes = classic_insn__packet_bytes(insn);
	uint32_t end = insn->k + bytes; /* facts__resolve turned away what does not fit 32 bits */

	if (end <= PACKET_VIEW_CERTAIN) {
		if (end > fact->window_bytes)
			emit_if(t, BPF_JMP32 | BPF_JLT | BPF_K, t->window, end, LABEL_REJECT);
		emit_load(t, size_of(bytes), dst, t->view, offsetof(struct packet_view, bytes) + insn->k);
		return;
	}
	emit_load(t, BPF_W, BPF_REG_3, t->view, offsetof(struct packet_view, buffer_bytes));
	emit_if(t, BPF_JMP32 | BPF_JLT | BPF_K, BPF_REG_3, end, LABEL_REJECT);
	emit_constant(t, BPF_REG_4, insn->k);
	emit_far_read(t, dst, bytes);
}

/* dst = the bytes at X + k. r4 holds the offset in 64 bits, so the sum cannot wrap. */
static void emit_indirect_load(struct translator *t, const struct classic_insn *insn, const struct fact *fact,
			       uint8_t dst)
{
	uint32_t bytes = classic_insn__packet_bytes(insn);
	bool may_be_far = fact__furthest_byte(fact, insn) > PACKET_VIEW_CERTAIN;
	size_t to_far, to_done;

	emit_move_32(t, BPF_REG_4, t->x);
	emit_add_constant(t, BPF_REG_4, insn->k, BPF_REG_5);
	emit_move(t, BPF_REG_5, BPF_REG_4);
	emit_add_constant(t, BPF_REG_5, bytes, BPF_REG_0);
	to_far = t->count;
	emit_if_register(t, BPF_JMP | BPF_JGT, BPF_REG_5, t->window, may_be_far ? LABEL_NONE : LABEL_REJECT);
	/* Changes nothing, but the verifier does not know that: it cannot follow the comparison of two registers. A
	 * comparison with a constant would not do: on some ways that are never taken it draws wrong conclusions. */
	emit(t, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_4, 0, 0, PACKET_VIEW_INDEX_MASK);
	emit(t, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_4, t->view, 0, 0);
	emit_load(t, size_of(bytes), dst, BPF_REG_4, offsetof(struct packet_view, bytes));
	if (!may_be_far)
		return;
	to_done = t->count;
	emit_goto(t, LABEL_NONE);
	land_here(t, to_far);
	emit_load(t, BPF_W, BPF_REG_3, t->view, offsetof(struct packet_view, buffer_bytes));
	emit_if_register(t, BPF_JMP | BPF_JGT, BPF_REG_5, BPF_REG_3, LABEL_REJECT);
	emit_far_read(t, dst, bytes);
	land_here(t, to_done);
}

static void emit_packet_load(struct translator *t, const struct classic_insn *insn, const struct fact *fact)
{
	uint8_t dst = BPF_CLASS(insn->code) == BPF_LD ? t->a : t->x;

	if (BPF_MODE(insn->code) == BPF_IND)
		emit_indirect_load(t, insn, fact, dst);
	else
		emit_constant_load(t, insn, fact, dst);
	emit_from_network_order(t, dst, classic_insn__packet_bytes(insn));
	if (BPF_MODE(insn->code) == BPF_MSH) {
		emit(t, BPF_ALU | BPF_AND | BPF_K, dst, 0, 0, 0xf);
		emit(t, BPF_ALU | BPF_LSH | BPF_K, dst, 0, 0, 2);
	}
}

/* ---- the other instructions --------------------------------------------------------------------------------------- */

static void emit_value_load(struct translator *t, const struct classic_insn *insn)
{
	uint8_t dst = BPF_CLASS(insn->code) == BPF_LD ? t->a : t->x;

	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		emit_constant(t, dst, insn->k);
		break;
	case BPF_LEN:
		emit_load(t, BPF_W, dst, t->view, offsetof(struct packet_view, wire_bytes));
		break;
	default:
		emit_load(t, BPF_W, dst, BPF_REG_10, MEMORY_WORD(insn->k));
	}
}

static void emit_arithmetic(struct translator *t, const struct classic_insn *insn)
{
	uint8_t operation = BPF_OP(insn->code);

	if (operation == BPF_NEG) {
		emit(t, BPF_ALU | BPF_NEG, t->a, 0, 0, 0);
		return;
	}
	if (BPF_SRC(insn->code) == BPF_K) {
		emit(t, BPF_ALU | operation | BPF_K, t->a, 0, 0, insn->k);
		return;
	}
	/* eBPF divides by 0 to 0 and shifts by X modulo 32; in libpcap the one does not match, the other gives 0. */
	if (operation == BPF_DIV || operation == BPF_MOD)
		emit_if(t, BPF_JMP32 | BPF_JEQ | BPF_K, t->x, 0, LABEL_REJECT);
	if (operation == BPF_LSH || operation == BPF_RSH) {
		size_t in_range = emit_skip(t, BPF_JMP32 | BPF_JLT | BPF_K, t->x, 32);

		emit_constant(t, t->a, 0);
		land_here(t, in_range);
	}
	emit(t, BPF_ALU | operation | BPF_X, t->a, t->x, 0, 0);
}

static void emit_condition(struct translator *t, const struct classic_insn *insn, uint8_t condition, uint32_t label)
{
	if (BPF_SRC(insn->code) == BPF_X)
		emit_if_register(t, BPF_JMP32 | condition, t->a, t->x, label);
	else
		emit_if(t, BPF_JMP32 | condition | BPF_K, t->a, insn->k, label);
}

/* The condition that holds when `condition` does not; JSET has none. */
static uint8_t inverse(uint8_t condition)
{
	switch (condition) {
	case BPF_JEQ:
		return BPF_JNE;
	case BPF_JGT:
		return BPF_JLE;
	case BPF_JGE:
		return BPF_JLT;
	default:
		return 0;
	}
}

static void emit_branch(struct translator *t, size_t index)
{
	const struct classic_insn *insn = &t->program->insns[index];
	uint32_t if_true = facts__resolve(t->program, index + 1 + insn->jump_true);
	uint32_t if_false = facts__resolve(t->program, index + 1 + insn->jump_false);
	uint8_t condition = BPF_OP(insn->code);

	if (if_true == if_false) {
		if (if_true != index + 1)
			emit_goto(t, if_true);
	} else if (if_true == index + 1 && inverse(condition)) {
		emit_condition(t, insn, inverse(condition), if_false);
	} else {
		emit_condition(t, insn, condition, if_true);
		if (if_false != index + 1)
			emit_goto(t, if_false);
	}
}

/* A straight-line instruction before an end, or before an unconditional jump. */
static void emit_fall_through(struct translator *t, size_t index)
{
	uint32_t next = facts__resolve(t->program, index + 1);

	if (next != index + 1)
		emit_goto(t, next);
}

static void emit_return_accumulator(struct translator *t)
{
	emit_if(t, BPF_JMP32 | BPF_JNE | BPF_K, t->a, 0, LABEL_ACCEPT);
	emit_goto(t, LABEL_REJECT);
}

static void emit_insn(struct translator *t, size_t index)
{
	const struct classic_insn *insn = &t->program->insns[index];

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
	case BPF_LDX:
		if (classic_insn__packet_bytes(insn))
			emit_packet_load(t, insn, &t->facts.at[index]);
		else
			emit_value_load(t, insn);
		break;
	case BPF_ST:
		emit_store(t, BPF_W, BPF_REG_10, MEMORY_WORD(insn->k), t->a);
		break;
	case BPF_STX:
		emit_store(t, BPF_W, BPF_REG_10, MEMORY_WORD(insn->k), t->x);
		break;
	case BPF_ALU:
		emit_arithmetic(t, insn);
		break;
	case BPF_JMP:
		emit_branch(t, index);
		return;
	case BPF_RET:
		emit_return_accumulator(t);
		return;
	default:
		emit_move_32(t, insn->code == (BPF_MISC | BPF_TXA) ? t->a : t->x,
			     insn->code == (BPF_MISC | BPF_TXA) ? t->x : t->a);
	}
	emit_fall_through(t, index);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static void choose_registers(struct translator *t)
{
	bool far = t->facts.needs_far;

	t->a = far ? BPF_REG_6 : BPF_REG_0;
	t->x = far ? BPF_REG_7 : BPF_REG_2;
	t->view = far ? BPF_REG_8 : BPF_REG_1;
	t->window = far ? BPF_REG_9 : BPF_REG_3;
}

static void emit_start(struct translator *t)
{
	uint32_t zero = t->facts.needs_zero;

	if (t->view != BPF_REG_1)
		emit_move(t, t->view, BPF_REG_1);
	if (t->facts.needs_window)
		emit_load(t, BPF_W, t->window, t->view, offsetof(struct packet_view, window_bytes));
	if (zero & 1u << VALUE_A)
		emit_constant(t, t->a, 0);
	if (zero & 1u << VALUE_X)
		emit_constant(t, t->x, 0);
	for (unsigned word = 0; word < BPF_MEMWORDS; word++)
		if (zero & 1u << word)
			emit(t, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, MEMORY_WORD(word), 0);
}

static bool has_jump_to(const struct translator *t, uint32_t label)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->labels[i] == label)
			return true;
	return false;
}

static void resolve_jumps(struct translator *t, uint32_t label, size_t position)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->labels[i] == label)
			t->insns[i].off = position - i - 1;
}

/* Gives every jump to a classic instruction its offset. */
static void resolve_inner_jumps(struct translator *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->labels[i] < t->program->count)
			t->insns[i].off = t->positions[t->labels[i]] - i - 1;
}

/* The two ends, as far as they are used: an instruction that is not reached would be refused. The last instruction
 * is a jump to one of them; that end takes its place. */
static void emit_ends(struct translator *t)
{
	uint32_t first = t->labels[t->count - 1];
	uint32_t second = first == LABEL_ACCEPT ? LABEL_REJECT : LABEL_ACCEPT;
	bool both = has_jump_to(t, second);

	t->count--;
	resolve_jumps(t, first, t->count);
	emit_constant(t, BPF_REG_0, first == LABEL_ACCEPT);
	if (!both)
		return;
	emit_goto(t, LABEL_END);
	resolve_jumps(t, second, t->count);
	emit_constant(t, BPF_REG_0, second == LABEL_ACCEPT);
	resolve_jumps(t, LABEL_END, t->count);
}

static void emit_program(struct translator *t)
{
	uint32_t start = facts__resolve(t->program, 0);

	choose_registers(t);
	emit_start(t);
	if (start != 0)
		emit_goto(t, start);
	for (size_t i = 0; i < t->program->count; i++) {
		if (!t->facts.at[i].reached)
			continue;
		t->positions[i] = t->count;
		emit_insn(t, i);
	}
	if (t->out_of_memory)
		return;
	resolve_inner_jumps(t);
	emit_ends(t);
}

static int finish(struct translator *t, struct filter_program *out, char *message, size_t message_bytes)
{
	if (t->out_of_memory) {
		snprintf(message, message_bytes, "out of memory");
		return -1;
	}
	if (t->count > FILTER_MAX_INSNS) {
		snprintf(message, message_bytes,
			 "too long: %zu instructions, at most %d fit; use fewer or simpler terms", t->count,
			 FILTER_MAX_INSNS);
		return -1;
	}
	out->insns = t->insns;
	out->count = t->count;
	out->matches_everything = facts__resolve(t->program, 0) == LABEL_ACCEPT;
	out->reads_link_addresses = t->facts.reads_link_addresses;
	t->insns = NULL;
	return 0;
}

int classic__translate(const struct classic_program *program, struct filter_program *out, char *message,
		       size_t message_bytes)
{
	struct translator t = { .program = program };
	int result = -1;

	memset(out, 0, sizeof(*out));
	if (facts__gather(program, &t.facts, message, message_bytes))
		return -1;
	t.positions = calloc(program->count, sizeof(*t.positions));
	t.out_of_memory = !t.positions;
	if (!t.out_of_memory)
		emit_program(&t);
	result = finish(&t, out, message, message_bytes);
	free(t.insns);
	free(t.labels);
	free(t.positions);
	facts__free(&t.facts);
	return result;
}
