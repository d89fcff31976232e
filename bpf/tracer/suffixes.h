/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Suffixes that compilers put on the names of functions that they change.
 *
 *   .llvm.N, .lto_priv.N   renamed only
 *   .constprop.N           parameters that are always the same constant are gone
 *   .isra.N                parameters that are not used, or used only in part, are gone or replaced by their parts
 *   .part.N, .cold         a part of a function: no entry, no parameters to rely on
 *
 * Compilers do this to all of a function or to a copy of it. The type information describes the source's parameters;
 * its makers leave a function out when the sk_buff is not where the source says, if no symbol has the plain name
 * (pahole since 1.25, which is what made the type information of every kernel that describes such functions at all).
 * So a suffixed symbol that stands alone can be trusted. Beside a plain one it is a copy that nobody checked: with
 * .constprop the first parameter is still the first one, as an sk_buff is no constant; anything else is left out.
 */
#ifndef SKBSPAN_SUFFIXES_H
#define SKBSPAN_SUFFIXES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * NULL when the sk_buff of `symbol` can be relied on to be its parameter number `argument` (from 1); otherwise why not.
 * `stands_alone`: no symbol has the plain name.
 */
const char *suffix__refuse(const char *symbol, uint8_t argument, bool stands_alone);

#endif
