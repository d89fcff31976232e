/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Random classic programs: what libpcap would never write must be translated right, too. */
#include <linux/filter.h>
#include <stdbool.h>

#include "cases.h"

static void add(struct classic_program *program, uint16_t code, uint32_t k)
{
	program->insns[program->count++] = (struct classic_insn){ .code = code, .k = k };
}

static uint32_t random_offset(struct random *random)
{
	uint32_t kind = random__below(random, 100);

	if (kind < 55)
		return random__below(random, 60);
	if (kind < 75)
		return 180 + random__below(random, 20);
	if (kind < 90)
		return random__below(random, 420);
	if (kind < 97)
		return random__below(random, PACKET_MAX_BYTES + 8);
	/* Beyond any packet, also such that a sum wraps; not among the kernel's extensions, which are refused. */
	return random__chance(random, 50) ? UINT32_MAX - random__below(random, 64) :
					    0x7fffff00 + random__below(random, 512);
}

static uint32_t random_constant(struct random *random)
{
	static const uint32_t edges[] = { 0, 1, 2, 31, 32, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff };

	if (random__chance(random, 40))
		return PICK(random, edges);
	return random__next(random) >> random__below(random, 64);
}

static void add_packet_load(struct classic_program *program, struct random *random)
{
	static const uint16_t sizes[] = { BPF_W, BPF_H, BPF_B };

	if (random__chance(random, 15))
		add(program, BPF_LDX | BPF_B | BPF_MSH, random_offset(random));
	else
		add(program, BPF_LD | PICK(random, sizes) | (random__chance(random, 50) ? BPF_IND : BPF_ABS),
		    random_offset(random));
}

static void add_value_load(struct classic_program *program, struct random *random, bool memory)
{
	uint16_t class = random__chance(random, 50) ? BPF_LD : BPF_LDX;
	uint32_t kind = random__below(random, 3);

	if (kind == 0)
		add(program, class | BPF_W | BPF_LEN, 0);
	else if (kind == 1 && memory)
		add(program, class | BPF_MEM, random__below(random, BPF_MEMWORDS));
	else
		add(program, class | BPF_IMM, random_constant(random));
}

static void add_arithmetic(struct classic_program *program, struct random *random)
{
	static const uint16_t operations[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND,
					       BPF_LSH, BPF_RSH, BPF_NEG, BPF_MOD, BPF_XOR };
	uint16_t operation = PICK(random, operations);
	uint32_t k = random_constant(random);

	if (operation == BPF_NEG) {
		add(program, BPF_ALU | BPF_NEG, 0);
	} else if (random__chance(random, 40)) {
		if (random__chance(random, 30))
			add(program, BPF_LDX | BPF_IMM,
			    random__chance(random, 50) ? k : random__between(random, 30, 33));
		add(program, BPF_ALU | operation | BPF_X, 0);
	} else {
		if (operation == BPF_LSH || operation == BPF_RSH)
			k &= 31;
		if ((operation == BPF_DIV || operation == BPF_MOD) && !k)
			k = 7;
		add(program, BPF_ALU | operation | BPF_K, k);
	}
}

/* `limit`: the last index that a jump may reach. */
static void add_jump(struct classic_program *program, struct random *random, size_t limit)
{
	static const uint16_t conditions[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	size_t room = limit - program->count - 1;
	uint32_t reach = room < 12 ? room : 12;
	struct classic_insn *insn = &program->insns[program->count];

	if (random__chance(random, 10)) {
		add(program, BPF_JMP | BPF_JA, random__below(random, reach + 1));
		return;
	}
	add(program, BPF_JMP | PICK(random, conditions) | (random__chance(random, 30) ? BPF_X : BPF_K),
	    random_constant(random));
	insn->jump_true = random__below(random, reach + 1);
	insn->jump_false = random__chance(random, 50) ? 0 : random__below(random, reach + 1);
}

/* Values come back into a range where loads by X are inside a packet. */
static void add_reduction(struct classic_program *program, struct random *random)
{
	static const uint32_t masks[] = { 0xf, 0x3f, 0x7f, 0xff, 0x1ff };

	static const uint16_t changes[] = { BPF_ADD, BPF_MUL, BPF_LSH, BPF_RSH, BPF_OR, BPF_XOR, BPF_DIV, BPF_MOD };
	uint16_t change = PICK(random, changes);
	uint32_t operand = 1 + random__below(random, change == BPF_LSH || change == BPF_RSH ? 4 :
						     change == BPF_MUL                      ? 20 :
											      300);

	add(program, BPF_ALU | BPF_AND | BPF_K, PICK(random, masks));
	if (random__chance(random, 40)) {
		add(program, BPF_ALU | change | BPF_K, operand);
	} else if (random__chance(random, 40)) {
		add(program, BPF_LDX | BPF_IMM, operand);
		add(program, BPF_ALU | change | BPF_X, 0);
	}
	add(program, BPF_MISC | BPF_TAX, 0);
	if (random__chance(random, 50))
		add_packet_load(program, random);
}

static void add_insn(struct classic_program *program, struct random *random, bool memory, size_t limit)
{
	uint32_t kind = random__below(random, 100);

	if (kind < 25)
		add_packet_load(program, random);
	else if (kind < 35)
		add_value_load(program, random, memory);
	else if (kind < 55)
		add_arithmetic(program, random);
	else if (kind < 70)
		add_reduction(program, random);
	else if (kind < 78 && memory)
		add(program, random__chance(random, 50) ? BPF_ST : BPF_STX, random__below(random, BPF_MEMWORDS));
	else if (kind < 84)
		add(program, BPF_MISC | (random__chance(random, 50) ? BPF_TAX : BPF_TXA), 0);
	else if (kind < 98)
		add_jump(program, random, limit);
	else
		add(program, BPF_RET | (random__chance(random, 50) ? BPF_A : BPF_K), random__below(random, 2));
}

void classic__generate(struct classic_program *program, struct random *random)
{
	bool memory = random__chance(random, 50);
	size_t body = random__chance(random, 3) ? random__between(random, 100, CLASSIC_MAX_INSNS - 40) :
						  random__between(random, 0, 60);

	program->count = 0;
	/* libpcap's interpreter may start with garbage in its scratch memory. */
	for (uint32_t word = 0; memory && word < BPF_MEMWORDS; word++)
		add(program, BPF_ST, word);
	while (program->count < body)
		add_insn(program, random, memory, body + 2);
	/* An end that every bit of the result can change. */
	if (random__chance(random, 60)) {
		add(program, BPF_JMP | BPF_JSET | BPF_K, 1u << random__below(random, 32));
		program->insns[program->count - 1].jump_false = 1;
		add(program, BPF_RET | BPF_K, 262144);
		add(program, BPF_RET | BPF_K, 0);
	}
	for (int i = 0; i < 3; i++)
		add(program, BPF_RET | BPF_A, 0);
}
