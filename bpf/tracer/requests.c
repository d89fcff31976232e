// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "requests.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "../programs/requests.h"
#include "kernel_btf.h"
#include "symbols.h"
#include "thread_contexts.h"
#include "tls_libraries.h"

/* programs/requests.bpf.c, compiled: see the Makefile. */
__asm__(".section .rodata\n"
	".balign 16\n"
	".global embedded_requests_object\n"
	"embedded_requests_object:\n"
	".incbin \"" EMBEDDED_OBJECT_PATH "\"\n"
	".global embedded_requests_object_end\n"
	"embedded_requests_object_end:\n"
	".previous\n");
extern const char embedded_requests_object[], embedded_requests_object_end[];

/* A way to see what is sent, or what is received. The first that works is taken. */
struct way {
	const char *program;
	const char *at;             /* of sends */
	const char *needs_function; /* of the kernel, callable from programs */
	bool needs_pages;
};

static const struct way send_ways[] = {
	{ .program = "send_function", .at = "a function" },
	{ .program = "send_tracepoint", .at = "a tracepoint" },
};

static const struct way receive_ways[] = {
	{ .program = "receive_packet", .needs_function = "bpf_dynptr_from_skb" },
	{ .program = "receive_pages", .needs_pages = true },
	{ .program = NULL },
};

#define WAYS(table) (sizeof(table) / sizeof(table[0]))
#define MOST_LINKS 2

struct requests {
	struct bpf_object *object;
	struct bpf_link *links[MOST_LINKS];
	size_t link_count;
	struct tls_libraries *libraries;
};

static const struct {
	const char *name;
	uint32_t source;
} source_names[] = {
	{ "http1", WIRE_REQUEST_SOURCE_HTTP1 },
	{ "http2", WIRE_REQUEST_SOURCE_HTTP2 },
	{ "tcp-option", WIRE_REQUEST_SOURCE_TCP_OPTION },
	{ "thread", WIRE_REQUEST_SOURCE_THREAD },
	{ "tls", WIRE_REQUEST_SOURCE_TLS },
	{ "helper", WIRE_REQUEST_SOURCE_HELPER },
};

uint32_t request_source__find(const char *name, size_t bytes)
{
	for (size_t i = 0; i < sizeof(source_names) / sizeof(source_names[0]); i++)
		if (strlen(source_names[i].name) == bytes && !memcmp(source_names[i].name, name, bytes))
			return source_names[i].source;
	return 0;
}

/* The maps that the tracer's own programs use too. */
static int maps__share(struct bpf_object *object, struct bpf_object *tracer)
{
	static const char *const names[] = { "cpu_states", "ring", "told", "requests_state", "sampled_flows" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = bpf_object__find_map_fd_by_name(tracer, names[i]);
		int failure = fd < 0 ? fd : bpf_map__reuse_fd(bpf_object__find_map_by_name(object, names[i]), fd);

		if (failure)
			return failure;
	}
	return 0;
}

/* Of a variable of the kernel; 0: not known. */
static uint64_t symbol__address(const struct symbol_table *symbols, const char *name)
{
	const struct symbol *symbol = symbols ? symbol_table__find_by_name(symbols, name) : NULL;

	return symbol ? symbol->address : 0;
}

static void object__set_settings(struct bpf_object *object, const struct requests_options *options,
				 bool infers_responses)
{
	size_t bytes;
	struct requests_settings *settings = (struct requests_settings *)bpf_map__initial_value(
		bpf_object__find_map_by_name(object, ".rodata"), &bytes);

	settings->infers_responses = infers_responses;
	settings->sources = options->sources;
	settings->sampled_for_ns = options->join_for_ns;
	settings->page_offset_base_at = symbol__address(options->symbols, "page_offset_base");
	settings->vmemmap_base_at = symbol__address(options->symbols, "vmemmap_base");
}

static bool options__want(const struct requests_options *options, enum wire_request_source source)
{
	return options->sources >> source & 1;
}

/* Memory for what nobody asked for: a map cannot have none at all. */
#define FEWEST_SESSIONS 64

static void object__choose(struct bpf_object *object, const struct requests_options *options, const struct way *send,
			   const struct way *receive)
{
	bool with_tls = options__want(options, WIRE_REQUEST_SOURCE_TLS);
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		const char *name = bpf_program__name(program);

		bpf_program__set_autoload(program, !strcmp(name, send->program) ||
							   (receive->program && !strcmp(name, receive->program)) ||
							   (with_tls && tls_libraries__is_program(name)));
	}
	if (with_tls)
		return;
	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "tls_sessions"), FEWEST_SESSIONS);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "tls_calls"), FEWEST_SESSIONS);
}

static int object__load(struct bpf_object **object, struct bpf_object *tracer, const struct requests_options *options,
			const struct way *send, const struct way *receive)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_options, .object_name = "skbspan_requests");
	int failure = 0;

	*object = bpf_object__open_mem(embedded_requests_object,
				       embedded_requests_object_end - embedded_requests_object, &open_options);
	if (!*object)
		return -errno;
	object__choose(*object, options, send, receive);
	if (tracer)
		failure = maps__share(*object, tracer);
	object__set_settings(*object, options, !receive->program);
	if (!failure)
		failure = bpf_object__load(*object);
	if (failure) {
		bpf_object__close(*object);
		*object = NULL;
	}
	return failure;
}

