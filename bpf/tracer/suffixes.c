// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "suffixes.h"

#include <stddef.h>
#include <string.h>

static bool name__has_part(const char *suffix, const char *part)
{
	size_t bytes = strlen(part);

	for (const char *at = suffix; (at = strstr(at, part)); at += bytes)
		if (!at[bytes] || at[bytes] == '.')
			return true;
	return false;
}

const char *suffix__refuse(const char *symbol, uint8_t argument, bool stands_alone)
{
	const char *suffix = strchr(symbol, '.');

	if (!suffix)
		return NULL;
	if (name__has_part(suffix, ".cold"))
		return "only the unlikely part of the function is left (.cold): it has no entry";
	if (name__has_part(suffix, ".part"))
		return "only a part of the function is left (.part), the rest is inlined in its callers";
	if (stands_alone)
		return NULL;
	if (name__has_part(suffix, ".isra"))
		return "a copy with changed parameters (.isra): where its sk_buff is cannot be known";
	if (name__has_part(suffix, ".constprop") && argument != 1)
		return "a copy with fewer parameters (.constprop): where its sk_buff is cannot be known";
	return NULL;
}
