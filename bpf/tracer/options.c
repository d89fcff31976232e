// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "features.h"
#include "requests.h"
#include "functions.h"

#define BIT(command) (1u << (command))
#define FOR_TRACE BIT(COMMAND_TRACE)
#define FOR_FUNCTIONS BIT(COMMAND_FUNCTIONS)
#define FOR_CHECK BIT(COMMAND_CHECK)

#define MOST_SLOTS 32768 /* 15 bits of a hop's cookie name a slot */
#define LEAST_SLOTS 64
#define LEAST_RING_BYTES 65536
#define MOST_RING_BYTES (1u << 30)
#define MOST_MILLISECONDS (86400ull * 1000)

struct option;

/* Reads `text` into the field. On failure writes what is wrong with the value and returns false. */
typedef bool (*option_parser)(const struct option *option, const char *text, struct trace_options *trace, char *error,
			      size_t error_bytes);

struct option {
	const char *flag;  /* without the dashes */
	const char *value; /* what stands after it; NULL: a switch */
	unsigned int commands;
	option_parser parse;
	size_t field;                   /* offset in struct trace_options */
	unsigned long long least, most; /* of numbers */
	const char *help;
};

static void *option__field(const struct option *option, struct trace_options *trace)
{
	return (char *)trace + option->field;
}

/* ---- values --------------------------------------------------------------------------------------------------------- */

static bool text__read_number(const char *text, int base, unsigned long long *number)
{
	char *end;

	if (!isxdigit((unsigned char)*text)) /* no sign, no blank */
		return false;
	errno = 0;
	*number = strtoull(text, &end, base);
	return !errno && end != text && !*end;
}

static bool option__read_number(const struct option *option, const char *text, unsigned long long *number, char *error,
				size_t error_bytes)
{
	if (text__read_number(text, 10, number) && *number >= option->least && *number <= option->most)
		return true;
	snprintf(error, error_bytes, "--%s takes a number from %llu to %llu, not \"%s\"", option->flag, option->least,
		 option->most, text);
	return false;
}

static bool parse_switch(const struct option *option, const char *text, struct trace_options *trace, char *error,
			 size_t error_bytes)
{
	(void)text;
	(void)error;
	(void)error_bytes;
	*(bool *)option__field(option, trace) = true;
	return true;
}

static bool parse_text(const struct option *option, const char *text, struct trace_options *trace, char *error,
		       size_t error_bytes)
{
	if (*text) {
		*(const char **)option__field(option, trace) = text;
		return true;
	}
	snprintf(error, error_bytes, "--%s is empty", option->flag);
	return false;
}

/* An empty filter is one that matches everything. */
static bool parse_filter(const struct option *option, const char *text, struct trace_options *trace, char *error,
			 size_t error_bytes)
{
	(void)option;
	(void)error;
	(void)error_bytes;
	trace->filter = text;
	return true;
}

static bool parse_number_32(const struct option *option, const char *text, struct trace_options *trace, char *error,
			    size_t error_bytes)
{
	unsigned long long number;

	if (!option__read_number(option, text, &number, error, error_bytes))
		return false;
	*(uint32_t *)option__field(option, trace) = number;
	return true;
}

static bool parse_number_64(const struct option *option, const char *text, struct trace_options *trace, char *error,
			    size_t error_bytes)
{
	unsigned long long number;

	if (!option__read_number(option, text, &number, error, error_bytes))
		return false;
	*(uint64_t *)option__field(option, trace) = number;
	return true;
}

/* The table of journeys is found by masking, the ring buffer is what the kernel allows. */
static bool parse_power_of_two(const struct option *option, const char *text, struct trace_options *trace, char *error,
			       size_t error_bytes)
{
	unsigned long long number;

	if (!option__read_number(option, text, &number, error, error_bytes))
		return false;
	if (number & (number - 1)) {
		snprintf(error, error_bytes, "--%s takes a power of two (such as %llu), not %llu", option->flag,
			 option->least, number);
		return false;
	}
	*(uint32_t *)option__field(option, trace) = number;
	return true;
}

