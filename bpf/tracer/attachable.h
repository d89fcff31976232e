/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What the kernel says can be attached: ftrace's list of functions, and the list of those where kprobes are forbidden. */
#ifndef SKBSPAN_ATTACHABLE_H
#define SKBSPAN_ATTACHABLE_H

#include <stdbool.h>

#include "symbols.h"

struct attachable_list;

/* NULL when out of memory; a list that the kernel does not show is left empty. */
struct attachable_list *attachable_list__read(void);

/* Whether ftrace's list could be read. Without it everything that is not forbidden counts as attachable. */
bool attachable_list__is_known(const struct attachable_list *list);

/* NULL when the symbol can be attached, otherwise why not. */
const char *attachable_list__refuse(const struct attachable_list *list, const struct symbol *symbol);

void attachable_list__free(struct attachable_list *list);

#endif
