/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What a test needs: a check that says what it saw, and a list of the tests of a file. */
#ifndef SKBSPAN_TEST_CHECK_H
#define SKBSPAN_TEST_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test {
	const char *name;
	void (*run)(void);
	bool needs_root;
};

extern const struct test pure_tests[], system_tests[];

/* Counts and prints a failure; the test goes on. */
void check__true(const char *file, int line, bool holds, const char *condition);
void check__string(const char *file, int line, const char *actual, const char *expected);
void check__contains(const char *file, int line, const char *actual, const char *part);
void check__number(const char *file, int line, int64_t actual, int64_t expected, const char *expression);
void check__bytes(const char *file, int line, const void *actual, size_t actual_bytes, const void *expected,
		  size_t bytes);

#define CHECK(condition) check__true(__FILE__, __LINE__, condition, #condition)
#define CHECK_STRING(actual, expected) check__string(__FILE__, __LINE__, actual, expected)
#define CHECK_CONTAINS(actual, part) check__contains(__FILE__, __LINE__, actual, part)
#define CHECK_NUMBER(actual, expected) check__number(__FILE__, __LINE__, actual, expected, #actual)
#define CHECK_BYTES(actual, actual_bytes, expected, bytes)                                                             \
	check__bytes(__FILE__, __LINE__, actual, actual_bytes, expected, bytes)

#endif