static bool parse_probes(const struct option *option, const char *text, struct trace_options *trace, char *error,
			 size_t error_bytes)
{
	(void)option;
	trace->probes = text;
	return !probe_set__check(text, error, error_bytes);
}

static bool parse_backend(const struct option *option, const char *text, struct trace_options *trace, char *error,
			  size_t error_bytes)
{
	static const enum wire_backend backends[] = {
		WIRE_BACKEND_KPROBE_SESSION,
		WIRE_BACKEND_KPROBE_MULTI,
		WIRE_BACKEND_KPROBE,
		WIRE_BACKEND_TRACEPOINT,
	};

	trace->backend = 0;
	if (!strcmp(text, "auto"))
		return true;
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (!strcmp(text, backend__name(backends[i]))) {
			trace->backend = backends[i];
			return true;
		}
	snprintf(error, error_bytes, "--%s takes auto, kprobe.session, kprobe.multi, kprobe or tracepoint, not \"%s\"",
		 option->flag, text);
	return false;
}

static bool parse_interface(const struct option *option, const char *text, struct trace_options *trace, char *error,
			    size_t error_bytes)
{
	if (strlen(text) < IF_NAMESIZE)
		return parse_text(option, text, trace, error, error_bytes);
	snprintf(error, error_bytes, "--%s: names of interfaces have at most %d bytes, \"%s\" has more", option->flag,
		 IF_NAMESIZE - 1, text);
	return false;
}

/* "VALUE" or "VALUE/MASK", decimal or with 0x */
static bool parse_mark(const struct option *option, const char *text, struct trace_options *trace, char *error,
		       size_t error_bytes)
{
	unsigned long long value, mask = UINT32_MAX;
	const char *slash = strchr(text, '/');
	size_t bytes = slash ? (size_t)(slash - text) : strlen(text);
	char digits[32];

	if (bytes < sizeof(digits)) {
		memcpy(digits, text, bytes);
		digits[bytes] = '\0';
		if (text__read_number(digits, 0, &value) && value <= UINT32_MAX &&
		    (!slash || (text__read_number(slash + 1, 0, &mask) && mask && mask <= UINT32_MAX))) {
			trace->mark_value = value & mask;
			trace->mark_mask = mask;
			return true;
		}
	}
	snprintf(error, error_bytes,
		 "--%s takes VALUE or VALUE/MASK of 32 bits, as in 7 or 0x4000/0xc000, the mask not 0; not \"%s\"",
		 option->flag, text);
	return false;
}

