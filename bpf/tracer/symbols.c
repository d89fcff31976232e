// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

#define NONE UINT32_MAX
/* What lies farther behind a symbol than any function is long belongs to none: code made at run time, BPF programs above all. */
#define MAX_FUNCTION_BYTES (1024 * 1024)

struct symbol_table {
	char *text;             /* the file: names point into it */
	struct symbol *symbols; /* by address; the order of the file where addresses are hidden */
	size_t count, capacity;
	uint32_t *buckets; /* by hash of the base name: the first symbol, others by next_of_base */
	uint32_t bucket_mask;
	bool has_addresses;
};

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static bool type__is_text(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

static const char *text__read_address(const char *at, uint64_t *address)
{
	*address = 0;
	for (;; at++) {
		if (*at >= '0' && *at <= '9')
			*address = *address << 4 | (uint64_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			*address = *address << 4 | (uint64_t)(*at - 'a' + 10);
		else
			return at;
	}
}

/* The only variables that are kept: they say where the kernel sees pages. */
static bool name__is_of_memory(const char *name)
{
	return !strcmp(name, "vmemmap_base") || !strcmp(name, "page_offset_base");
}

/* "address type name[\t[module]]": cuts the line into strings. Returns false for what is not wanted. */
static bool line__parse(char *line, struct symbol *symbol)
{
	char *at = (char *)text__read_address(line, &symbol->address);
	char *name, *tab, *dot;

	if (at == line || at[0] != ' ' || !at[1] || at[2] != ' ' ||
	    (!type__is_text(at[1]) && !name__is_of_memory(at + 3)))
		return false;
	name = at + 3;
	symbol->name = name;
	symbol->module = "";
	tab = strchr(name, '\t');
	if (tab) {
		size_t bytes = strlen(tab);

		*tab = '\0';
		if (bytes > 3 && tab[1] == '[') {
			tab[bytes - 1] = '\0'; /* the closing bracket */
			symbol->module = tab + 2;
		}
	}
	dot = strchr(name, '.');
	symbol->base_bytes = dot && dot != name ? (size_t)(dot - name) : strlen(name);
	symbol->next_of_base = NONE;
	return true;
}

static bool symbol_table__add(struct symbol_table *table, const struct symbol *symbol)
{
	if (table->count == table->capacity) {
		size_t capacity = table->capacity ? table->capacity * 2 : 128 * 1024;
		struct symbol *grown = realloc(table->symbols, capacity * sizeof(*grown));

		if (!grown)
			return false;
		table->symbols = grown;
		table->capacity = capacity;
	}
	table->symbols[table->count++] = *symbol;
	return true;
}

static int symbol__compare(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* The kernel's own symbols come sorted, those of modules do not: sort only when it is needed. */
static void symbol_table__sort(struct symbol_table *table)
{
	for (size_t i = 1; i < table->count; i++)
		if (table->symbols[i].address < table->symbols[i - 1].address) {
			qsort(table->symbols, table->count, sizeof(*table->symbols), symbol__compare);
			return;
		}
}

static bool symbol_table__parse(struct symbol_table *table)
{
	char *line = table->text;

	while (*line) {
		char *end = strchrnul(line, '\n');
		bool last = !*end;
		struct symbol symbol;

		*end = '\0';
		if (line__parse(line, &symbol)) {
			table->has_addresses |= symbol.address != 0;
			if (!symbol_table__add(table, &symbol))
				return false;
		}
		if (last)
			break;
		line = end + 1;
	}
	return true;
}

/* ---- names ---------------------------------------------------------------------------------------------------------- */

static uint32_t name__hash(const char *name, size_t bytes)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (uint8_t)name[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static bool symbol_table__index(struct symbol_table *table)
{
	size_t buckets = 1024;

	while (buckets < table->count)
		buckets *= 2;
	table->buckets = malloc(buckets * sizeof(*table->buckets));
	if (!table->buckets)
		return false;
	memset(table->buckets, 0xff, buckets * sizeof(*table->buckets));
	table->bucket_mask = buckets - 1;
	for (size_t i = table->count; i-- > 0;) { /* backwards: a chain is then in order of address */
		struct symbol *symbol = &table->symbols[i];
		uint32_t *bucket = &table->buckets[name__hash(symbol->name, symbol->base_bytes) & table->bucket_mask];

		symbol->next_of_base = *bucket;
		*bucket = i;
	}
	return true;
}

static const struct symbol *symbol_table__next_in_chain(const struct symbol_table *table, uint32_t at, const char *base,
							size_t bytes)
{
	for (; at != NONE; at = table->symbols[at].next_of_base) {
		const struct symbol *symbol = &table->symbols[at];

		if (symbol->base_bytes == bytes && !memcmp(symbol->name, base, bytes))
			return symbol;
	}
	return NULL;
}

const struct symbol *symbol_table__first_of_base(const struct symbol_table *table, const char *base)
{
	size_t bytes = strlen(base);

	return symbol_table__next_in_chain(table, table->buckets[name__hash(base, bytes) & table->bucket_mask], base,
					   bytes);
}

const struct symbol *symbol_table__next_of_base(const struct symbol_table *table, const struct symbol *symbol)
{
	return symbol_table__next_in_chain(table, symbol->next_of_base, symbol->name, symbol->base_bytes);
}

const struct symbol *symbol_table__find_by_name(const struct symbol_table *table, const char *name)
{
	const char *dot = strchr(name, '.');
	size_t bytes = dot && dot != name ? (size_t)(dot - name) : strlen(name);
	uint32_t at = table->buckets[name__hash(name, bytes) & table->bucket_mask];
	const struct symbol *symbol = symbol_table__next_in_chain(table, at, name, bytes);

	while (symbol && strcmp(symbol->name, name))
		symbol = symbol_table__next_of_base(table, symbol);
	return symbol;
}

/* ---- addresses ------------------------------------------------------------------------------------------------------ */

const struct symbol *symbol_table__find_symbol(const struct symbol_table *table, uint64_t address)
{
	size_t low = 0, high = table->count; /* the first symbol after the address is in [low, high] */

	if (!table->has_addresses)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || !table->symbols[low - 1].address || address - table->symbols[low - 1].address > MAX_FUNCTION_BYTES)
		return NULL;
	/* of aliases the first: what is attached is called by that name too */
	for (low--; low && table->symbols[low - 1].address == table->symbols[low].address;)
		low--;
	return &table->symbols[low];
}

const char *symbol_table__find_by_address(const struct symbol_table *table, uint64_t address, uint64_t *start)
{
	const struct symbol *symbol = symbol_table__find_symbol(table, address);

	if (!symbol)
		return NULL;
	if (start)
		*start = symbol->address;
	return symbol->name;
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

bool symbol_table__has_addresses(const struct symbol_table *table)
{
	return table->has_addresses;
}

size_t symbol_table__count(const struct symbol_table *table)
{
	return table->count;
}

struct symbol_table *symbol_table__read(const char *path, char *error, size_t error_bytes)
{
	char *text = file__read(path, NULL);

	if (!text) {
		snprintf(error, error_bytes, "cannot read the kernel's symbols from %s: %s", path, strerror(errno));
		return NULL;
	}
	return symbol_table__parse_text(text, path, error, error_bytes);
}

struct symbol_table *symbol_table__parse_text(char *text, const char *source, char *error, size_t error_bytes)
{
	struct symbol_table *table = calloc(1, sizeof(*table));

	if (!table) {
		free(text);
		goto no_memory;
	}
	table->text = text;
	if (!symbol_table__parse(table))
		goto no_memory;
	symbol_table__sort(table);
	if (!symbol_table__index(table))
		goto no_memory;
	if (!table->count) {
		snprintf(error, error_bytes, "%s lists no functions: the kernel needs CONFIG_KALLSYMS", source);
		symbol_table__free(table);
		return NULL;
	}
	return table;
no_memory:
	snprintf(error, error_bytes, "out of memory while reading the kernel's symbols");
	symbol_table__free(table);
	return NULL;
}

void symbol_table__free(struct symbol_table *table)
{
	if (!table)
		return;
	free(table->buckets);
	free(table->symbols);
	free(table->text);
	free(table);
}
