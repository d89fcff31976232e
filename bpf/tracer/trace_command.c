// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "trace_command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../filter/filter.h"
#include "../programs/shared.h"
#include "capabilities.h"
#include "commands.h"
#include "drain.h"
#include "drop_reasons.h"
#include "features.h"
#include "functions.h"
#include "inventory.h"
#include "kernel_btf.h"
#include "kernel_symbols.h"
#include "namespaces.h"
#include "object.h"
#include "options.h"
#include "plan.h"
#include "probe_table.h"
#include "report.h"
#include "requests.h"
#include "stream.h"
#include "symbols.h"

#define ERROR_BYTES 2048
#define DEBUG_VARIABLE "SKBSPAN_TRACER_DEBUG"
#define POLL_MS 5
#define POLL_IDLE_MS 20
#define EXPIRE_EVERY_NS 250000000ull
#define REPORT_EVERY_NS 1000000000ull

static volatile sig_atomic_t stopping;

/* All that one run holds; released in reverse order. */
struct trace {
	const struct trace_options *options;
	enum wire_backend backend;
	uint64_t netns_inode;
	struct filter_program filter;
	struct symbol_table *symbols;
	struct function_table *functions;
	struct plan plan;
	struct bpf_object *object;
	struct attachment *attachment;
	struct stream *stream;
	struct drain *drain;
	struct namespace_table *namespaces;
	struct inventory *inventory;
	struct requests *requests;
	char said_of_requests[ERROR_BYTES];
	struct command_reader commands;
	bool said_command_failure;
	uint64_t node_inode;
	uint64_t attach_duration_ns;
	char error[ERROR_BYTES];
};

static uint64_t clock__now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void on_signal(int signal)
{
	(void)signal;
	stopping = 1;
}

