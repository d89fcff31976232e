/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Tests of the HTTP parser.
 *
 *   http-test [--seed N] [--count N]   fixed streams in pieces of every kind, N mutated ones: a line of JSON, 1: differences
 *   http-test --kernel [--seed N] ...  the same streams in this machine's kernel (needs root), compared with user space
 *   http-test [--heads 010] --events   standard input is a stream: its events, a line of JSON each;
 *                                      --heads: of responses, which of them answer HEAD
 */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../filter/test/random.h"
#include "test/cases.h"
#include "test/drive.h"
#include "test/kernel.h"

#define TEXT_BYTES 16384
#define STREAM_BYTES 16384
#define MOST_DIFFERENCES 5

static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct stream {
	uint8_t bytes[STREAM_BYTES];
	size_t count;
	bool has_event[STREAM_BYTES]; /* as the case says */
	bool answers_head, answers_connect;
};

struct test {
	uint64_t seed;
	uint32_t count;
	struct random random;
	struct kernel *kernel;
	struct {
		uint32_t cases, mutants;
		uint64_t runs, bytes, heads, traces, lost;
		uint32_t differences;
	} result;
};

/* ---- cases, as cases.h says --------------------------------------------------------------------------------------- */

static void add_byte(struct stream *stream, uint8_t byte)
{
	if (stream->count == STREAM_BYTES) {
		fprintf(stderr, "http-test: a case is longer than %d bytes\n", STREAM_BYTES);
		abort();
	}
	stream->bytes[stream->count++] = byte;
}

static void mark_event(struct stream *stream)
{
	stream->has_event[stream->count - 1] = true;
}

/* The number that stands there; moves `text` behind it. */
static uint32_t read_number(const char **text, int base)
{
	char *end;
	uint32_t number = strtoul(*text, &end, base);

	*text = end;
	return number;
}

static uint8_t read_hex_byte(const char **text)
{
	char digits[3] = { (*text)[0], (*text)[1] };

	*text += 2;
	return strtoul(digits, NULL, 16);
}

static void add_string(struct stream *stream, const char *text, size_t length)
{
	add_byte(stream, length);
	for (size_t i = 0; i < length; i++)
		add_byte(stream, text[i]);
}

/* The characters whose codes have 5 bits, then those with 6, in the order of their codes (RFC 7541 appendix B). */
static void add_huffman(struct stream *stream, const char *text, size_t length)
{
	static const char short_codes[] = "012aceiost", codes[] = " %-./3456789=A_bdfghlmnpru";
	size_t length_at = stream->count;
	uint64_t word = 0;
	unsigned bits = 0;

	add_byte(stream, 0);
	for (size_t i = 0; i < length; i++) {
		const char *is_short = strchr(short_codes, text[i]);
		unsigned code = is_short ? is_short - short_codes : 0x14 + (strchr(codes, text[i]) - codes);

		word = is_short ? word << 5 | code : word << 6 | code;
		for (bits += is_short ? 5 : 6; bits >= 8; bits -= 8)
			add_byte(stream, word >> (bits - 8));
	}
	if (bits)
		add_byte(stream, word << (8 - bits) | ((1 << (8 - bits)) - 1));
	stream->bytes[length_at] = 0x80 | (stream->count - length_at - 1);
}

static void add_frame_header(struct stream *stream, const char **text)
{
	uint8_t type = read_number(text, 16), flags = read_number(text, 16);
	uint32_t id = read_number(text, 16);

	add_byte(stream, 0);
	mark_event(stream);
	add_byte(stream, 0);
	add_byte(stream, 0);
	add_byte(stream, type);
	add_byte(stream, flags);
	for (int shift = 24; shift >= 0; shift -= 8)
		add_byte(stream, id >> shift);
	mark_event(stream);
	if (**text == ':')
		++*text;
}

static void set_frame_length(struct stream *stream, size_t frame_at)
{
	size_t length = stream->count - frame_at - HTTP2_FRAME_HEADER_BYTES;

	stream->bytes[frame_at] = length >> 16;
	stream->bytes[frame_at + 1] = length >> 8;
	stream->bytes[frame_at + 2] = length;
}

static const char *add_quoted(struct stream *stream, const char *c)
{
	const char *end = strchr(c + 1, *c);

	if (*c == '~')
		add_huffman(stream, c + 1, end - c - 1);
	else
		add_string(stream, c + 1, end - c - 1);
	return end + 1;
}

