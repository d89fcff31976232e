/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The tracer's command line: one table of options. */
#ifndef SKBSPAN_OPTIONS_H
#define SKBSPAN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../wire.h"

enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILURE = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_RIGHTS = 3,
	EXIT_CODE_KERNEL = 4,
	EXIT_CODE_FILTER = 5,
	EXIT_CODE_STREAM = 6,
};

enum command {
	COMMAND_HELP = 0,
	COMMAND_TRACE,
	COMMAND_FUNCTIONS,
	COMMAND_DOCTOR,
	COMMAND_CHECK,
};

struct trace_options {
	const char *probes;        /* "core" by default; well-formed (probe_set__check) */
	enum wire_backend backend; /* 0: auto */
	const char *filter;        /* NULL: everything */
	const char *netns;         /* as written, see namespace__resolve; NULL: any */
	const char *interface;     /* NULL: any; fits into 15 bytes */
	uint32_t mark_value;
	uint32_t mark_mask;       /* 0: any mark */
	uint32_t sample_one_in;   /* 1: all */
	uint32_t rate_per_second; /* 0: no limit */
	uint64_t min_duration_ns;
	bool dropped_only;
	bool keep_drops;
	uint32_t slots;
	uint32_t ring_bytes; /* a power of two and a multiple of the page size */
	uint64_t expire_ms;
	uint64_t journeys;         /* 0: no limit */
	uint64_t duration_ms;      /* 0: no limit */
	uint32_t join_sources;     /* bits of enum wire_request_source; 0: applications' requests are not looked for */
	const char *tls_libraries; /* paths, separated by commas; NULL: none */
	uint64_t join_for_ms;
	bool sampled_only;
	bool exit_with_stdin;
	bool chosen_namespaces; /* only those that commands choose */
	bool empty_programs;    /* for `npm run bench`: attach programs that do nothing */
	bool empty_returns;
};

struct options {
	enum command command;
	struct trace_options trace; /* `functions` uses probes only */
};

/* Returns 0, or EXIT_CODE_USAGE with a message in `error`. Strings point into argv. */
int options__parse(int argc, char **argv, struct options *options, char *error, size_t error_bytes);

/* The help text, to standard output. */
void options__print_help(void);

#endif
