// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "commands.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool text__read_cookie(const char *text, uint64_t *cookie)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*cookie = strtoull(text, &end, 10);
	return !errno && !*end;
}

static enum command_word line__read(const char *line, uint64_t *cookie)
{
	if (!strcmp(line, "scan"))
		return COMMAND_WORD_SCAN;
	if (!strncmp(line, "choose ", 7) && text__read_cookie(line + 7, cookie))
		return COMMAND_WORD_CHOOSE;
	if (!strncmp(line, "forget ", 7) && text__read_cookie(line + 7, cookie))
		return COMMAND_WORD_FORGET;
	return COMMAND_WORD_UNKNOWN;
}

static void command_reader__end_line(struct command_reader *reader, command_given given, void *context)
{
	enum command_word word = COMMAND_WORD_UNKNOWN;
	uint64_t cookie = 0;

	reader->line[reader->used] = '\0';
	if (!reader->is_too_long)
		word = line__read(reader->line, &cookie);
	given(context, word, cookie, reader->line);
	reader->used = 0;
	reader->is_too_long = false;
}

void command_reader__push(struct command_reader *reader, const char *bytes, size_t count, command_given given,
			  void *context)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n')
			command_reader__end_line(reader, given, context);
		else if (reader->used < sizeof(reader->line) - 1)
			reader->line[reader->used++] = bytes[i];
		else
			reader->is_too_long = true;
	}
}