static const char *add_repeated(struct stream *stream, const char *c)
{
	uint32_t count;
	uint8_t byte;

	c++;
	count = read_number(&c, 10);
	c++;
	byte = read_hex_byte(&c);
	while (count--)
		add_byte(stream, byte);
	return c;
}

static void add_preface(struct stream *stream)
{
	for (size_t i = 0; i < HTTP2_PREFACE_BYTES; i++) {
		add_byte(stream, preface[i]);
		if (!i)
			mark_event(stream);
	}
}

static void read_http2(struct stream *stream, const char *c)
{
	size_t frame_at = 0;

	while (*c) {
		if (*c == '\'' || *c == '~') {
			c = add_quoted(stream, c);
		} else if (*c == '*') {
			c = add_repeated(stream, c);
		} else if (*c == '{') {
			c++;
			frame_at = stream->count;
			add_frame_header(stream, &c);
		} else if (isxdigit(*c)) {
			add_byte(stream, read_hex_byte(&c));
		} else {
			if (*c == '}')
				set_frame_length(stream, frame_at);
			else if (*c == '|')
				mark_event(stream);
			else if (*c == 'P')
				add_preface(stream);
			c++;
		}
	}
}

static void read_case(struct stream *stream, const struct http_case *item)
{
	memset(stream, 0, sizeof(*stream));
	stream->answers_head = item->answers_head;
	stream->answers_connect = item->answers_connect;
	if (item->is_http2) {
		read_http2(stream, item->input);
		return;
	}
	for (const char *c = item->input; *c; c++) {
		if (*c == '|')
			mark_event(stream);
		else
			add_byte(stream, *c);
	}
}

/* ---- running ------------------------------------------------------------------------------------------------------ */

static void begin(struct http_parser *p, const struct stream *stream)
{
	memset(p, 0, sizeof(*p));
	p->next_has_no_body = stream->answers_head;
	p->next_is_tunnel = stream->answers_connect;
}

/* What a run found: the text of all events, with their places. */
struct found {
	char text[TEXT_BYTES];
	size_t length;
	uint64_t places; /* a hash */
	struct test *test;
	const struct stream *stream;
	bool expects;
};

static void fail(struct test *test, const char *name, const char *what, const char *actual, const char *expected)
{
	printf("DIFFERENCE: %s: %s\n  got      %s\n  expected %s\n", name, what, actual, expected);
	test->result.differences++;
}

static bool is_hex_zero(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i])
			return false;
	return true;
}

static void take_events(void *context, struct http_parser *p, uint64_t offset, uint32_t events)
{
	struct found *found = context;
	const struct http_trace *trace = &p->trace;

	found->places = (found->places ^ offset ^ (uint64_t)events << 32) * 0x9e3779b97f4a7c15ull;
	if (found->length && found->length < TEXT_BYTES - 128)
		found->text[found->length++] = ' ';
	if (found->length < TEXT_BYTES - 128)
		found->length += drive__describe(found->text + found->length, TEXT_BYTES - found->length, p, events);
	found->test->result.heads += !!(events & HTTP_EVENT_HEAD);
	found->test->result.lost += !!(events & HTTP_EVENT_LOST);
	if (found->expects && !found->stream->has_event[offset])
		fail(found->test, found->text, "an event at a byte that has none", "", "");
	if (!(events & HTTP_EVENT_HEAD) || !trace->found)
		return;
	found->test->result.traces++;
	if (is_hex_zero(trace->trace_id, 16) || is_hex_zero(trace->span_id, 8))
		fail(found->test, found->text, "an invalid trace context", "", "");
}

/* `piece` bytes at a time; 0: two pieces, the first of `split` bytes. */
static void run(struct found *found, struct test *test, const struct stream *stream, size_t piece, size_t split)
{
	struct http_parser p;
	uint64_t offset = 0;
	size_t at = 0;

	found->length = found->places = 0;
	found->text[0] = '\0';
	found->test = test;
	found->stream = stream;
	begin(&p, stream);
	while (at < stream->count) {
		size_t count = piece ? piece : at ? stream->count - at : split ? split : stream->count;

		if (count > stream->count - at)
			count = stream->count - at;
		drive__piece(&p, stream->bytes + at, count, &offset, take_events, found);
		at += count;
	}
	test->result.runs++;
	test->result.bytes += stream->count;
}

static void ignore_events(void *context, struct http_parser *p, uint64_t offset, uint32_t events)
{
	(void)context, (void)p, (void)offset, (void)events;
}

