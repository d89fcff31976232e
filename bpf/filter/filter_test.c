/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Differential test of the filter: the same packets by libpcap's interpreter and by the translation in the kernel.
 *
 *   filter-test [--seed N] [--count N] [--packets N]
 *   filter-test --explain EXPRESSION     only compiles it: what filter__compile says
 *
 * Tests the fixed expressions, N random expressions and N random classic programs. Prints a line of JSON; on a
 * difference the expression, its classic code and the packet, and exits with 1. Needs root (CAP_BPF, CAP_PERFMON).
 */
#include <getopt.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"
#include "test/cases.h"
#include "test/kernel.h"

#define EXPRESSION_BYTES 2048
#define BATCH 32 /* filters that look at the same packets */
#define MOST_DIFFERENCES 5

struct filter_case {
	char name[EXPRESSION_BYTES];
	struct classic_program classic;
	int program;
};

struct test {
	uint64_t seed;
	uint32_t count, packets;
	struct random random;
	struct kernel *kernel;
	struct filter_case batch[BATCH];
	uint32_t batched;
	struct {
		uint32_t expressions, programs, refused, too_long, verified_insns;
		uint64_t comparisons, matched, far;
		uint32_t differences;
	} result;
};

/* ---- comparing ---------------------------------------------------------------------------------------------------- */

static bool libpcap_matches(const struct classic_program *classic, const struct packet *packet)
{
	return bpf_filter((const struct bpf_insn *)classic->insns, packet->bytes, packet->wire_bytes,
			  packet->buffer_bytes) != 0;
}

static void report(struct test *test, const struct filter_case *filter, const struct packet *packet, int answer)
{
	struct bpf_insn *insns = (struct bpf_insn *)filter->classic.insns;

	printf("DIFFERENCE: libpcap says %d, the kernel %d (-1: could not run), for\n  %s\n", !answer, answer,
	       filter->name);
	for (size_t i = 0; i < filter->classic.count; i++)
		printf("  %s\n", bpf_image(insns + i, i));
	printf("on wire_bytes=%u buffer_bytes=%u", packet->wire_bytes, packet->buffer_bytes);
	for (uint32_t i = 0; i < packet->buffer_bytes; i++)
		printf("%s%02x", i % 32 ? " " : "\n  ", packet->bytes[i]);
	printf("\n");
	test->result.differences++;
}

static void compare_batch(struct test *test)
{
	static struct packet packet;

	for (uint32_t i = 0; i < test->packets && test->result.differences < MOST_DIFFERENCES; i++) {
		packet__generate(&packet, &test->random);
		kernel__set_packet(test->kernel, &packet, &test->random);
		test->result.far += packet.buffer_bytes > 192;
		for (uint32_t j = 0; j < test->batched; j++) {
			const struct filter_case *filter = &test->batch[j];
			bool expected = libpcap_matches(&filter->classic, &packet);
			int answer = kernel__matches(filter->program);

			test->result.comparisons++;
			test->result.matched += expected;
			if (answer != expected)
				report(test, filter, &packet, answer);
		}
	}
}

static void run_batch(struct test *test)
{
	compare_batch(test);
	for (uint32_t i = 0; i < test->batched; i++) {
		close(test->batch[i].program);
		classic__free(&test->batch[i].classic);
	}
	test->batched = 0;
}

/* Takes over the classic program's instructions. */
static void add_case(struct test *test, const char *name, const struct classic_program *classic,
		     const struct filter_program *program)
{
	struct filter_case *filter = &test->batch[test->batched];
	uint32_t verified;

	snprintf(filter->name, sizeof(filter->name), "%s", name);
	filter->classic = *classic;
	filter->program = kernel__load(test->kernel, program);
	if (filter->program < 0) {
		printf("DIFFERENCE: libpcap accepts it, the kernel does not load it:\n  %s\n", name);
		test->result.differences++;
		return;
	}
	verified = kernel__verified_insns(filter->program);
	if (verified > test->result.verified_insns)
		test->result.verified_insns = verified;
	if (++test->batched == BATCH)
		run_batch(test);
}

/* ---- expressions -------------------------------------------------------------------------------------------------- */

/* False when libpcap refuses it: it does when a filter can never match. */
static bool add_expression(struct test *test, const char *expression)
{
	char message[FILTER_ERROR_BYTES];
	struct classic_program classic;
	struct filter_program program;

	if (classic__compile(expression, &classic, message, sizeof(message)))
		return false;
	if (filter__compile(expression, &program, message, sizeof(message))) {
		printf("DIFFERENCE: libpcap accepts it, filter__compile says:\n%s\n", message);
		test->result.differences++;
		classic__free(&classic);
		return true;
	}
	add_case(test, expression, &classic, &program);
	filter__free(&program);
	test->result.expressions++;
	return true;
}

static void test_expressions(struct test *test)
{
	char expression[EXPRESSION_BYTES];

	for (size_t i = 0; i < case_expression_count; i++) {
		if (add_expression(test, case_expressions[i]))
			continue;
		printf("DIFFERENCE: libpcap does not compile: %s\n", case_expressions[i]);
		test->result.differences++;
	}
	while (test->result.expressions < test->count && test->result.differences < MOST_DIFFERENCES) {
		expression__generate(expression, sizeof(expression), &test->random);
		if (!add_expression(test, expression))
			test->result.refused++;
	}
	run_batch(test);
}

/* ---- classic programs --------------------------------------------------------------------------------------------- */

