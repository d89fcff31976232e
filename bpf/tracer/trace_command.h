/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#ifndef SKBSPAN_TRACE_COMMAND_H
#define SKBSPAN_TRACE_COMMAND_H

struct trace_options;

/* Traces until told to stop, frames to standard output. Returns an enum exit_code; has said why on standard error. */
int trace_command__run(const struct trace_options *options);

#endif