static void signals__install(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* ---- what is to be done --------------------------------------------------------------------------------------------- */

static int trace__compile_filter(struct trace *trace)
{
	return filter__compile(trace->options->filter, &trace->filter, trace->error, sizeof(trace->error)) ?
		       EXIT_CODE_FILTER :
		       0;
}

static int trace__resolve_netns(struct trace *trace)
{
	if (!trace->options->netns)
		return 0;
	return namespace__resolve(trace->options->netns, &trace->netns_inode, trace->error, sizeof(trace->error)) ?
		       EXIT_CODE_USAGE :
		       0;
}

static int trace__choose_backend(struct trace *trace)
{
	struct features features;

	features__probe(&features);
	if (trace->options->backend) {
		trace->backend = trace->options->backend;
		return features__check_backend(&features, trace->backend, trace->error, sizeof(trace->error));
	}
	if (!strcmp(trace->options->probes, "drops")) {
		trace->backend = WIRE_BACKEND_DROPS;
		return features__check_backend(&features, WIRE_BACKEND_TRACEPOINT, trace->error, sizeof(trace->error));
	}
	return features__choose_backend(&features, &trace->backend, trace->error, sizeof(trace->error));
}

static bool backend__uses_functions(enum wire_backend backend)
{
	return backend != WIRE_BACKEND_TRACEPOINT && backend != WIRE_BACKEND_DROPS;
}

static int trace__make_plan(struct trace *trace)
{
	trace->symbols = kernel_symbols__read(trace->error, sizeof(trace->error));
	if (!trace->symbols)
		return EXIT_CODE_KERNEL;
	if (backend__uses_functions(trace->backend)) {
		trace->functions = function_table__discover(trace->symbols, trace->error, sizeof(trace->error));
		if (!trace->functions)
			return EXIT_CODE_KERNEL;
		if (function_table__choose(trace->functions, trace->options->probes, trace->error,
					   sizeof(trace->error)) < 0)
			return EXIT_CODE_USAGE;
	}
	if (plan__make(&trace->plan, trace->backend, trace->functions)) {
		snprintf(trace->error, sizeof(trace->error), "out of memory");
		return EXIT_CODE_FAILURE;
	}
	return 0;
}

/* ---- load and attach ------------------------------------------------------------------------------------------------ */

static void trace__set_trampolines(const struct trace *trace, struct settings *settings)
{
	static const char *const names[TRAMPOLINES] = { "arch_rethook_trampoline", "return_to_handler" };

	for (int i = 0; i < TRAMPOLINES; i++) {
		const struct symbol *symbol = symbol_table__find_by_name(trace->symbols, names[i]);

		if (symbol)
			settings->trampolines[i] = symbol->address;
	}
}

static void trace__set_settings(const struct trace *trace)
{
	const struct trace_options *options = trace->options;
	size_t bytes;
	struct settings *settings = (struct settings *)bpf_map__initial_value(
		bpf_object__find_map_by_name(trace->object, ".rodata"), &bytes);

	settings->set_mask = options->slots / SLOTS_PER_SET - 1;
	settings->netns_inode = trace->netns_inode;
	settings->mark_value = options->mark_value;
	settings->mark_mask = options->mark_mask;
	settings->sample_one_in = options->sample_one_in;
	settings->rate_per_second = options->rate_per_second;
	settings->dropped_only = options->dropped_only;
	settings->keep_drops = options->keep_drops;
	settings->min_duration_ns = options->min_duration_ns;
	if (options->interface)
		memcpy(settings->interface_name, options->interface, strlen(options->interface));
	settings->namespaces_are_chosen = options->chosen_namespaces;
	settings->sampled_only = options->sampled_only;
	settings->sampled_for_ns = options->join_for_ms * 1000000ull;
	settings->hears_applications = options->join_sources >> WIRE_REQUEST_SOURCE_HELPER & 1;
	settings->reads_tcp_option = options->join_sources >> WIRE_REQUEST_SOURCE_TCP_OPTION & 1;
	settings->filter_present = !trace->filter.matches_everything;
	settings->filter_reads_link = trace->filter.reads_link_addresses;
	settings->ends_may_be_unseen = trace->backend == WIRE_BACKEND_TRACEPOINT;
	settings->drop_looks = 1;
	trace__set_trampolines(trace, settings);
	for (size_t i = 0; i < trace->plan.count; i++) {
		const struct probe *probe = &trace->plan.probes[i];

		if (probe->kind != WIRE_PROBE_TRACEPOINT)
			continue;
		settings->tracepoints[probe->place].cookie = probe->cookie;
		settings->tracepoints[probe->place].argument = probe->argument;
	}
}

/* Only where the kernel would search: a kprobe of its own has its cookie at hand. */
static void trace__set_probe_table(const struct trace *trace)
{
	struct bpf_map *map = bpf_object__find_map_by_name(trace->object, ".rodata.probe_table");
	size_t bytes;

	if (trace->backend == WIRE_BACKEND_KPROBE_SESSION || trace->backend == WIRE_BACKEND_KPROBE_MULTI)
		probe_table__fill((struct probe_table *)bpf_map__initial_value(map, &bytes), &trace->plan);
}

static void trace__size_maps(const struct trace *trace)
{
	struct bpf_object *object = trace->object;

	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "tags"), trace->options->slots / SLOTS_PER_SET);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "slots"), trace->options->slots);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "ring"), trace->options->ring_bytes);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "prologues"),
				 PROLOGUE_RING * libbpf_num_possible_cpus());
}

/* The verifier's log is for developers: what a user needs is the line with the cause, which is near the end. */
static char last_libbpf_warning[ERROR_BYTES];

static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	va_list again; /* a list can be read once */

	va_copy(again, arguments);
	if (level == LIBBPF_WARN)
		vsnprintf(last_libbpf_warning, sizeof(last_libbpf_warning), format, again);
	va_end(again);
	if (getenv(DEBUG_VARIABLE))
		return vfprintf(stderr, format, arguments);
	return 0;
}

static struct attach_options trace__attach_options(const struct trace *trace)
{
	return (struct attach_options){
		.backend = trace->backend,
		.empty_programs = trace->options->empty_programs,
		.empty_returns = trace->options->empty_returns,
	};
}

