// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

static void report__line(const char *level, const char *format, va_list arguments)
{
	char text[2048];

	/* one write a line: several processes may share standard error */
	vsnprintf(text, sizeof(text), format, arguments);
	fprintf(stderr, "skbspan-tracer: %s: %s\n", level, text);
}

void report__error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report__line("error", format, arguments);
	va_end(arguments);
}

void report__warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report__line("warning", format, arguments);
	va_end(arguments);
}