static void test_programs(struct test *test)
{
	char message[FILTER_ERROR_BYTES], name[64];

	while (test->result.programs < test->count && test->result.differences < MOST_DIFFERENCES) {
		struct classic_program classic = { .insns = calloc(CLASSIC_MAX_INSNS, sizeof(struct classic_insn)) };
		struct filter_program program;

		if (!classic.insns)
			abort();
		classic__generate(&classic, &test->random);
		snprintf(name, sizeof(name), "(random classic program %u)", test->result.programs++);
		if (!bpf_validate((const struct bpf_insn *)classic.insns, classic.count)) {
			printf("DIFFERENCE: the generator made an invalid program\n");
			test->result.differences++;
		}
		if (classic__translate(&classic, &program, message, sizeof(message))) {
			test->result.too_long += strstr(message, "too long") != NULL;
			test->result.differences += strstr(message, "too long") == NULL;
			classic__free(&classic);
			continue;
		}
		add_case(test, name, &classic, &program);
		filter__free(&program);
	}
	run_batch(test);
}

/* ---- single facts ------------------------------------------------------------------------------------------------- */

static void expect(struct test *test, bool holds, const char *what)
{
	if (holds)
		return;
	printf("DIFFERENCE: expected: %s\n", what);
	test->result.differences++;
}

/* Where the far part cannot be read, a filter that needs it does not match. */
static void test_unreadable(struct test *test)
{
	struct packet packet = { .buffer_bytes = 400, .wire_bytes = 400 };
	char message[FILTER_ERROR_BYTES];
	struct filter_program program;
	int loaded;

	if (filter__compile("ether[300:4] = 0", &program, message, sizeof(message)))
		abort();
	loaded = kernel__load(test->kernel, &program);
	kernel__set_packet(test->kernel, &packet, &test->random);
	expect(test, kernel__matches(loaded) == 1, "a far word matches");
	kernel__break_far(test->kernel);
	expect(test, kernel__matches(loaded) == 0, "an unreadable far word does not match");
	close(loaded);
	filter__free(&program);
}

static int load_classic(struct test *test, const struct classic_program *classic)
{
	char message[FILTER_ERROR_BYTES];
	struct filter_program program;
	int loaded;

	if (classic__translate(classic, &program, message, sizeof(message)))
		abort();
	loaded = kernel__load(test->kernel, &program);
	filter__free(&program);
	return loaded;
}

/* libpcap's interpreter may leave scratch memory as it finds it; ours is 0, as in the kernel. Kernels before 6.3 refuse
 * a program that does not see to it. */
static void test_scratch_memory(struct test *test)
{
	struct classic_insn insns[] = { { .code = BPF_LD | BPF_MEM, .k = 3 },
					{ .code = BPF_JMP | BPF_JEQ | BPF_K, .jump_false = 1, .k = 0 },
					{ .code = BPF_RET | BPF_K, .k = 1 },
					{ .code = BPF_RET | BPF_K, .k = 0 } };
	int loaded = load_classic(test, &(struct classic_program){ insns, COUNT_OF(insns) });

	expect(test, kernel__matches(loaded) == 1, "scratch memory starts as 0");
	close(loaded);
}

static void test_facts(struct test *test)
{
	static const struct {
		const char *expression;
		bool everything, link;
	} facts[] = { { "", true, false },
		      { " \t\n", true, false },
		      { "ip", false, false },
		      { "ether host 02:00:00:00:00:01", false, true },
		      { "tcp port 80 or ether src 02:00:00:00:00:01", false, true },
		      { "ether[10:4] = 1", false, true },
		      { "vlan 3 and tcp", false, false } };
	char message[FILTER_ERROR_BYTES];

	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		struct filter_program program;

		if (filter__compile(facts[i].expression, &program, message, sizeof(message)))
			abort();
		if (program.matches_everything != facts[i].everything || program.reads_link_addresses != facts[i].link)
			expect(test, false, facts[i].expression);
		filter__free(&program);
	}
}

/* ---- */

static int explain(const char *expression)
{
	char message[FILTER_ERROR_BYTES];
	struct filter_program program;

	if (filter__compile(expression, &program, message, sizeof(message))) {
		puts(message);
		return 5;
	}
	printf("%zu instructions\n", program.count);
	filter__free(&program);
	return 0;
}

static int parse(struct test *test, int argc, char **argv)
{
	static const struct option options[] = { { "seed", required_argument, NULL, 's' },
						 { "count", required_argument, NULL, 'c' },
						 { "packets", required_argument, NULL, 'p' },
						 { "explain", required_argument, NULL, 'e' },
						 { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			test->seed = strtoull(optarg, NULL, 0);
		else if (option == 'c')
			test->count = strtoul(optarg, NULL, 0);
		else if (option == 'p')
			test->packets = strtoul(optarg, NULL, 0);
		else if (option == 'e')
			exit(explain(optarg));
		else
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct test test = { .count = 2000, .packets = 100 };

	test.seed = time(NULL);
	if (parse(&test, argc, argv))
		return 2;
	test.random.state = test.seed;
	test.kernel = kernel__open();
	if (!test.kernel)
		return 3;
	test_facts(&test);
	test_unreadable(&test);
	test_scratch_memory(&test);
	test_expressions(&test);
	test_programs(&test);
	kernel__close(test.kernel);
	printf("{\"seed\":%llu,\"expressions\":%u,\"refusedByLibpcap\":%u,\"programs\":%u,\"tooLong\":%u,\"comparisons\":%llu,"
	       "\"matched\":%llu,\"mostVerifiedInsns\":%u,\"differences\":%u}\n",
	       (unsigned long long)test.seed, test.result.expressions, test.result.refused, test.result.programs,
	       test.result.too_long, (unsigned long long)test.result.comparisons,
	       (unsigned long long)test.result.matched, test.result.verified_insns, test.result.differences);
	return test.result.differences ? 1 : 0;
}
