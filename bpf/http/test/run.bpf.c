/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The parser in the kernel, driven as the tracer drives it: in a loop of bpf_loop, its state in a map. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "../parser.h"
#include "run.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct http_parser);
} parsers SEC(".maps");

struct run_input input SEC(".data.in");
struct run_output output SEC(".data.out");

struct walk {
	struct http_parser *parser;
	__u32 at;
};

static long take(__u32 turn, struct walk *walk)
{
	struct http_parser *p = walk->parser;
	__u64 left;
	__u32 at = walk->at;

	if (at >= input.count || at >= RUN_BYTES)
		return 1;
	left = input.count - at;
	if (p->skip >= left) {
		p->skip -= left;
		return 1;
	}
	at += p->skip;
	p->skip = 0;
	walk->at = at + 1;
	output.events[at & (RUN_BYTES - 1)] = http__take(p, input.bytes[at & (RUN_BYTES - 1)]);
	output.taken++;
	return 0;
}

SEC("raw_tracepoint")
int http_run(void *ctx)
{
	__u32 key = 0;
	struct walk walk = { .parser = bpf_map_lookup_elem(&parsers, &key) };

	if (!walk.parser)
		return -1;
	bpf_loop(RUN_BYTES, take, &walk, 0);
	return 0;
}

SEC("raw_tracepoint")
int http_can_start(void *ctx)
{
	return http__can_start(input.bytes, input.count);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
