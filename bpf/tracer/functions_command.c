// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "functions_command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "features.h"
#include "functions.h"
#include "json.h"
#include "kernel_btf.h"
#include "kernel_symbols.h"
#include "options.h"
#include "report.h"
#include "return_kinds.h"
#include "symbols.h"

static void function__print(const struct traced_function *function)
{
	struct json_line line;

	json_line__open(&line, stdout);
	json_line__string(&line, "name", function->name);
	json_line__string(&line, "symbol", function->symbol);
	json_line__string(&line, "module", function->module);
	json_line__number(&line, "argument", function->argument);
	json_line__string(&line, "returns", return_kind__name(function->return_kind));
	if (layer__name(function->layer))
		json_line__string(&line, "layer", layer__name(function->layer));
	json_line__bool(&line, "attachable", function->attachable);
	json_line__bool(&line, "chosen", function->chosen);
	if (function->reason)
		json_line__string(&line, "reason", function->reason);
	json_line__close(&line);
}

static bool kernel__attaches_functions(struct features *features)
{
	static const enum wire_backend backends[] = { WIRE_BACKEND_KPROBE_SESSION, WIRE_BACKEND_KPROBE_MULTI,
						      WIRE_BACKEND_KPROBE };
	char ignored[1024];

	features__probe(features);
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (!features__check_backend(features, backends[i], ignored, sizeof(ignored)))
			return true;
	return false;
}

static int table__print(struct function_table *table, const char *probes)
{
	struct features features;
	char error[2048];

	if (!kernel__attaches_functions(&features)) {
		features__check_backend(&features, WIRE_BACKEND_KPROBE, error, sizeof(error));
		report__warning("no function can be attached, these are only listed: %s", error);
		function_table__forbid(table, "nothing can be attached to functions here: see `skbspan doctor`");
	} else if (function_table__choose(table, probes, error, sizeof(error)) < 0) {
		report__error("%s", error);
		return EXIT_CODE_USAGE;
	}
	for (size_t i = 0; i < table->count; i++)
		function__print(&table->functions[i]);
	if (fflush(stdout) || ferror(stdout)) {
		report__error("cannot write the list of functions: %s", strerror(errno));
		return EXIT_CODE_FAILURE;
	}
	return EXIT_CODE_OK;
}

int functions_command__run(const char *probes)
{
	struct symbol_table *symbols;
	struct function_table *table;
	char error[2048];
	int code;

	symbols = kernel_symbols__read(error, sizeof(error));
	if (!symbols) {
		report__error("%s", error);
		return EXIT_CODE_KERNEL;
	}
	table = function_table__discover(symbols, error, sizeof(error));
	if (table) {
		code = table__print(table, probes);
	} else {
		report__error("%s", error);
		code = EXIT_CODE_KERNEL;
	}
	function_table__free(table);
	symbol_table__free(symbols);
	kernel_btf__free_all();
	return code;
}
