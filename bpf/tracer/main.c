// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include <signal.h>
#include <unistd.h>

#include "../filter/filter.h"
#include "capabilities.h"
#include "doctor_command.h"
#include "functions_command.h"
#include "options.h"
#include "report.h"
#include "trace_command.h"

static int run_trace(const struct trace_options *options, int parent)
{
	/* nobody would read the frames, and nothing may stay attached */
	if (!parent__watch(SIGTERM, parent)) {
		report__error("the process that started this one has gone");
		return EXIT_CODE_FAILURE;
	}
	if (isatty(STDOUT_FILENO)) {
		report__error("frames are no text: send standard output to a file or a pipe, or use `skbspan trace`");
		return EXIT_CODE_USAGE;
	}
	return trace_command__run(options);
}

static int run_check(const char *expression)
{
	struct filter_program program;
	char error[1024];

	if (!filter__compile(expression, &program, error, sizeof(error)))
		return EXIT_CODE_OK;
	report__error("%s", error);
	return EXIT_CODE_FILTER;
}

int main(int argc, char **argv)
{
	int parent = getppid();
	struct options options;
	char error[1024];
	int code = options__parse(argc, argv, &options, error, sizeof(error));

	if (code) {
		report__error("%s", error);
		return code;
	}
	switch (options.command) {
	case COMMAND_TRACE:
		return run_trace(&options.trace, parent);
	case COMMAND_FUNCTIONS:
		return functions_command__run(options.trace.probes);
	case COMMAND_DOCTOR:
		return doctor_command__run();
	case COMMAND_CHECK:
		return run_check(options.trace.filter);
	case COMMAND_HELP:
		options__print_help();
	}
	return EXIT_CODE_OK;
}
