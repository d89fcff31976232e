/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The running kernel's symbols, with addresses also where /proc/kallsyms hides them. */
#ifndef SKBSPAN_KERNEL_SYMBOLS_H
#define SKBSPAN_KERNEL_SYMBOLS_H

#include "symbols.h"

/*
 * /proc/kallsyms; when that hides the addresses, what a BPF program lists; when that cannot be loaded, names alone. NULL with
 * a message in `error` when there are no symbols at all.
 */
struct symbol_table *kernel_symbols__read(char *error, size_t error_bytes);

/* Whether a BPF program can list them: 0, or an errno. */
int kernel_symbols__try_listing(void);

#endif