/* Many bytes at once leave the parser as each by itself does. */
static void compare_words(struct test *test, const char *name, const struct stream *stream)
{
	struct http_parser p, by_words;
	uint64_t offset = 0;
	size_t at = 0;

	begin(&p, stream);
	by_words = p;
	while (p.skip < stream->count - at) {
		at += p.skip;
		p.skip = 0;
		http__take(&p, stream->bytes[at]);
		at++;
	}
	p.skip -= stream->count - at;
	drive__piece(&by_words, stream->bytes, stream->count, &offset, ignore_events, NULL);
	if (memcmp(&p, &by_words, sizeof(p)))
		fail(test, name, "another state when words are taken", "", "");
	test->result.runs++;
}

static void compare_kernel(struct test *test, const char *name, const struct stream *stream)
{
	static uint8_t events[STREAM_BYTES], actual[STREAM_BYTES];
	struct http_parser p, in_kernel;
	size_t at = 0;

	begin(&p, stream);
	in_kernel = p;
	memset(events, 0, sizeof(events));
	while (p.skip < stream->count - at) {
		at += p.skip;
		p.skip = 0;
		events[at] = http__take(&p, stream->bytes[at]);
		at++;
	}
	p.skip -= stream->count - at;
	if (kernel__run(test->kernel, &in_kernel, stream->bytes, stream->count, actual)) {
		fail(test, name, "cannot be run in the kernel", "", "");
		return;
	}
	if (memcmp(events, actual, stream->count))
		fail(test, name, "other events in the kernel", "", "");
	if (memcmp(&p, &in_kernel, sizeof(p)))
		fail(test, name, "another state in the kernel", "", "");
	test->result.runs++;
}

static void test_case(struct test *test, const struct http_case *item)
{
	static struct stream stream;
	static struct found whole, other;
	uint32_t events = 0, expected = 0;

	read_case(&stream, item);
	whole.expects = true;
	run(&whole, test, &stream, 0, 0);
	if (strcmp(whole.text, item->events))
		fail(test, item->name, "other events", whole.text, item->events);
	for (size_t i = 0; i < stream.count; i++)
		expected += stream.has_event[i];
	for (const char *c = whole.text; *c; c++)
		events += *c == ' ' && (c[1] >= 'A' && c[1] <= 'Z');
	events += whole.length != 0;
	if (events != expected)
		fail(test, item->name, "not an event at every byte that has one", whole.text, item->events);
	for (size_t piece = 1; piece <= 3; piece++) {
		run(&other, test, &stream, piece, 0);
		if (other.places != whole.places)
			fail(test, item->name, "other events in pieces", other.text, whole.text);
	}
	for (size_t split = 1; split < stream.count; split++) {
		run(&other, test, &stream, 0, split);
		if (other.places != whole.places)
			fail(test, item->name, "other events in two pieces", other.text, whole.text);
	}
	compare_words(test, item->name, &stream);
	if (test->kernel)
		compare_kernel(test, item->name, &stream);
	test->result.cases++;
}

/* ---- mutants ------------------------------------------------------------------------------------------------------ */

static void mutate(struct stream *stream, struct random *random)
{
	uint32_t changes = random__between(random, 1, 8);

	while (changes-- && stream->count) {
		uint32_t at = random__below(random, stream->count), from = random__below(random, stream->count);

		switch (random__below(random, 5)) {
		case 0:
			stream->bytes[at] = random__next(random);
			break;
		case 1:
			stream->bytes[at] ^= 1 << random__below(random, 8);
			break;
		case 2: /* leave out */
			memmove(stream->bytes + at, stream->bytes + at + 1, stream->count - at - 1);
			stream->count -= stream->count > 1;
			break;
		case 3: /* repeat */
			if (stream->count == STREAM_BYTES)
				break;
			memmove(stream->bytes + at + 1, stream->bytes + at, stream->count - at);
			stream->count++;
			break;
		case 4: { /* copy a part */
			uint32_t most = stream->count - (at > from ? at : from);

			memmove(stream->bytes + at, stream->bytes + from,
				random__between(random, 0, most > 64 ? 64 : most));
		}
		}
	}
}

static void make_random(struct stream *stream, struct random *random)
{
	memset(stream, 0, sizeof(*stream));
	stream->count = random__between(random, 1, 2000);
	for (size_t i = 0; i < stream->count; i++)
		stream->bytes[i] = random__next(random);
}

