/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#include "filter.h"

#include <ctype.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classic.h"

#define QUOTED_COLUMNS 72 /* of the expression in the first line of a message */
#define MARGIN_COLUMNS 48 /* of the expression on each side of the caret */
#define MESSAGE_BYTES 512

/* ---- messages ----------------------------------------------------------------------------------------------------- */

/* One column a character: what a terminal would not show as itself becomes `?`. */
static size_t show(const char *text, size_t length, size_t columns, char *out)
{
	size_t shown = 0;

	for (size_t i = 0; i < length && text[i] && shown < columns; i++) {
		unsigned char c = text[i];

		if ((c & 0xc0) == 0x80)
			continue; /* inside a UTF-8 character */
		out[shown++] = isspace(c) ? ' ' : c >= 0x20 && c < 0x7f ? c : '?';
	}
	out[shown] = '\0';
	return shown;
}

static size_t column_of(const char *expression, size_t offset)
{
	size_t column = 1;

	for (size_t i = 0; i < offset; i++)
		column += (expression[i] & 0xc0) != 0x80;
	return column;
}

/* The expression around the column, and a caret under it. */
static void append_caret(const char *expression, size_t column, char *error, size_t error_bytes)
{
	size_t used = strlen(error);
	size_t skip = column > MARGIN_COLUMNS + 1 ? column - MARGIN_COLUMNS - 1 : 0;
	char shown[2 * MARGIN_COLUMNS + 1];
	const char *start = expression;

	for (size_t columns = 0; columns < skip; columns++) {
		start++;
		while ((*start & 0xc0) == 0x80)
			start++;
	}
	show(start, strlen(start), 2 * MARGIN_COLUMNS, shown);
	snprintf(error + used, error_bytes - used, "\n  %s\n  %*s^", shown, (int)(column - 1 - skip), "");
}

static void describe(const char *expression, const char *message, char *error, size_t error_bytes)
{
	char shown[QUOTED_COLUMNS + 1];
	bool cut = show(expression, strlen(expression), QUOTED_COLUMNS, shown) == QUOTED_COLUMNS;

	snprintf(error, error_bytes, "invalid filter: \"%s%s\": %s", shown, cut ? "..." : "", message);
}

static void describe_at(const char *expression, const char *message, size_t offset, size_t length, char *error,
			size_t error_bytes)
{
	size_t column = column_of(expression, offset);
	char token[QUOTED_COLUMNS + 1];
	size_t used;

	describe(expression, message, error, error_bytes);
	used = strlen(error);
	if (length) {
		show(expression + offset, length, QUOTED_COLUMNS, token);
		snprintf(error + used, error_bytes - used, ", at column %zu (\"%s\")", column, token);
	} else {
		snprintf(error + used, error_bytes - used, ", at column %zu (the end)", column);
	}
	append_caret(expression, column, error, error_bytes);
}

static void describe_libpcap(const char *expression, const char *message, char *error, size_t error_bytes)
{
	static const char preamble[] = "can't parse filter expression: ";
	char attributed[MESSAGE_BYTES + sizeof(" (libpcap)")];
	size_t offset, length;

	if (!strncmp(message, preamble, strlen(preamble)))
		message += strlen(preamble);
	snprintf(attributed, sizeof(attributed), "%s (libpcap)", message);
	if (classic__locate_error(expression, message, &offset, &length))
		describe(expression, attributed, error, error_bytes);
	else
		describe_at(expression, attributed, offset, length, error, error_bytes);
}

/* ---- compiling ---------------------------------------------------------------------------------------------------- */

static bool is_blank(const char *expression)
{
	return !expression || expression[strspn(expression, " \t\r\n")] == '\0';
}

static int check_text(const char *expression, char *error, size_t error_bytes)
{
	size_t length = strlen(expression);
	char message[MESSAGE_BYTES];

	if (length > FILTER_MAX_EXPRESSION_BYTES) {
		snprintf(message, sizeof(message),
			 "%zu bytes long, at most %d are allowed; use `net` or `portrange` for lists", length,
			 FILTER_MAX_EXPRESSION_BYTES);
		describe(expression, message, error, error_bytes);
		return -1;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char c = expression[i];

		if (c < 0x7f && (c >= 0x20 || isspace(c)))
			continue;
		if (c >= 0x80)
			snprintf(message, sizeof(message),
				 "only ASCII is allowed, this character is not (first byte 0x%02x)", c);
		else
			snprintf(message, sizeof(message), "a control character (0x%02x) is not allowed", c);
		describe_at(expression, message, i, 1, error, error_bytes);
		return -1;
	}
	return 0;
}

static int match_everything(struct filter_program *out, char *error, size_t error_bytes)
{
	struct bpf_insn match = { .code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 };

	out->insns = malloc(sizeof(match));
	if (!out->insns) {
		snprintf(error, error_bytes, "out of memory");
		return -1;
	}
	out->insns[0] = match;
	out->count = 1;
	out->matches_everything = true;
	return 0;
}

int filter__compile(const char *expression, struct filter_program *out, char *error, size_t error_bytes)
{
	struct classic_program classic;
	char message[MESSAGE_BYTES];
	int result;

	memset(out, 0, sizeof(*out));
	if (is_blank(expression))
		return match_everything(out, error, error_bytes);
	if (check_text(expression, error, error_bytes))
		return -1;
	if (classic__compile(expression, &classic, message, sizeof(message))) {
		describe_libpcap(expression, message, error, error_bytes);
		return -1;
	}
	result = classic__translate(&classic, out, message, sizeof(message));
	if (result)
		describe(expression, message, error, error_bytes);
	classic__free(&classic);
	return result;
}

void filter__free(struct filter_program *program)
{
	free(program->insns);
	memset(program, 0, sizeof(*program));
}

/* ---- splicing ----------------------------------------------------------------------------------------------------- */

int filter__splice(const struct filter_program *program, struct bpf_insn *placeholder, size_t placeholder_insns)
{
	/* r0 is 0 or 1 and the verifier knows which, so it knows that this jump is always taken, removes what it jumps
	 * over and then the jump itself. An unconditional jump will not do: code that no path leads to is refused. */
	struct bpf_insn over_the_rest = { .code = BPF_JMP | BPF_JLT | BPF_K, .dst_reg = BPF_REG_0, .imm = 2 };
	struct bpf_insn filler = { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 };
	size_t rest;

	if (program->count > placeholder_insns)
		return -1;
	memcpy(placeholder, program->insns, program->count * sizeof(*placeholder));
	rest = placeholder_insns - program->count;
	for (size_t i = 0; i < rest; i++)
		placeholder[program->count + i] = filler;
	if (rest) {
		over_the_rest.off = rest - 1;
		placeholder[program->count] = over_the_rest;
	}
	return 0;
}
