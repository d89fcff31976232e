// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/*
 * Tests of the tracer's user space.
 *
 *   tracer-test --list     names, a line each; "NAME root" when it needs root
 *   tracer-test NAME       runs one: 0 passed, 1 failed (and says where), 2 no such test
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "test/check.h"

static int failures;

static void fail(const char *file, int line)
{
	failures++;
	printf("%s:%d: ", file, line);
}

void check__true(const char *file, int line, bool holds, const char *condition)
{
	if (holds)
		return;
	fail(file, line);
	printf("not true: %s\n", condition);
}

void check__string(const char *file, int line, const char *actual, const char *expected)
{
	if (actual && !strcmp(actual, expected))
		return;
	fail(file, line);
	printf("expected \"%s\", got \"%s\"\n", expected, actual ? actual : "(null)");
}

void check__contains(const char *file, int line, const char *actual, const char *part)
{
	if (actual && strstr(actual, part))
		return;
	fail(file, line);
	printf("\"%s\" is not in \"%s\"\n", part, actual ? actual : "(null)");
}

void check__number(const char *file, int line, int64_t actual, int64_t expected, const char *expression)
{
	if (actual == expected)
		return;
	fail(file, line);
	printf("%s is %lld, expected %lld\n", expression, (long long)actual, (long long)expected);
}

void check__bytes(const char *file, int line, const void *actual, size_t actual_bytes, const void *expected,
		  size_t bytes)
{
	const unsigned char *a = actual, *b = expected;
	size_t at = 0;

	while (at < actual_bytes && at < bytes && a[at] == b[at])
		at++;
	if (at == actual_bytes && at == bytes)
		return;
	fail(file, line);
	printf("%zu bytes, expected %zu; they differ from byte %zu on\n", actual_bytes, bytes, at);
}

static const struct test *const suites[] = { pure_tests, system_tests };

#define SUITE_COUNT (sizeof(suites) / sizeof(suites[0]))

static int tests__list(void)
{
	for (size_t i = 0; i < SUITE_COUNT; i++)
		for (const struct test *test = suites[i]; test->name; test++)
			printf("%s%s\n", test->name, test->needs_root ? " root" : "");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: tracer-test --list | NAME\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(argv[1], "--list"))
		return tests__list();
	for (size_t i = 0; i < SUITE_COUNT; i++)
		for (const struct test *test = suites[i]; test->name; test++)
			if (!strcmp(test->name, argv[1])) {
				test->run();
				return failures ? 1 : 0;
			}
	fprintf(stderr, "there is no test \"%s\"\n", argv[1]);
	return 2;
}