static int trace__load(struct trace *trace)
{
	struct attach_options options = trace__attach_options(trace);
	struct session_functions session = session_functions__find();
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int failure;

	setrlimit(RLIMIT_MEMLOCK,
		  &unlimited); /* before 5.11 maps are locked memory; fails without the right, which then shows below */
	trace->object = tracer_object__open(&trace->filter, &session, trace->error, sizeof(trace->error));
	if (!trace->object)
		return EXIT_CODE_FAILURE;
	trace__size_maps(trace);
	trace__set_settings(trace);
	trace__set_probe_table(trace);
	attach__choose_programs(trace->object, &options, trace->plan.probes, trace->plan.count);
	failure = bpf_object__load(trace->object);
	if (!failure)
		return 0;
	snprintf(
		trace->error, sizeof(trace->error),
		"the kernel refused the BPF programs: %s (%.200s); run `skbspan doctor`, and set SKBSPAN_TRACER_DEBUG=1 to see its log",
		strerror(-failure), last_libbpf_warning);
	return failure == -EPERM ? EXIT_CODE_RIGHTS : EXIT_CODE_KERNEL;
}

static int trace__attach(struct trace *trace)
{
	struct attach_options options = trace__attach_options(trace);
	uint64_t start = clock__now_ns(CLOCK_MONOTONIC);

	trace->attachment = attach__probes(trace->object, &options, trace->plan.probes, trace->plan.count, trace->error,
					   sizeof(trace->error));
	trace->attach_duration_ns = clock__now_ns(CLOCK_MONOTONIC) - start;
	return trace->attachment ? 0 : EXIT_CODE_KERNEL;
}

/* Without it, packets are traced all the same. */
static int trace__open_requests(struct trace *trace)
{
	struct requests_options options = {
		.sources = trace->options->join_sources,
		.join_for_ns = trace->options->join_for_ms * 1000000ull,
		.symbols = trace->symbols,
		.tls_libraries = trace->options->tls_libraries,
	};

	if (options.sources & REQUEST_SOURCES_OF_SOCKETS && !trace->options->empty_programs)
		trace->requests = requests__open(trace->object, &options, trace->said_of_requests,
						 sizeof(trace->said_of_requests));
	return 0;
}

static int trace__open_inventory(struct trace *trace)
{
	trace->inventory = inventory__open();
	if (trace->inventory)
		return 0;
	snprintf(trace->error, sizeof(trace->error), "out of memory");
	return EXIT_CODE_FAILURE;
}

static int trace__drop_rights(struct trace *trace)
{
	return capabilities__drop_all(trace->error, sizeof(trace->error)) ? EXIT_CODE_FAILURE : 0;
}

/* ---- the stream's head: what the exporter must know before the first journey --------------------------------------- */

static void host_id__read(char *id, size_t bytes)
{
	FILE *file = fopen("/etc/machine-id", "re");

	if (!file)
		return;
	if (fgets(id, bytes, file))
		id[strcspn(id, "\n")] = '\0';
	fclose(file);
}

static void trace__write_hello(struct trace *trace)
{
	struct wire_hello hello = {
		.start_monotonic_ns = clock__now_ns(CLOCK_MONOTONIC),
		.start_realtime_ns = clock__now_ns(CLOCK_REALTIME),
		.attach_duration_ns = trace->attach_duration_ns,
		.node_netns_inode = trace->node_inode,
		.backend = trace->backend,
		.cpu_count = libbpf_num_possible_cpus(),
		.discovered_functions = trace->functions ? trace->functions->count : 0,
		.attached_functions = plan__attached(&trace->plan),
		.skb_bytes = kernel_btf__sk_buff_bytes(),
	};
	struct utsname system;

	hello.skipped_functions = trace->plan.chosen - hello.attached_functions;
	uname(&system);
	snprintf(hello.kernel_release, sizeof(hello.kernel_release), "%.63s", system.release);
	snprintf(hello.host_name, sizeof(hello.host_name), "%.63s", system.nodename);
	host_id__read(hello.host_id, sizeof(hello.host_id));
	snprintf(hello.filter, sizeof(hello.filter), "%s", trace->options->filter ? trace->options->filter : "");
	stream__hello(trace->stream, &hello);
}

static void trace__write_probes(struct trace *trace)
{
	for (size_t i = 0; i < trace->plan.count; i++) {
		const struct probe *probe = &trace->plan.probes[i];
		struct wire_probe frame = {
			.address = probe->address,
			.index = i,
			.kind = probe->kind,
			.argument = probe->kind == WIRE_PROBE_TRACEPOINT ? probe->argument + 1 : probe->argument,
			.return_kind = probe->return_kind,
		};

		if (probe->attached)
			stream__probe(trace->stream, &frame, probe->name, probe->symbol, probe->module);
	}
}

