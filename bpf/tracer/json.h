/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Writes JSON objects, a line each. */
#ifndef SKBSPAN_JSON_H
#define SKBSPAN_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_line {
	FILE *file;
	bool empty;
};

void json_line__open(struct json_line *line, FILE *file);
void json_line__string(struct json_line *line, const char *key, const char *value); /* invalid UTF-8 becomes U+FFFD */
void json_line__number(struct json_line *line, const char *key, uint64_t value);
void json_line__bool(struct json_line *line, const char *key, bool value);
void json_line__close(struct json_line *line);

#endif
