// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "attachable.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

/* From a function's first byte to the call that ftrace patches there are at most a landing pad and a few words. */
#define ENTRY_BYTES 16

struct name_set {
	const char **names; /* open addressing */
	size_t mask, count;
};

struct attachable_list {
	char *functions_text, *blacklist_text;
	struct name_set functions; /* when the kernel lists no addresses (before 6.5) */
	struct name_set blacklist;
	uint64_t *addresses; /* sorted */
	size_t address_count;
};

/* ---- a set of names ------------------------------------------------------------------------------------------------- */

static size_t name__hash(const char *name)
{
	uint64_t hash = 14695981039346656037ull; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 1099511628211ull;
	return hash ^ hash >> 29;
}

static bool name_set__init(struct name_set *set, size_t most)
{
	size_t capacity = 64;

	while (capacity < most * 2)
		capacity *= 2;
	set->names = calloc(capacity, sizeof(*set->names));
	set->mask = capacity - 1;
	return set->names;
}

static void name_set__add(struct name_set *set, const char *name)
{
	size_t at = name__hash(name) & set->mask;

	while (set->names[at] && strcmp(set->names[at], name))
		at = (at + 1) & set->mask;
	if (!set->names[at])
		set->count++;
	set->names[at] = name;
}

static bool name_set__has(const struct name_set *set, const char *name)
{
	size_t at;

	if (!set->count)
		return false;
	for (at = name__hash(name) & set->mask; set->names[at]; at = (at + 1) & set->mask)
		if (!strcmp(set->names[at], name))
			return true;
	return false;
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static size_t text__count_lines(const char *text)
{
	size_t lines = 1;

	while ((text = strchr(text, '\n'))) {
		lines++;
		text++;
	}
	return lines;
}

static char *text__take_line(char **text)
{
	char *line = *text, *end = strchrnul(line, '\n');

	*text = *end ? end + 1 : end;
	*end = '\0';
	return line;
}

static char *tracing__read(const char *file)
{
	static const char *const folders[] = { "/sys/kernel/tracing/", "/sys/kernel/debug/tracing/" };
	char path[128];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		size_t bytes = 0;
		char *text;

		strcpy(path, folders[i]);
		strcat(path, file);
		text = file__read(path, &bytes);
		if (text && bytes)
			return text;
		free(text);
	}
	return NULL;
}

static int address__compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* "ffffffff81000000 name [module]", since 6.5: tells functions of one name apart. */
static bool list__read_addresses(struct attachable_list *list)
{
	char *text = tracing__read("available_filter_functions_addrs"), *at = text;
	bool any = false;

	if (!text)
		return false;
	list->addresses = calloc(text__count_lines(text), sizeof(*list->addresses));
	while (list->addresses && *at) {
		uint64_t address = strtoull(text__take_line(&at), NULL, 16);

		list->addresses[list->address_count++] = address;
		any |= address != 0;
	}
	free(text);
	if (!any) {
		list->address_count = 0;
		return false;
	}
	qsort(list->addresses, list->address_count, sizeof(*list->addresses), address__compare);
	return true;
}

/* "name" or "name [module]" */
static void list__read_names(struct attachable_list *list)
{
	char *at = list->functions_text = tracing__read("available_filter_functions");

	if (!at || !name_set__init(&list->functions, text__count_lines(at)))
		return;
	while (*at) {
		char *line = text__take_line(&at);

		line[strcspn(line, " \t")] = '\0';
		name_set__add(&list->functions, line);
	}
}

/* "0xffffffff81000000-0xffffffff81000010	name" */
static void list__read_blacklist(struct attachable_list *list)
{
	char *at = list->blacklist_text = file__read("/sys/kernel/debug/kprobes/blacklist", NULL);

	if (!at || !name_set__init(&list->blacklist, text__count_lines(at)))
		return;
	while (*at) {
		char *name = strchr(text__take_line(&at), '\t');

		if (name)
			name_set__add(&list->blacklist, name + 1);
	}
}

struct attachable_list *attachable_list__read(void)
{
	struct attachable_list *list = calloc(1, sizeof(*list));

	if (!list)
		return NULL;
	if (!list__read_addresses(list))
		list__read_names(list);
	list__read_blacklist(list);
	return list;
}

/* ---- asking --------------------------------------------------------------------------------------------------------- */

static bool list__has_address(const struct attachable_list *list, uint64_t address)
{
	size_t low = 0, high = list->address_count; /* the first one that is not before `address` */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->addresses[middle] < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->address_count && list->addresses[low] - address < ENTRY_BYTES;
}

bool attachable_list__is_known(const struct attachable_list *list)
{
	return list->address_count || list->functions.count;
}

const char *attachable_list__refuse(const struct attachable_list *list, const struct symbol *symbol)
{
	if (name_set__has(&list->blacklist, symbol->name))
		return "the kernel forbids probes there (kprobes blacklist)";
	if (!symbol->address)
		return "the kernel hides its address: see `skbspan doctor`";
	if (!attachable_list__is_known(list))
		return NULL;
	if (list->address_count ? list__has_address(list, symbol->address) :
				  name_set__has(&list->functions, symbol->name))
		return NULL;
	return "not traceable: it is not in available_filter_functions (notrace, or compiled without a place for a probe)";
}

void attachable_list__free(struct attachable_list *list)
{
	if (!list)
		return;
	free(list->functions.names);
	free(list->blacklist.names);
	free(list->functions_text);
	free(list->blacklist_text);
	free(list->addresses);
	free(list);
}