/* "http1,tls", or "off". */
static bool parse_sources(const struct option *option, const char *text, struct trace_options *trace, char *error,
			  size_t error_bytes)
{
	trace->join_sources = 0;
	if (!strcmp(text, "off"))
		return true;
	while (*text) {
		size_t bytes = strcspn(text, ",");
		uint32_t source = request_source__find(text, bytes);

		if (!source) {
			snprintf(error, error_bytes,
				 "--%s takes off, or some of http1,http2,tcp-option,thread,tls,helper, not \"%.*s\"",
				 option->flag, (int)bytes, text);
			return false;
		}
		trace->join_sources |= 1u << source;
		text += bytes + (text[bytes] == ',');
	}
	return true;
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

#define FIELD(name) offsetof(struct trace_options, name)

static const struct option table[] = {
	{ "probes", "SET", FOR_TRACE | FOR_FUNCTIONS, parse_probes, 0, 0, 0,
	  "which functions: drops, core (default), all, or a /regular expression/" },
	{ "backend", "NAME", FOR_TRACE, parse_backend, 0, 0, 0,
	  "how they are attached: auto (default), kprobe.session, kprobe.multi, kprobe, tracepoint" },
	{ "filter", "EXPRESSION", FOR_TRACE | FOR_CHECK, parse_filter, 0, 0, 0,
	  "which packets: a pcap-filter expression" },
	{ "netns", "NAMESPACE", FOR_TRACE, parse_text, FIELD(netns), 0, 0,
	  "first seen in this network namespace: name, path, inode, or pid:PID" },
	{ "interface", "NAME", FOR_TRACE, parse_interface, FIELD(interface), 0, 0, "first seen on this interface" },
	{ "mark", "VALUE[/MASK]", FOR_TRACE, parse_mark, 0, 0, 0, "with this mark" },
	{ "sample", "N", FOR_TRACE, parse_number_32, FIELD(sample_one_in), 1, UINT32_MAX, "one in N (default 1)" },
	{ "rate", "N", FOR_TRACE, parse_number_32, FIELD(rate_per_second), 0, UINT32_MAX,
	  "at most N journeys begun a second (0, the default: no limit)" },
	{ "min-duration-ns", "N", FOR_TRACE, parse_number_64, FIELD(min_duration_ns), 0, MOST_MILLISECONDS * 1000000,
	  "journeys of at least N nanoseconds" },
	{ "dropped-only", NULL, FOR_TRACE, parse_switch, FIELD(dropped_only), 0, 0, "journeys that end in a drop" },
	{ "keep-drops", NULL, FOR_TRACE, parse_switch, FIELD(keep_drops), 0, 0,
	  "--min-duration-ns does not hold for journeys that end in a drop" },
	{ "slots", "N", FOR_TRACE, parse_power_of_two, FIELD(slots), LEAST_SLOTS, MOST_SLOTS,
	  "journeys under way at once, 8 KiB each (default 4096)" },
	{ "ring-bytes", "N", FOR_TRACE, parse_power_of_two, FIELD(ring_bytes), LEAST_RING_BYTES, MOST_RING_BYTES,
	  "ring buffer for finished journeys (default 8388608)" },
	{ "expire-ms", "N", FOR_TRACE, parse_number_64, FIELD(expire_ms), 1, MOST_MILLISECONDS,
	  "end journeys that were not seen for so long (default 30000)" },
	{ "journeys", "N", FOR_TRACE, parse_number_64, FIELD(journeys), 0, UINT64_MAX,
	  "end after N journeys (0, the default: never)" },
	{ "duration-ms", "N", FOR_TRACE, parse_number_64, FIELD(duration_ms), 0, MOST_MILLISECONDS * 365,
	  "end after so long (0, the default: never)" },
	{ "join-sources", "LIST", FOR_TRACE, parse_sources, 0, 0, 0,
	  "where requests of applications are looked for: off, or http1,http2,tcp-option,helper (default), thread, tls" },
	{ "tls-libraries", "PATH,...", FOR_TRACE, parse_text, FIELD(tls_libraries), 0, 0,
	  "with the source tls: libraries and programs with OpenSSL's functions, besides those that processes use now" },
	{ "join-for-ms", "N", FOR_TRACE, parse_number_64, FIELD(join_for_ms), 1, MOST_MILLISECONDS,
	  "with --sampled-only: how long a request lasts at most (default 60000)" },
	{ "sampled-only", NULL, FOR_TRACE, parse_switch, FIELD(sampled_only), 0, 0,
	  "packets of connections that carry a sampled request" },
	{ "exit-with-stdin", NULL, FOR_TRACE, parse_switch, FIELD(exit_with_stdin), 0, 0,
	  "end when standard input ends; lines on it are commands (tracer/commands.h)" },
	{ "chosen-namespaces", NULL, FOR_TRACE, parse_switch, FIELD(chosen_namespaces), 0, 0,
	  "first seen in a network namespace that a command chose: none at first" },
	{ "empty-programs", NULL, FOR_TRACE, parse_switch, FIELD(empty_programs), 0, 0,
	  "attach programs that do nothing, to measure what probes cost by themselves" },
	{ "empty-returns", NULL, FOR_TRACE, parse_switch, FIELD(empty_returns), 0, 0,
	  "with --empty-programs on kprobe.session: take the functions' returns too" },
};

#define OPTION_COUNT (sizeof(table) / sizeof(table[0]))

struct command_row {
	const char *name;
	enum command command;
	const char *help;
};

static const struct command_row commands[] = {
	{ "trace", COMMAND_TRACE, "trace packets, frames (bpf/wire.h) to standard output" },
	{ "functions", COMMAND_FUNCTIONS, "list the functions that take an sk_buff, a JSON object a line" },
	{ "doctor", COMMAND_DOCTOR, "say what this kernel and these rights allow, a JSON object a line" },
	{ "check", COMMAND_CHECK, "compile the filter, and say what is wrong with it" },
	{ "help", COMMAND_HELP, "print this" },
	{ "--help", COMMAND_HELP, NULL },
	{ "-h", COMMAND_HELP, NULL },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

void options__print_help(void)
{
	printf("usage: skbspan-tracer COMMAND [OPTIONS]\n\n"
	       "The kernel side of skbspan; `skbspan` starts it.\n\ncommands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (commands[i].help)
			printf("  %-26s %s\n", commands[i].name, commands[i].help);
	printf("\noptions of trace (--probes of functions too, --filter of check too):\n");
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		char flag[64];

		snprintf(flag, sizeof(flag), "--%s%s%s", table[i].flag, table[i].value ? " " : "",
			 table[i].value ? table[i].value : "");
		printf("  %-26s %s\n", flag, table[i].help);
	}
	printf("\nexit codes: 0 ok, 1 failure, 2 usage, 3 rights missing, 4 the kernel cannot, 5 invalid filter, 6 bad stream\n");
}

/* ---- parsing -------------------------------------------------------------------------------------------------------- */

static const struct option *option__find(const char *name, size_t bytes)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (strlen(table[i].flag) == bytes && !memcmp(table[i].flag, name, bytes))
			return &table[i];
	return NULL;
}

/* Takes one option, "--flag value" or "--flag=value"; returns the arguments used, 0 on a mistake. */
static int options__parse_one(struct options *options, int argc, char **argv, char *error, size_t error_bytes)
{
	const char *name = argv[0] + 2, *equals = strchr(name, '='), *value;
	const struct option *option = NULL;
	int used = 1;

	if (!strncmp(argv[0], "--", 2))
		option = option__find(name, equals ? (size_t)(equals - name) : strlen(name));
	if (!option || !(option->commands & BIT(options->command))) {
		snprintf(error, error_bytes, "%s is no option %s; see skbspan-tracer help", argv[0],
			 option ? "of this command" : "of skbspan-tracer");
		return 0;
	}
	value = equals ? equals + 1 : NULL;
	if (!option->value && value) {
		snprintf(error, error_bytes, "--%s takes no value", option->flag);
		return 0;
	}
	if (option->value && !value) {
		if (argc < 2) {
			snprintf(error, error_bytes, "--%s needs a value: --%s %s", option->flag, option->flag,
				 option->value);
			return 0;
		}
		value = argv[1];
		used = 2;
	}
	return option->parse(option, value, &options->trace, error, error_bytes) ? used : 0;
}

static bool options__parse_command(struct options *options, int argc, char **argv, char *error, size_t error_bytes)
{
	if (argc < 2) {
		snprintf(error, error_bytes, "a command is missing: trace, functions, doctor, check, or help");
		return false;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(argv[1], commands[i].name)) {
			options->command = commands[i].command;
			return true;
		}
	snprintf(error, error_bytes, "there is no command \"%s\": give trace, functions, doctor, check, or help",
		 argv[1]);
	return false;
}

int options__parse(int argc, char **argv, struct options *options, char *error, size_t error_bytes)
{
	*options = (struct options){
		.trace = {
			.probes = "core",
			.sample_one_in = 1,
			.slots = 4096,
			.ring_bytes = 8 * 1024 * 1024,
			.expire_ms = 30000,
			.join_sources = REQUEST_SOURCES_DEFAULT,
			.join_for_ms = 60000,
		},
	};
	if (!options__parse_command(options, argc, argv, error, error_bytes))
		return EXIT_CODE_USAGE;
	if (options->command == COMMAND_HELP)
		return EXIT_CODE_OK;
	for (int at = 2; at < argc;) {
		int used = options__parse_one(options, argc - at, argv + at, error, error_bytes);

		if (!used)
			return EXIT_CODE_USAGE;
		at += used;
	}
	if (options->trace.ring_bytes % sysconf(_SC_PAGESIZE)) {
		snprintf(error, error_bytes, "--ring-bytes takes a multiple of the page size (%ld)",
			 sysconf(_SC_PAGESIZE));
		return EXIT_CODE_USAGE;
	}
	return EXIT_CODE_OK;
}
