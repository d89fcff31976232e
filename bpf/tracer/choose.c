// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* Probe sets: which of the functions a user wants. */
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"

enum probe_set_kind {
	PROBE_SET_DROPS,
	PROBE_SET_CORE,
	PROBE_SET_ALL,
	PROBE_SET_EXPRESSION,
};

struct probe_set {
	enum probe_set_kind kind;
	char source[512]; /* of the expression, without the slashes */
	regex_t expression;
};

/* ---- reading a probe set -------------------------------------------------------------------------------------------- */

static int probe_set__parse_expression(struct probe_set *set, const char *probes, char *error, size_t error_bytes)
{
	size_t bytes = strlen(probes);
	char message[256];
	int failure;

	set->kind = PROBE_SET_EXPRESSION;
	if (bytes < 3 || probes[bytes - 1] != '/') {
		snprintf(
			error, error_bytes,
			"probe set \"%s\": a regular expression stands between two slashes, as in /^tcp_/, and is not empty",
			probes);
		return -1;
	}
	if (bytes - 2 >= sizeof(set->source)) {
		snprintf(error, error_bytes, "probe set: the regular expression has %zu bytes, at most %zu are allowed",
			 bytes - 2, sizeof(set->source) - 1);
		return -1;
	}
	memcpy(set->source, probes + 1, bytes - 2);
	set->source[bytes - 2] = '\0';
	failure = regcomp(&set->expression, set->source, REG_EXTENDED | REG_NOSUB);
	if (!failure)
		return 0;
	regerror(failure, &set->expression, message, sizeof(message));
	snprintf(error, error_bytes, "probe set \"%s\" is no POSIX extended regular expression: %s", probes, message);
	return -1;
}

static int probe_set__parse(struct probe_set *set, const char *probes, char *error, size_t error_bytes)
{
	memset(set, 0, sizeof(*set));
	if (probes[0] == '/')
		return probe_set__parse_expression(set, probes, error, error_bytes);
	if (!strcmp(probes, "drops"))
		set->kind = PROBE_SET_DROPS;
	else if (!strcmp(probes, "core"))
		set->kind = PROBE_SET_CORE;
	else if (!strcmp(probes, "all"))
		set->kind = PROBE_SET_ALL;
	else {
		snprintf(error, error_bytes,
			 "there is no probe set \"%s\": give drops, core, all, or a /regular expression/", probes);
		return -1;
	}
	return 0;
}

static void probe_set__free(struct probe_set *set)
{
	if (set->kind == PROBE_SET_EXPRESSION)
		regfree(&set->expression);
}

int probe_set__check(const char *probes, char *error, size_t error_bytes)
{
	struct probe_set set;

	if (probe_set__parse(&set, probes, error, error_bytes))
		return -1;
	probe_set__free(&set);
	return 0;
}

/* ---- nothing matched: what is nearest ------------------------------------------------------------------------------- */

#define MOST_NAME_BYTES 128

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Letters to change, add or leave out to make one name the other (Levenshtein). */
static size_t names__distance(const char *left, const char *right)
{
	size_t left_bytes = strlen(left), right_bytes = strlen(right), row[MOST_NAME_BYTES + 1];

	if (left_bytes > MOST_NAME_BYTES || right_bytes > MOST_NAME_BYTES)
		return MOST_NAME_BYTES;
	for (size_t i = 0; i <= right_bytes; i++)
		row[i] = i;
	for (size_t i = 1; i <= left_bytes; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= right_bytes; k++) {
			size_t changed = diagonal + (left[i - 1] != right[k - 1]);

			diagonal = row[k];
			row[k] = smallest(changed, row[k] + 1, row[k - 1] + 1);
		}
	}
	return row[right_bytes];
}

/* The letters of the expression that could stand in a name. */
static void expression__literal(const char *source, char *literal)
{
	size_t used = 0;

	for (; *source && used < MOST_NAME_BYTES; source++)
		if (isalnum((unsigned char)*source) || *source == '_')
			literal[used++] = *source;
	literal[used] = '\0';
}