static void trace__write_reasons(struct trace *trace)
{
	struct drop_reason_table *table = drop_reason_table__discover();

	for (size_t i = 0; table && i < table->count; i++)
		stream__drop_reason(trace->stream, table->reasons[i].value, table->reasons[i].name);
	drop_reason_table__free(table);
}

static void on_namespace_changed(void *context, enum namespace_change change, uint64_t inode, const char *name)
{
	struct trace *trace = context;
	uint32_t flags = inode == trace->node_inode ? WIRE_NAMESPACE_NODE : 0;

	if (change == NAMESPACE_GONE)
		flags |= WIRE_NAMESPACE_GONE;
	stream__namespace(trace->stream, inode, flags, name);
	if (change == NAMESPACE_GONE && inode == trace->netns_inode)
		stream__message(trace->stream, WIRE_MESSAGE_WARNING,
				"the network namespace %s (--netns) went away: nothing more will match", name);
}

static int trace__open_stream(struct trace *trace)
{
	struct drain_options options = {
		.slots = trace->options->slots,
		.expire_ns = trace->options->expire_ms * 1000000ull,
		.symbols = trace->symbols,
		.attachment = trace->attachment,
		.inventory = trace->inventory,
	};

	trace->stream = stream__new(STDOUT_FILENO, &stopping);
	trace->namespaces = namespace_table__new();
	if (!trace->stream || !trace->namespaces) {
		snprintf(trace->error, sizeof(trace->error), "out of memory");
		return EXIT_CODE_FAILURE;
	}
	trace->drain = drain__new(trace->object, trace->stream, &options, trace->error, sizeof(trace->error));
	if (!trace->drain)
		return EXIT_CODE_FAILURE;
	trace__write_hello(trace);
	trace__write_probes(trace);
	trace__write_reasons(trace);
	stream__namespace(trace->stream, trace->node_inode, WIRE_NAMESPACE_NODE, "");
	namespace_table__scan(trace->namespaces, on_namespace_changed, trace);
	inventory__scan(trace->inventory, trace->stream);
	if (trace->requests || trace->options->join_sources & 1u << WIRE_REQUEST_SOURCE_TCP_OPTION)
		stream__request(trace->stream, &(struct wire_request){ 0 });
	if (*trace->said_of_requests)
		stream__message(trace->stream, WIRE_MESSAGE_INFO, "%s", trace->said_of_requests);
	stream__clock(trace->stream);
	stream__flush(trace->stream);
	return 0;
}

/* ---- the loop -------------------------------------------------------------------------------------------------------- */

static void on_command(void *context, enum command_word word, uint64_t cookie, const char *line)
{
	struct trace *trace = context;
	int namespaces = bpf_object__find_map_fd_by_name(trace->object, "chosen_namespaces"), failure = 0;
	uint8_t chosen = 1;

	if (word == COMMAND_WORD_SCAN)
		inventory__want_scan(trace->inventory);
	else if (word == COMMAND_WORD_CHOOSE)
		failure = bpf_map_update_elem(namespaces, &cookie, &chosen, BPF_ANY);
	else if (word == COMMAND_WORD_FORGET)
		bpf_map_delete_elem(namespaces, &cookie); /* what was not there is gone too */
	else
		failure = -EINVAL;
	if (!failure || trace->said_command_failure)
		return;
	trace->said_command_failure = true;
	stream__message(trace->stream, WIRE_MESSAGE_WARNING, "the tracer cannot do as it was told (\"%s\"): %s", line,
			strerror(-failure));
}

/* Waits a little, the less the more there was to do, and not when standard input ends and that is to end the trace. */
static void trace__wait(struct trace *trace, size_t taken)
{
	int timeout_ms = taken == 0 ? POLL_IDLE_MS : taken < DRAIN_TAKE_MOST ? POLL_MS : 0;
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char bytes[4096];
	ssize_t count;

	if (poll(&input, trace->options->exit_with_stdin ? 1 : 0, timeout_ms) <= 0)
		return;
	count = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (count > 0)
		command_reader__push(&trace->commands, bytes, count, on_command, trace);
	else
		stopping = 1;
}