static void test_mutants(struct test *test)
{
	static struct stream stream;
	static struct found whole, other;
	char name[64];

	if (!http_case_count)
		abort();
	for (uint32_t i = 0; i < test->count && test->result.differences < MOST_DIFFERENCES; i++) {
		snprintf(name, sizeof(name), "mutant %u", i);
		if (random__chance(&test->random, 5)) {
			make_random(&stream, &test->random);
		} else {
			read_case(&stream, &http_cases[random__below(&test->random, http_case_count)]);
			mutate(&stream, &test->random);
		}
		run(&whole, test, &stream, 0, 0);
		run(&other, test, &stream, random__between(&test->random, 1, 9), 0);
		if (other.places != whole.places)
			fail(test, name, "other events in pieces", other.text, whole.text);
		compare_words(test, name, &stream);
		if (test->kernel)
			compare_kernel(test, name, &stream);
		test->result.mutants++;
	}
}

/* ---- single facts ------------------------------------------------------------------------------------------------- */

static void expect(struct test *test, bool holds, const char *what)
{
	if (!holds)
		fail(test, what, "does not hold", "", "");
}

static void test_starts(struct test *test)
{
	static const struct {
		const char *bytes;
		uint32_t count;
		bool can_start;
	} starts[] = {
		{ "GET / HTTP/1.1", 14, true },
		{ "G", 1, true },
		{ "POS", 3, true },
		{ "OPTIONS ", 8, true },
		{ "HTTP/1.1 200", 12, true },
		{ "HTTP/2 200", 10, false },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24, true },
		{ "PRI", 3, true },
		{ "GETS", 4, false },
		{ "get ", 4, false },
		{ "GETTING", 7, false },
		{ "", 0, false },
		{ "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\144", 15, true },
		{ "\0\0\0\4\0\0\0\0\0", 9, true },
		{ "\0\0\0\4\1\0\0\0\0", 9, false },
		{ "\0\0\5\4\0\0\0\0\0", 9, false },
		{ "\0\0\6\4\0\0\0\0\1", 9, false },
		{ "\0\0\6\4\0\0\0", 7, false },
		{ "\x16\3\1\2\0\1\0\1\xfc\3\3", 11, false },
		{ "*1\r\n$4\r\nPING\r\n", 14, false },
		{ "SSH-2.0-OpenSSH", 15, false },
	};

	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		uint8_t bytes[HTTP_START_BYTES] = { 0 };

		memcpy(bytes, starts[i].bytes, starts[i].count < sizeof(bytes) ? starts[i].count : sizeof(bytes));
		expect(test, http__can_start(bytes, starts[i].count) == starts[i].can_start, starts[i].bytes);
	}
}

/* Of RFC 7541 appendix B: the first and the last code of each length. */
static void test_code_lengths(struct test *test)
{
	static const struct {
		uint8_t length;
		uint32_t first, last;
	} codes[] = {
		{ 10, 0x3f8, 0x3fc },         { 11, 0x7fa, 0x7fc },           { 12, 0xffa, 0xffb },
		{ 13, 0x1ff8, 0x1ffd },       { 14, 0x3ffc, 0x3ffd },         { 15, 0x7ffc, 0x7ffe },
		{ 19, 0x7fff0, 0x7fff2 },     { 20, 0xfffe6, 0xfffed },       { 21, 0x1fffdc, 0x1fffe8 },
		{ 22, 0x3fffd2, 0x3fffeb },   { 23, 0x7fffd8, 0x7ffff4 },     { 24, 0xffffea, 0xfffff5 },
		{ 25, 0x1ffffec, 0x1ffffef }, { 26, 0x3ffffe0, 0x3ffffee },   { 27, 0x7ffffde, 0x7fffff0 },
		{ 28, 0xfffffe2, 0xffffffe }, { 30, 0x3ffffffc, 0x3fffffff },
	};

	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		unsigned rest = HPACK_LONGEST_CODE - codes[i].length;

		expect(test, hpack__long_length(codes[i].first << rest) == codes[i].length,
		       "the first code of a length");
		expect(test, hpack__long_length((codes[i].last + 1ull) * (1ull << rest) - 1) == codes[i].length,
		       "the last code of a length");
	}
	for (uint32_t prefix = 0; prefix < 64; prefix++)
		expect(test,
		       hpack_lengths[prefix] == (prefix < 20   ? 5 :
						 prefix < 0x2e ? 6 :
						 prefix < 0x3e ? 7 :
								 8),
		       "a code of 5 to 8 bits");
}