static const char *table__nearest(const struct function_table *table, const char *source)
{
	char literal[MOST_NAME_BYTES + 1];
	size_t least = MOST_NAME_BYTES + 1;
	const char *nearest = NULL;

	expression__literal(source, literal);
	for (size_t i = 0; i < table->count; i++) {
		size_t distance = table->functions[i].attachable ? names__distance(literal, table->functions[i].name) :
								   least;

		if (distance < least) {
			least = distance;
			nearest = table->functions[i].name;
		}
	}
	return nearest;
}

static void table__explain_nothing(const struct function_table *table, const struct probe_set *set, char *error,
				   size_t error_bytes)
{
	const char *nearest;

	if (!table->attachable) {
		snprintf(error, error_bytes, "no kernel function can be attached here: `skbspan doctor` says why");
		return;
	}
	for (size_t i = 0; i < table->count; i++) {
		const struct traced_function *function = &table->functions[i];

		if (set->kind != PROBE_SET_EXPRESSION || regexec(&set->expression, function->name, 0, NULL, 0))
			continue;
		snprintf(error, error_bytes, "/%s/ matches functions, but none that can be attached; %s: %s",
			 set->source, function->name, function->reason);
		return;
	}
	nearest = set->kind == PROBE_SET_EXPRESSION ? table__nearest(table, set->source) : NULL;
	if (nearest)
		snprintf(error, error_bytes,
			 "no function with an sk_buff among its parameters matches /%s/; the nearest name is %s",
			 set->source, nearest);
	else
		snprintf(error, error_bytes, "this kernel has none of the functions of the probe set");
}

/* ---- choosing ------------------------------------------------------------------------------------------------------- */

/* Copies of a static function have one name: all are chosen. */
static size_t table__choose_name(struct function_table *table, const char *name)
{
	const struct traced_function *found = function_table__find(table, name);
	size_t at = found ? (size_t)(found - table->functions) : table->count, chosen = 0;

	for (; at < table->count && !strcmp(table->functions[at].name, name); at++) {
		if (!table->functions[at].attachable || table->functions[at].chosen)
			continue;
		table->functions[at].chosen = true;
		chosen++;
	}
	return chosen;
}

static size_t table__choose_core(struct function_table *table)
{
	size_t chosen = 0;

	for (size_t i = 0; i < core_function_count; i++)
		for (int name = 0; name < CORE_NAMES && core_functions[i].names[name]; name++) {
			size_t found = table__choose_name(table, core_functions[i].names[name]);

			chosen += found;
			if (found)
				break;
		}
	return chosen;
}

static size_t table__choose_matching(struct function_table *table, const struct probe_set *set)
{
	size_t chosen = 0;

	for (size_t i = 0; i < table->count; i++) {
		struct traced_function *function = &table->functions[i];

		if (!function->attachable)
			continue;
		if (set->kind == PROBE_SET_EXPRESSION && regexec(&set->expression, function->name, 0, NULL, 0))
			continue;
		function->chosen = true;
		chosen++;
	}
	return chosen;
}

int function_table__choose(struct function_table *table, const char *probes, char *error, size_t error_bytes)
{
	struct probe_set set;
	size_t chosen = 0;

	if (probe_set__parse(&set, probes, error, error_bytes))
		return -1;
	for (size_t i = 0; i < table->count; i++)
		table->functions[i].chosen = false;
	if (set.kind == PROBE_SET_CORE)
		chosen = table__choose_core(table);
	else if (set.kind != PROBE_SET_DROPS)
		chosen = table__choose_matching(table, &set);
	if (!chosen && set.kind != PROBE_SET_DROPS) {
		table__explain_nothing(table, &set, error, error_bytes);
		probe_set__free(&set);
		return -1;
	}
	probe_set__free(&set);
	return chosen;
}
