/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What a function's return value means to a person, by its type. */
#ifndef SKBSPAN_RETURN_KINDS_H
#define SKBSPAN_RETURN_KINDS_H

#include <stdint.h>

#include "../wire.h"

struct btf;

/* `prototype`: id of a BTF_KIND_FUNC_PROTO. */
enum wire_return_kind return_kind__of(const struct btf *btf, uint32_t prototype, const char *function);

/* "void", "integer", ... as the command `functions` names them. */
const char *return_kind__name(enum wire_return_kind kind);

#endif
