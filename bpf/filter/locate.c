/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Where is the mistake? libpcap says what is wrong, seldom where.
 *
 * PROBE shows it: a word that libpcap's scanner itself refuses, with a message of its own, when the parser asks for it.
 * That message means all before PROBE was right, any other that the mistake came earlier. The first token whose
 * prefix draws another message is the place.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classic.h"

#define PROBE "0:0:"
#define PROBE_MESSAGE "bogus ethernet address " PROBE
#define MESSAGE_BYTES 512

/* A mistake in what a token means shows when the parser has seen what follows it: how far back to look for it. */
#define TOKENS_BACK 4

struct token {
	size_t offset;
	size_t length;
};

struct tokens {
	const char *expression;
	struct token *list;
	size_t count;
};

static bool is_word(char c, bool in_brackets)
{
	if (isalnum((unsigned char)c) || c == '.' || c == '_' || c == '\\')
		return true;
	return !in_brackets && (c == '-' || c == ':'); /* names with a hyphen, port ranges, MAC and IPv6 addresses */
}

static size_t token_length(const char *text, bool in_brackets)
{
	static const char *const operators[] = { "&&", "||", "==", "!=", "<=", ">=", "<<", ">>" };
	size_t length = 0;

	while (is_word(text[length], in_brackets))
		length++;
	while (length > 1 && text[length - 1] == '-')
		length--; /* no word ends with a hyphen */
	if (length)
		return length;
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (!strncmp(text, operators[i], 2))
			return 2;
	return 1;
}

static int split(const char *expression, struct tokens *out)
{
	int brackets = 0;

	out->expression = expression;
	out->count = 0;
	out->list = calloc(strlen(expression) + 1, sizeof(*out->list));
	if (!out->list)
		return -1;
	for (size_t at = 0; expression[at];) {
		struct token token = { .offset = at };

		if (isspace((unsigned char)expression[at])) {
			at++;
			continue;
		}
		brackets += expression[at] == '[';
		brackets -= expression[at] == ']';
		token.length = token_length(expression + at, brackets > 0);
		at += token.length;
		out->list[out->count++] = token;
	}
	return 0;
}

/* Does libpcap find fault with the first `count` tokens, whatever may follow them? */
static bool is_wrong(const struct tokens *tokens, size_t count)
{
	const struct token *last = count ? &tokens->list[count - 1] : NULL;
	size_t length = last ? last->offset + last->length : 0;
	struct classic_program program;
	char message[MESSAGE_BYTES];
	char *probed;
	bool wrong;

	if (asprintf(&probed, "%.*s " PROBE, (int)length, tokens->expression) < 0)
		return false;
	if (classic__compile(probed, &program, message, sizeof(message))) {
		wrong = !strstr(message, PROBE_MESSAGE);
	} else {
		classic__free(&program);
		wrong = false;
	}
	free(probed);
	return wrong;
}

/* The smallest number of tokens that is wrong; one more than there are when all of them can go on to be right. */
static size_t first_wrong(const struct tokens *tokens)
{
	size_t right = 0, wrong = tokens->count + 1;

	while (wrong - right > 1) {
		size_t middle = right + (wrong - right) / 2;

		if (is_wrong(tokens, middle))
			wrong = middle;
		else
			right = middle;
	}
	return wrong;
}

static bool is_boundary(char c)
{
	return !isalnum((unsigned char)c);
}

static bool mentions(const char *message, const struct tokens *tokens, size_t index)
{
	const struct token *token = &tokens->list[index];
	const char *text = tokens->expression + token->offset;

	for (const char *at = message; *at; at++) {
		if (strncmp(at, text, token->length) || !is_boundary(at[token->length]))
			continue;
		if (at == message || is_boundary(at[-1]))
			return true;
	}
	return false;
}

/* The only token that is quoted in the message, as in "unknown host 'name'". */
static bool find_quoted(const struct tokens *tokens, const char *message, size_t *index)
{
	const char *quote = strchr(message, '\'');
	size_t found = 0, length;

	if (!quote)
		return false;
	length = strcspn(quote + 1, "'");
	for (size_t i = 0; i < tokens->count; i++) {
		const struct token *token = &tokens->list[i];

		if (token->length != length || strncmp(tokens->expression + token->offset, quote + 1, length))
			continue;
		found++;
		*index = i;
	}
	return found == 1;
}

/* The longest token that the message has a copy of (in its quotes, if it has some), at *index or a little before. */
static bool find_mentioned(const struct tokens *tokens, const char *message, size_t *index)
{
	size_t last = *index, longest = 0;
	const char *quote = strchr(message, '\'');

	if (quote)
		message = quote;
	for (size_t back = 0; back < TOKENS_BACK && back <= last; back++) {
		size_t length = tokens->list[last - back].length;

		if (length <= longest || !mentions(message, tokens, last - back))
			continue;
		longest = length;
		*index = last - back;
	}
	return longest > 0;
}

static bool find_probed(const struct tokens *tokens, const char *message, size_t *index)
{
	bool is_syntax = strstr(message, "syntax error") != NULL;
	size_t wrong;

	if (is_wrong(tokens, 0))
		return false; /* this libpcap has no such message */
	wrong = first_wrong(tokens);
	if (wrong > tokens->count && is_syntax) {
		*index = tokens->count; /* the end: something is missing */
		return true;
	}
	if (is_syntax) {
		*index = wrong - 1;
		return true;
	}
	if (wrong > tokens->count && !tokens->count)
		return false;
	if (wrong > tokens->count)
		wrong = tokens->count;
	*index = wrong - 1;
	return find_mentioned(tokens, message, index) || is_wrong(tokens, wrong);
}

int classic__locate_error(const char *expression, const char *message, size_t *offset, size_t *length)
{
	struct tokens tokens;
	size_t index = 0;
	bool found;

	if (split(expression, &tokens))
		return -1;
	found = find_quoted(&tokens, message, &index) || find_probed(&tokens, message, &index);
	if (found && index < tokens.count) {
		*offset = tokens.list[index].offset;
		*length = tokens.list[index].length;
	} else if (found) {
		const struct token *last = &tokens.list[tokens.count - 1];

		*offset = last->offset + last->length;
		*length = 0;
	}
	free(tokens.list);
	return found ? 0 : -1;
}