static void trace__report(struct trace *trace)
{
	namespace_table__scan(trace->namespaces, on_namespace_changed, trace);
	stream__clock(trace->stream);
	drain__write_stats(trace->drain);
}

static bool trace__limit_reached(const struct trace *trace, uint64_t start, uint64_t now)
{
	const struct trace_options *options = trace->options;

	if (options->journeys && drain__sent(trace->drain) >= options->journeys)
		return true;
	return options->duration_ms && now - start >= options->duration_ms * 1000000ull;
}

static enum wire_end_cause trace__run(struct trace *trace)
{
	uint64_t start = clock__now_ns(CLOCK_MONOTONIC), expired = start, reported = start;

	while (!stopping) {
		size_t taken;
		uint64_t now;

		/* processes before their packets: so a journey seldom has to wait for the name of its pod */
		inventory__take(trace->inventory, trace->stream);
		taken = drain__take(trace->drain);
		now = clock__now_ns(CLOCK_MONOTONIC);
		if (now - expired >= EXPIRE_EVERY_NS) {
			drain__expire(trace->drain);
			expired = now;
		}
		if (now - reported >= REPORT_EVERY_NS) {
			trace__report(trace);
			reported = now;
		}
		if (stream__flush(trace->stream))
			return WIRE_END_FAILURE;
		if (trace__limit_reached(trace, start, now))
			return WIRE_END_LIMIT;
		trace__wait(trace, taken);
	}
	return WIRE_END_REQUESTED;
}

static int trace__finish(struct trace *trace, enum wire_end_cause cause)
{
	int failure;

	attachment__detach(trace->attachment);
	requests__detach(trace->requests);
	drain__expire_all(trace->drain);
	drain__write_stats(trace->drain);
	stream__end(trace->stream, cause);
	failure = stream__error(trace->stream);
	if (!failure || failure == EPIPE) /* a reader that has had enough is no failure */
		return EXIT_CODE_OK;
	snprintf(trace->error, sizeof(trace->error), "cannot write the stream: %s; %llu journeys were lost",
		 strerror(failure), (unsigned long long)stream__lost_journeys(trace->stream));
	return EXIT_CODE_FAILURE;
}

static void trace__free(struct trace *trace)
{
	drain__free(trace->drain);
	if (trace->stream)
		stream__free(trace->stream);
	if (trace->namespaces)
		namespace_table__free(trace->namespaces);
	attachment__free(trace->attachment);
	inventory__free(trace->inventory);
	requests__free(trace->requests);
	bpf_object__close(trace->object);
	plan__free(&trace->plan);
	if (trace->functions)
		function_table__free(trace->functions);
	if (trace->symbols)
		symbol_table__free(trace->symbols);
	filter__free(&trace->filter);
	kernel_btf__free_all();
}

int trace_command__run(const struct trace_options *options)
{
	static const struct {
		const char *name;
		int (*run)(struct trace *);
	} steps[] = {
		{ "filter", trace__compile_filter },
		{ "netns", trace__resolve_netns },
		{ "backend", trace__choose_backend },
		{ "plan", trace__make_plan },
		{ "load", trace__load },
		{ "attach", trace__attach },
		{ "requests", trace__open_requests },
		{ "inventory", trace__open_inventory },
		{ "rights", trace__drop_rights },
		{ "stream", trace__open_stream },
	};
	struct trace trace = { .options = options, .node_inode = namespace__node_inode() };
	int code = EXIT_CODE_OK;

	signals__install();
	libbpf_set_print(on_libbpf_message);
	for (size_t i = 0; !code && !stopping && i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint64_t start = clock__now_ns(CLOCK_MONOTONIC);

		code = steps[i].run(&trace);
		if (getenv(DEBUG_VARIABLE))
			fprintf(stderr, "skbspan-tracer: %s took %.1f ms\n", steps[i].name,
				(clock__now_ns(CLOCK_MONOTONIC) - start) / 1e6);
	}
	if (!code && trace.drain)
		code = trace__finish(&trace, trace__run(&trace));
	if (code)
		report__error("%s", trace.error);
	trace__free(&trace);
	return code;
}
