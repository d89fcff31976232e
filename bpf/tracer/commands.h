/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What the exporter tells the tracer while it traces: lines on standard input.
 *
 *   choose COOKIE   packets in this network namespace are wanted (with --chosen-namespaces, where none is at first)
 *   forget COOKIE   and no more
 *   scan            look at all processes soon, and say who is in which namespace
 */
#ifndef SKBSPAN_COMMANDS_H
#define SKBSPAN_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum command_word {
	COMMAND_WORD_CHOOSE,
	COMMAND_WORD_FORGET,
	COMMAND_WORD_SCAN,
	COMMAND_WORD_UNKNOWN, /* of a newer exporter, or damaged */
};

typedef void (*command_given)(void *context, enum command_word word, uint64_t cookie, const char *line);

#define COMMAND_LINE_BYTES 128

/* What has been read of a line that is not complete. Zeros at first. */
struct command_reader {
	char line[COMMAND_LINE_BYTES];
	size_t used;
	bool is_too_long;
};

void command_reader__push(struct command_reader *reader, const char *bytes, size_t count, command_given given,
			  void *context);

#endif
