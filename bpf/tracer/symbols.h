/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The kernel's text symbols (/proc/kallsyms): by name, by address. */
#ifndef SKBSPAN_SYMBOLS_H
#define SKBSPAN_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol {
	uint64_t address; /* 0 when the kernel hides addresses from this process */
	const char *name;
	const char *module;    /* "" for the kernel itself; "bpf", "__builtin__ftrace" and so on for generated code */
	uint32_t base_bytes;   /* length of the name without the compiler's suffix (from the first dot on) */
	uint32_t next_of_base; /* private: see symbol_table__next_of_base */
};

struct symbol_table;

/* Reads `path`, in the form of /proc/kallsyms. NULL with a message in `error` on failure. */
struct symbol_table *symbol_table__read(const char *path, char *error, size_t error_bytes);

/* The same of what was read already: `text` belongs to the table from here on, also when it fails. `source`: for messages. */
struct symbol_table *symbol_table__parse_text(char *text, const char *source, char *error, size_t error_bytes);

/* False when every address reads as 0: kernel.kptr_restrict, or CAP_SYSLOG is missing. */
bool symbol_table__has_addresses(const struct symbol_table *table);

size_t symbol_table__count(const struct symbol_table *table);

/* All symbols whose name without suffix is `base` (`ip_rcv.constprop.0` is found by `ip_rcv`), in order of address. */
const struct symbol *symbol_table__first_of_base(const struct symbol_table *table, const char *base);
const struct symbol *symbol_table__next_of_base(const struct symbol_table *table, const struct symbol *symbol);

/* The first symbol with exactly this name, or NULL. */
const struct symbol *symbol_table__find_by_name(const struct symbol_table *table, const char *name);

/* The symbol that holds `address`, or NULL; the end of the last symbol of the kernel or of a module is not known. */
const struct symbol *symbol_table__find_symbol(const struct symbol_table *table, uint64_t address);

/* Its name, and where it starts in `start` (may be NULL); NULL when no symbol holds the address. */
const char *symbol_table__find_by_address(const struct symbol_table *table, uint64_t address, uint64_t *start);

void symbol_table__free(struct symbol_table *table);

#endif
