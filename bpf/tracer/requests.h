/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Applications' requests and the trace context that they carry: an object of BPF programs beside the tracer's, never in its way. */
#ifndef SKBSPAN_TRACER_REQUESTS_H
#define SKBSPAN_TRACER_REQUESTS_H

#include <stddef.h>
#include <stdint.h>

#include "../wire.h"

struct bpf_object;
struct symbol_table;
struct requests;

#define REQUEST_SOURCES_DEFAULT                                                                                        \
	(1u << WIRE_REQUEST_SOURCE_HTTP1 | 1u << WIRE_REQUEST_SOURCE_HTTP2 | 1u << WIRE_REQUEST_SOURCE_TCP_OPTION |    \
	 1u << WIRE_REQUEST_SOURCE_HELPER)

/* Those that need the programs. */
#define REQUEST_SOURCES_OF_SOCKETS                                                                                     \
	(1u << WIRE_REQUEST_SOURCE_HTTP1 | 1u << WIRE_REQUEST_SOURCE_HTTP2 | 1u << WIRE_REQUEST_SOURCE_HELPER |        \
	 1u << WIRE_REQUEST_SOURCE_TLS | 1u << WIRE_REQUEST_SOURCE_THREAD)

struct requests_options {
	uint32_t sources; /* bits of enum wire_request_source */
	uint64_t join_for_ns;
	const struct symbol_table *symbols; /* may be NULL */
	const char *tls_libraries;          /* besides those that processes have mapped; may be NULL */
};

/* The number of a source ("http1"), 0: there is none of this name. */
uint32_t request_source__find(const char *name, size_t bytes);

/*
 * Loads and attaches the programs; they use maps of `tracer`, an object that is loaded. NULL when this kernel cannot. In both
 * cases `said` gets a sentence: what is seen and what is not, and why.
 */
struct requests *requests__open(struct bpf_object *tracer, const struct requests_options *options, char *said,
				size_t said_bytes);

/* Closes the links. */
void requests__detach(struct requests *requests);

/* May be NULL. */
void requests__free(struct requests *requests);

#endif
