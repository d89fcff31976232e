/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The TLS libraries (OpenSSL's interface) that applications use, and the programs that look at what they are handed. */
#ifndef SKBSPAN_TLS_LIBRARIES_H
#define SKBSPAN_TLS_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_object;
struct tls_libraries;

/* Whether the program of this name is one of these. */
bool tls_libraries__is_program(const char *name);

/*
 * Attaches the programs of `object`, which is loaded, to the libraries that running processes have mapped and to those of `paths`
 * (separated by commas; NULL: none). `said` gets a sentence: to how many, or why not. NULL: to none.
 */
struct tls_libraries *tls_libraries__attach(struct bpf_object *object, const char *paths, char *said,
					    size_t said_bytes);

/* May be NULL. */
void tls_libraries__free(struct tls_libraries *libraries);

#endif