static int way__attach(struct requests *requests, const struct way *way)
{
	struct bpf_program *program = bpf_object__find_program_by_name(requests->object, way->program);
	struct bpf_link *link = bpf_program__attach(program);

	if (!link)
		return -errno;
	requests->links[requests->link_count++] = link;
	return 0;
}

/* Whether the addresses of pages can be told, which receive_pages needs. */
static bool symbols__tell_of_memory(const struct symbol_table *symbols)
{
	return symbol__address(symbols, "page_offset_base") && symbol__address(symbols, "vmemmap_base");
}

/* Not tried where it cannot work: the other programs would be verified again, which takes most of the time. */
static bool way__is_possible(const struct way *way, const struct requests_options *options)
{
	const struct btf *kernel = kernel_btf__vmlinux();

	if (way->needs_function && (!kernel || btf__find_by_name_kind(kernel, way->needs_function, BTF_KIND_FUNC) < 0))
		return false;
	return !way->needs_pages || symbols__tell_of_memory(options->symbols);
}

static int requests__try(struct requests *requests, struct bpf_object *tracer, const struct requests_options *options,
			 const struct way *send, const struct way *receive)
{
	int failure = object__load(&requests->object, tracer, options, send, receive);

	if (!failure)
		failure = way__attach(requests, send);
	if (!failure && receive->program)
		failure = way__attach(requests, receive);
	if (failure) {
		requests__detach(requests);
		bpf_object__close(requests->object);
		requests->object = NULL;
	}
	return failure;
}

/* The first pair of ways that works. */
static int requests__find_way(struct requests *requests, struct bpf_object *tracer,
			      const struct requests_options *options, char *said, size_t said_bytes)
{
	int failure = -ENOENT;

	for (size_t send = 0; send < WAYS(send_ways); send++)
		for (size_t receive = 0; receive < WAYS(receive_ways); receive++) {
			if (!way__is_possible(&receive_ways[receive], options))
				continue;
			failure = requests__try(requests, tracer, options, &send_ways[send], &receive_ways[receive]);
			if (failure)
				continue;
			snprintf(said, said_bytes, "requests are seen where they are sent (%s)%s", send_ways[send].at,
				 receive_ways[receive].program ? " and where they are received" :
								 ", but not where they are received");
			return 0;
		}
	return failure;
}

__attribute__((format(printf, 3, 4))) static void sentence__add(char *said, size_t said_bytes, const char *format, ...)
{
	size_t used = strlen(said);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(said + used, said_bytes - used, format, arguments);
	va_end(arguments);
}

/* What more than headers was asked for. */
static void requests__open_more(struct requests *requests, const struct requests_options *options, char *said,
				size_t said_bytes)
{
	char more[512];

	if (options__want(options, WIRE_REQUEST_SOURCE_TLS)) {
		requests->libraries =
			tls_libraries__attach(requests->object, options->tls_libraries, more, sizeof(more));
		sentence__add(said, said_bytes, "; %s", more);
	}
	if (options__want(options, WIRE_REQUEST_SOURCE_THREAD)) {
		thread_contexts__find(requests->object, more, sizeof(more));
		sentence__add(said, said_bytes, "; %s", more);
	}
}

#define SOURCES_THAT_READ_PROCESSES (1u << WIRE_REQUEST_SOURCE_TLS | 1u << WIRE_REQUEST_SOURCE_THREAD)

struct requests *requests__open(struct bpf_object *tracer, const struct requests_options *options, char *said,
				size_t said_bytes)
{
	struct requests *requests = calloc(1, sizeof(*requests));
	struct requests_options fewer = *options;
	int failure = requests ? requests__find_way(requests, tracer, options, said, said_bytes) : -ENOMEM;

	if (!failure) {
		requests__open_more(requests, options, said, said_bytes);
		return requests;
	}
	fewer.sources &= ~SOURCES_THAT_READ_PROCESSES;
	if (requests && fewer.sources != options->sources &&
	    !requests__find_way(requests, tracer, &fewer, said, said_bytes)) {
		sentence__add(said, said_bytes,
			      "; TLS libraries and threads are not looked into: the kernel refused the programs: %s",
			      strerror(-failure));
		return requests;
	}
	snprintf(said, said_bytes, "requests of applications are not seen: %s", strerror(-failure));
	free(requests);
	return NULL;
}

void requests__detach(struct requests *requests)
{
	if (!requests)
		return;
	for (size_t i = 0; i < requests->link_count; i++)
		bpf_link__destroy(requests->links[i]);
	requests->link_count = 0;
	tls_libraries__free(requests->libraries);
	requests->libraries = NULL;
}

void requests__free(struct requests *requests)
{
	if (!requests)
		return;
	requests__detach(requests);
	bpf_object__close(requests->object);
	free(requests);
}