/* Takes the text and counts it; returns the events of its bytes together. */
static uint32_t take_text(struct http_parser *p, const char *text, uint64_t *bytes)
{
	uint32_t events = 0;

	for (; *text; text++, ++*bytes)
		events |= http__take(p, *text);
	return events;
}

/* Fields until `head_bytes` are taken, then a traceparent and the end. */
static uint32_t take_head(struct http_parser *p, uint64_t head_bytes)
{
	uint64_t bytes = 0;
	uint32_t events = take_text(p, "GET / HTTP/1.1\r\nx: ", &bytes);
	static const char end[] = "\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n";

	while (bytes < head_bytes - (sizeof(end) - 1))
		events |= take_text(p, "y", &bytes);
	return events | take_text(p, end, &bytes);
}

static void test_bounds(struct test *test)
{
	struct http_parser p = { 0 };
	uint32_t events = take_head(&p, HTTP_MAX_HEAD_BYTES);

	expect(test, (events & HTTP_EVENT_HEAD) && p.trace.found, "the largest head is taken");
	events = take_head(&p, HTTP_MAX_HEAD_BYTES);
	expect(test, (events & HTTP_EVENT_HEAD) && p.trace.found, "bytes are counted by message");
	events = take_head(&p, HTTP_MAX_HEAD_BYTES + 1);
	expect(test, (events & HTTP_EVENT_LOST) && p.state == HTTP_LOST, "a larger head is not followed");
	expect(test, !http__take(&p, 'G') && p.skip, "what is lost stays lost, without an event");
}

/* ---- events of standard input ------------------------------------------------------------------------------------- */

/* `*heads`: of the responses that follow, '1' for one that answers HEAD. */
static void tell_head(struct http_parser *p, const char **heads)
{
	p->next_has_no_body = **heads == '1';
	if (**heads)
		++*heads;
}

static void print_events(void *context, struct http_parser *p, uint64_t offset, uint32_t events)
{
	char text[256];

	if (events & HTTP_EVENT_HEAD && !p->is_http2 && p->is_response && p->status >= 200)
		tell_head(p, context);
	drive__describe(text, sizeof(text), p, events);
	printf("{\"offset\":%llu,\"events\":\"%s\"}\n", (unsigned long long)offset, text);
}

static int show_events(const char *heads)
{
	static uint8_t bytes[65536];
	struct http_parser p = { 0 };
	uint64_t offset = 0;
	ssize_t count;

	tell_head(&p, &heads);
	while ((count = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0)
		drive__piece(&p, bytes, count, &offset, print_events, &heads);
	return count ? 3 : 0;
}

/* ---- */

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' }, { "count", required_argument, NULL, 'c' },
		{ "kernel", no_argument, NULL, 'k' },     { "heads", required_argument, NULL, 'h' },
		{ "events", no_argument, NULL, 'e' },     { 0 }
	};
	static struct test test = { .seed = 1, .count = 20000 };
	bool wants_kernel = false;
	const char *heads = "";
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			test.seed = strtoull(optarg, NULL, 0);
		else if (option == 'c')
			test.count = strtoul(optarg, NULL, 0);
		else if (option == 'k')
			wants_kernel = true;
		else if (option == 'h')
			heads = optarg;
		else if (option == 'e')
			return show_events(heads);
		else
			return 2;
	}
	test.random.state = test.seed;
	if (wants_kernel && !(test.kernel = kernel__open()))
		return 3;
	test_starts(&test);
	test_bounds(&test);
	test_code_lengths(&test);
	for (size_t i = 0; i < http_case_count; i++)
		test_case(&test, &http_cases[i]);
	test_mutants(&test);
	printf("{\"seed\":%llu,\"cases\":%u,\"mutants\":%u,\"runs\":%llu,\"bytes\":%llu,\"heads\":%llu,\"traces\":%llu,"
	       "\"lost\":%llu,\"parserBytes\":%zu,\"verifiedInsns\":%u,\"differences\":%u}\n",
	       (unsigned long long)test.seed, test.result.cases, test.result.mutants,
	       (unsigned long long)test.result.runs, (unsigned long long)test.result.bytes,
	       (unsigned long long)test.result.heads, (unsigned long long)test.result.traces,
	       (unsigned long long)test.result.lost, sizeof(struct http_parser),
	       test.kernel ? kernel__verified_insns(test.kernel) : 0, test.result.differences);
	if (test.kernel)
		kernel__close(test.kernel);
	return test.result.differences ? 1 : 0;
}
