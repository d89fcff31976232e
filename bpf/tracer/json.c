// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "json.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* Length of the well-formed UTF-8 character at `at`, 0 when there is none (RFC 3629: no surrogates, nothing overlong). */
static size_t utf8__length(const unsigned char *at)
{
	size_t length;
	unsigned char low = 0x80, high = 0xbf; /* of the second byte */

	if (at[0] < 0x80)
		return 1;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	return length;
}

static void json__write_character(FILE *file, unsigned char character)
{
	static const char escapes[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };

	if (character == '"' || character == '\\')
		fprintf(file, "\\%c", character);
	else if (character < sizeof(escapes) && escapes[character])
		fprintf(file, "\\%c", escapes[character]);
	else if (character < 0x20 || character == 0x7f)
		fprintf(file, "\\u%04x", character);
	else
		putc(character, file);
}

static void json__write_string(FILE *file, const char *string)
{
	const unsigned char *at = (const unsigned char *)string;

	putc('"', file);
	while (*at) {
		size_t length = utf8__length(at);

		if (length == 1)
			json__write_character(file, *at);
		else if (length)
			fwrite(at, 1, length, file);
		else
			fputs("\xef\xbf\xbd", file); /* U+FFFD */
		at += length ? length : 1;
	}
	putc('"', file);
}

static void json_line__key(struct json_line *line, const char *key)
{
	if (!line->empty)
		putc(',', line->file);
	line->empty = false;
	json__write_string(line->file, key);
	putc(':', line->file);
}

void json_line__open(struct json_line *line, FILE *file)
{
	line->file = file;
	line->empty = true;
	putc('{', file);
}

void json_line__string(struct json_line *line, const char *key, const char *value)
{
	json_line__key(line, key);
	json__write_string(line->file, value);
}

void json_line__number(struct json_line *line, const char *key, uint64_t value)
{
	json_line__key(line, key);
	fprintf(line->file, "%" PRIu64, value);
}

void json_line__bool(struct json_line *line, const char *key, bool value)
{
	json_line__key(line, key);
	fputs(value ? "true" : "false", line->file);
}

void json_line__close(struct json_line *line)
{
	fputs("}\n", line->file);
}
