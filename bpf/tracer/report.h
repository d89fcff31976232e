/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What a person reads on standard error: "skbspan-tracer: error: ..." */
#ifndef SKBSPAN_REPORT_H
#define SKBSPAN_REPORT_H

void report__error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report__warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
