// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* Tests of what needs no kernel: names, probe sets, options, JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../commands.h"
#include "../functions.h"
#include "../json.h"
#include "../members.h"
#include "../options.h"
#include "../probe_table.h"
#include "../suffixes.h"
#include "../symbols.h"
#include "check.h"

#define ERROR_BYTES 1024

/* ---- compilers' suffixes ---------------------------------------------------------------------------------------- */

static void test_suffixes_that_can_be_trusted(void)
{
	CHECK(!suffix__refuse("ip_rcv", 1, false));
	CHECK(!suffix__refuse("ip_rcv", 5, false));
	CHECK(!suffix__refuse("ip_rcv.llvm.1234567890", 3, false));
	CHECK(!suffix__refuse("ip_rcv.constprop.0", 1, false));
	CHECK(!suffix__refuse("ip_rcv.constprop.0", 4, true));
	CHECK(!suffix__refuse("ip_rcv.isra.0", 2, true));
	CHECK(!suffix__refuse("ip_rcv.constprop.0.isra.0", 3, true));
	CHECK(!suffix__refuse("ip_rcv.coldest.0", 1, false));
}

static void test_suffixes_that_cannot_be_trusted(void)
{
	CHECK_CONTAINS(suffix__refuse("ip_rcv.cold", 1, true), ".cold");
	CHECK_CONTAINS(suffix__refuse("ip_rcv.constprop.0.cold", 1, true), ".cold");
	CHECK_CONTAINS(suffix__refuse("ip_rcv.part.0", 1, true), ".part");
	CHECK_CONTAINS(suffix__refuse("ip_rcv.isra.0", 1, false), ".isra");
	CHECK_CONTAINS(suffix__refuse("ip_rcv.constprop.0", 2, false), ".constprop");
	CHECK_CONTAINS(suffix__refuse("ip_rcv.constprop.0.isra.0", 1, false), ".isra");
}

/* ---- symbols -------------------------------------------------------------------------------------------------------- */

static struct symbol_table *symbols__of(const char *text)
{
	char path[] = "/tmp/skbspan-symbols-XXXXXX", error[ERROR_BYTES];
	int fd = mkstemp(path);
	struct symbol_table *table;

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	table = symbol_table__read(path, error, sizeof(error));
	unlink(path);
	return table;
}

static void test_symbols_are_found_by_name_and_address(void)
{
	struct symbol_table *table = symbols__of("ffffffff81000000 T _text\n"
						 "ffffffff81000100 t ip_rcv\n"
						 "ffffffff81000200 D a_variable\n"
						 "ffffffff81000300 t ip_rcv.constprop.0\n"
						 "ffffffff81000400 t dst_output\n"
						 "ffffffffc0000100 t veth_xmit\t[veth]\n"
						 "ffffffffc0000000 t dst_output\t[bridge]\n"
						 "ffffffff81000500 W weak_one");
	const struct symbol *symbol;
	uint64_t start = 0;

	CHECK(table != NULL);
	CHECK_NUMBER(symbol_table__count(table), 7);
	CHECK(symbol_table__has_addresses(table));
	CHECK_STRING(symbol_table__find_by_address(table, 0xffffffff81000100, &start), "ip_rcv");
	CHECK_STRING(symbol_table__find_by_address(table, 0xffffffff810002ff, &start), "ip_rcv");
	CHECK_NUMBER(start, (int64_t)0xffffffff81000100);
	CHECK_STRING(symbol_table__find_by_address(table, 0xffffffff81000300, &start), "ip_rcv.constprop.0");
	CHECK_STRING(symbol_table__find_by_address(table, 0xffffffffc00000ff, NULL), "dst_output");
	CHECK_STRING(symbol_table__find_symbol(table, 0xffffffffc0000123)->module, "veth");
	CHECK(!symbol_table__find_by_address(table, 0xffffffff80ffffff, NULL));
	CHECK_NUMBER(symbol_table__find_by_name(table, "veth_xmit")->address, (int64_t)0xffffffffc0000100);
	CHECK(!symbol_table__find_by_name(table, "a_variable"));
	CHECK(!symbol_table__find_by_name(table, "ip_rc"));
	CHECK(!symbol_table__find_by_name(table, "ip_rcv.constprop.1"));

	symbol = symbol_table__first_of_base(table, "ip_rcv");
	CHECK_STRING(symbol->name, "ip_rcv");
	symbol = symbol_table__next_of_base(table, symbol);
	CHECK_STRING(symbol->name, "ip_rcv.constprop.0");
	CHECK(!symbol_table__next_of_base(table, symbol));
	symbol = symbol_table__first_of_base(table, "dst_output");
	CHECK_STRING(symbol->module, "");
	CHECK_STRING(symbol_table__next_of_base(table, symbol)->module, "bridge");
	symbol_table__free(table);
}

static void test_hidden_addresses_are_noticed(void)
{
	struct symbol_table *table = symbols__of("0000000000000000 T _text\n0000000000000000 t ip_rcv\n");

	CHECK(table && !symbol_table__has_addresses(table));
	CHECK_NUMBER(symbol_table__find_by_name(table, "ip_rcv")->address, 0);
	CHECK(!symbol_table__find_by_address(table, 0xffffffff81000000, NULL));
	symbol_table__free(table);
	CHECK(!symbols__of(""));
	CHECK(!symbols__of("no symbols at all\n\n\n"));
}

/* ---- probe sets ----------------------------------------------------------------------------------------------------- */

static struct traced_function some_functions[] = {
	{ .name = "__netif_receive_skb", .attachable = true },
	{ .name = "dst_output", .address = 1, .attachable = true },
	{ .name = "dst_output", .address = 2, .attachable = true },
	{ .name = "ip_rcv", .attachable = true },
	{ .name = "kfree_skb", .attachable = false, .reason = "it is forbidden" },
	{ .name = "tcp_v4_rcv", .attachable = true },
};

static struct function_table some_table = { .functions = some_functions, .count = 6, .attachable = 5 };

static int choose(const char *probes, char error[ERROR_BYTES])
{
	error[0] = '\0';
	return function_table__choose(&some_table, probes, error, ERROR_BYTES);
}

static void test_probe_sets_choose(void)
{
	char error[ERROR_BYTES];

	CHECK_NUMBER(choose("all", error), 5);
	CHECK(!some_functions[4].chosen);
	CHECK_NUMBER(choose("drops", error), 0);
	CHECK(!some_functions[0].chosen);
	CHECK_NUMBER(choose("core", error), 3);
	CHECK(some_functions[0].chosen && some_functions[3].chosen && some_functions[5].chosen);
	CHECK_NUMBER(choose("/^dst_/", error), 2);
	CHECK(some_functions[1].chosen && some_functions[2].chosen && !some_functions[3].chosen);
	CHECK_NUMBER(choose("/rcv$|^dst/", error), 4);
	CHECK_STRING(function_table__find(&some_table, "ip_rcv")->name, "ip_rcv");
	CHECK_NUMBER(function_table__find(&some_table, "dst_output")->address, 1);
	CHECK(!function_table__find(&some_table, "ip_rc"));
}

static void test_probe_sets_that_choose_nothing_say_why(void)
{
	char error[ERROR_BYTES];

	CHECK_NUMBER(choose("/ip_recv/", error), -1);
	CHECK_CONTAINS(error, "nearest name is ip_rcv");
	CHECK_NUMBER(choose("/^kfree/", error), -1);
	CHECK_CONTAINS(error, "kfree_skb: it is forbidden");
	some_table.attachable = 0;
	CHECK_NUMBER(choose("/^nothing/", error), -1);
	CHECK_CONTAINS(error, "skbspan doctor");
	some_table.attachable = 5;
}

static void test_wrong_probe_sets_are_refused(void)
{
	char error[ERROR_BYTES];

	CHECK_NUMBER(probe_set__check("core", error, sizeof(error)), 0);
	CHECK_NUMBER(probe_set__check("/^(ip|tcp)_/", error, sizeof(error)), 0);
	CHECK_NUMBER(probe_set__check("cor", error, sizeof(error)), -1);
	CHECK_CONTAINS(error, "no probe set \"cor\": give drops, core, all");
	CHECK_NUMBER(probe_set__check("", error, sizeof(error)), -1);
	CHECK_NUMBER(probe_set__check("/", error, sizeof(error)), -1);
	CHECK_NUMBER(probe_set__check("//", error, sizeof(error)), -1);
	CHECK_NUMBER(probe_set__check("/open", error, sizeof(error)), -1);
	CHECK_CONTAINS(error, "between two slashes");
	CHECK_NUMBER(probe_set__check("/(ip/", error, sizeof(error)), -1);
	CHECK_CONTAINS(error, "/(ip/");
	CHECK_CONTAINS(error, "regular expression");
}

static void test_core_functions_are_named_once(void)
{
	for (size_t i = 0; i < core_function_count; i++) {
		CHECK(layer__name(core_functions[i].layer) != NULL);
		for (int name = 0; name < CORE_NAMES && core_functions[i].names[name]; name++)
			for (size_t other = i + 1; other < core_function_count; other++)
				for (int k = 0; k < CORE_NAMES && core_functions[other].names[k]; k++)
					if (!strcmp(core_functions[i].names[name], core_functions[other].names[k]))
						CHECK_STRING(core_functions[i].names[name], "in one place only");
	}
}

/* ---- options -------------------------------------------------------------------------------------------------------- */

static int parse(struct options *options, char error[ERROR_BYTES], const char *const *arguments)
{
	char *argv[32] = { (char *)"skbspan-tracer" };
	int argc = 1;

	for (; arguments[argc - 1]; argc++)
		argv[argc] = (char *)arguments[argc - 1];
	error[0] = '\0';
	return options__parse(argc, argv, options, error, ERROR_BYTES);
}

#define PARSE(options, error, ...) parse(options, error, (const char *const[]){ __VA_ARGS__, NULL })

static void test_options_are_read(void)
{
	struct options options;
	char error[ERROR_BYTES];

	CHECK_NUMBER(PARSE(&options, error, "trace"), 0);
	CHECK_NUMBER(options.command, COMMAND_TRACE);
	CHECK_STRING(options.trace.probes, "core");
	CHECK_NUMBER(options.trace.slots, 4096);
	CHECK_NUMBER(options.trace.sample_one_in, 1);
	CHECK(!options.trace.filter && !options.trace.netns && !options.trace.exit_with_stdin);

	CHECK_NUMBER(PARSE(&options, error, "trace", "--probes=/^ip_/", "--backend", "kprobe.multi", "--filter", "-x",
			   "--netns", "pid:1", "--interface", "eth0", "--mark", "0x40ff/0xc00f", "--sample", "100"),
		     0);
	CHECK_STRING(options.trace.probes, "/^ip_/");
	CHECK_NUMBER(options.trace.backend, WIRE_BACKEND_KPROBE_MULTI);
	CHECK_STRING(options.trace.filter, "-x");
	CHECK_STRING(options.trace.netns, "pid:1");
	CHECK_STRING(options.trace.interface, "eth0");
	CHECK_NUMBER(options.trace.mark_value, 0x400f);
	CHECK_NUMBER(options.trace.mark_mask, 0xc00f);
	CHECK_NUMBER(options.trace.sample_one_in, 100);

	CHECK_NUMBER(PARSE(&options, error, "trace", "--min-duration-ns", "5000000000", "--dropped-only",
			   "--keep-drops", "--slots", "32768", "--ring-bytes", "65536", "--expire-ms", "1",
			   "--journeys", "18446744073709551615", "--rate", "50", "--duration-ms", "10",
			   "--exit-with-stdin", "--mark", "7"),
		     0);
	CHECK_NUMBER(options.trace.min_duration_ns, 5000000000);
	CHECK(options.trace.dropped_only && options.trace.keep_drops && options.trace.exit_with_stdin);
	CHECK_NUMBER(options.trace.slots, 32768);
	CHECK_NUMBER(options.trace.ring_bytes, 65536);
	CHECK_NUMBER(options.trace.expire_ms, 1);
	CHECK(options.trace.journeys == UINT64_MAX);
	CHECK_NUMBER(options.trace.rate_per_second, 50);
	CHECK_NUMBER(options.trace.duration_ms, 10);
	CHECK_NUMBER(options.trace.mark_mask, 0xffffffff);
	CHECK_NUMBER(PARSE(&options, error, "functions", "--probes", "all"), 0);
	CHECK_NUMBER(options.command, COMMAND_FUNCTIONS);
	CHECK_NUMBER(PARSE(&options, error, "doctor"), 0);
	CHECK_NUMBER(PARSE(&options, error, "--help"), 0);
	CHECK_NUMBER(options.command, COMMAND_HELP);
}

static void test_mistakes_in_options_are_named(void)
{
	static const struct {
		const char *arguments[4];
		const char *message;
	} mistakes[] = {
		{ { NULL }, "a command is missing" },
		{ { "tracer" }, "no command \"tracer\"" },
		{ { "trace", "--prob", "all" }, "--prob is no option" },
		{ { "trace", "eth0" }, "eth0 is no option" },
		{ { "trace", "-n", "3" }, "-n is no option" },
		{ { "doctor", "--probes", "all" }, "no option of this command" },
		{ { "trace", "--probes" }, "--probes needs a value" },
		{ { "trace", "--probes", "most" }, "no probe set \"most\"" },
		{ { "trace", "--dropped-only=1" }, "takes no value" },
		{ { "trace", "--slots", "4095" }, "power of two" },
		{ { "trace", "--slots", "65536" }, "from 64 to 32768" },
		{ { "trace", "--slots", "-64" }, "not \"-64\"" },
		{ { "trace", "--sample", "0" }, "from 1 to" },
		{ { "trace", "--sample", "4294967296" }, "not \"4294967296\"" },
		{ { "trace", "--journeys", "18446744073709551616" }, "not \"18446744073709551616\"" },
		{ { "trace", "--rate", "5/s" }, "not \"5/s\"" },
		{ { "trace", "--rate", " 5" }, "not \" 5\"" },
		{ { "trace", "--rate", "" }, "not \"\"" },
		{ { "trace", "--interface", "a-name-with-16-b" }, "at most 15 bytes" },
		{ { "trace", "--interface", "" }, "is empty" },
		{ { "trace", "--netns", "" }, "is empty" },
		{ { "trace", "--mark", "1/0" }, "mask not 0" },
		{ { "trace", "--mark", "0x100000000" }, "32 bits" },
		{ { "trace", "--mark", "1/2/3" }, "not \"1/2/3\"" },
		{ { "trace", "--mark", "/2" }, "not \"/2\"" },
		{ { "trace", "--backend", "fentry" }, "not \"fentry\"" },
	};
	struct options options;
	char error[ERROR_BYTES];

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		CHECK_NUMBER(parse(&options, error, mistakes[i].arguments), EXIT_CODE_USAGE);
		CHECK_CONTAINS(error, mistakes[i].message);
	}
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------- */

static void test_json_is_escaped(void)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&text, &bytes);
	struct json_line line;

	json_line__open(&line, file);
	json_line__string(&line, "plain", "a b");
	json_line__string(&line, "escaped", "\"\\/\b\f\n\r\t\x01\x1f\x7f");
	json_line__string(&line, "utf8", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	json_line__string(&line, "broken", "a\xffz\xc3\x28\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80\xe2\x82");
	json_line__number(&line, "most", UINT64_MAX);
	json_line__bool(&line, "yes", true);
	json_line__bool(&line, "no", false);
	json_line__close(&line);
	json_line__open(&line, file);
	json_line__close(&line);
	fclose(file);
#define REPLACED "\xef\xbf\xbd"
	CHECK_STRING(text, "{\"plain\":\"a b\","
			   "\"escaped\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\","
			   "\"utf8\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\","
			   "\"broken\":\"a" REPLACED "z" REPLACED "(" REPLACED REPLACED REPLACED REPLACED REPLACED
				   REPLACED REPLACED REPLACED REPLACED REPLACED REPLACED "\","
			   "\"most\":18446744073709551615,\"yes\":true,\"no\":false}\n{}\n");
	free(text);
}

/* ---- the probe table ----------------------------------------------------------------------------------------------- */

#define MANY_PROBES 1600

static struct plan plan__of_functions(size_t count)
{
	struct plan plan = { .probes = calloc(count, sizeof(*plan.probes)), .count = count };
	uint64_t address = 0xffffffff81000010ull;

	for (size_t i = 0; i < count; i++) {
		address += 16 * (1 + (i * 2654435761u >> 7) % 700); /* functions are aligned, and of all sizes */
		plan.probes[i].kind = WIRE_PROBE_FUNCTION;
		plan.probes[i].address = address;
		plan.probes[i].cookie = PROBE_RECORD | i;
	}
	return plan;
}

static void test_probe_table_finds_the_right_cookie_or_none(void)
{
	struct plan plan = plan__of_functions(MANY_PROBES);
	struct probe_table *table = calloc(1, sizeof(*table));
	size_t misplaced = probe_table__fill(table, &plan), missing = 0;

	for (size_t i = 0; i < plan.count; i++) {
		uint64_t index = PROBE_TABLE_INDEX(plan.probes[i].address, table->multiplier);

		CHECK(index < sizeof(table->entries) / sizeof(table->entries[0]));
		if (table->entries[index].address == plan.probes[i].address)
			CHECK(table->entries[index].cookie == plan.probes[i].cookie);
		else
			missing++;
	}
	CHECK(missing == misplaced);
	CHECK(misplaced < MANY_PROBES / 5); /* 8,192 places and 1,600 at random: 9 % on average */
	free(table);
	plan__free(&plan);
}

/* ---- commands ------------------------------------------------------------------------------------------------------- */

struct given {
	char text[512];
};

static void on_command(void *context, enum command_word word, uint64_t cookie, const char *line)
{
	static const char *const words[] = { "choose", "forget", "scan", "unknown" };
	struct given *given = context;
	size_t used = strlen(given->text);

	(void)line;
	snprintf(given->text + used, sizeof(given->text) - used, "%s %llu;", words[word], (unsigned long long)cookie);
}

static void test_commands_come_in_pieces_of_any_size(void)
{
	static const char stream[] = "choose 5657\nscan\nforget 18446744073709551615\nchoose\nchoose x\nchoose -1\n\n"
				     "choose 18446744073709551616\n";

	for (size_t piece = 1; piece < sizeof(stream); piece++) {
		struct command_reader reader = {};
		struct given given = {};

		for (size_t at = 0; at < sizeof(stream) - 1; at += piece) {
			size_t left = sizeof(stream) - 1 - at;

			command_reader__push(&reader, stream + at, left < piece ? left : piece, on_command, &given);
		}
		CHECK_STRING(given.text, "choose 5657;scan 0;forget 18446744073709551615;unknown 0;unknown 0;unknown 0;"
					 "unknown 0;unknown 18446744073709551615;");
	}
}

static void test_a_command_that_is_too_long_is_unknown(void)
{
	struct command_reader reader = {};
	struct given given = {};

	for (int i = 0; i < 1000; i++)
		command_reader__push(&reader, "scan", 4, on_command, &given);
	command_reader__push(&reader, "\nscan\n", 6, on_command, &given);
	CHECK_STRING(given.text, "unknown 0;scan 0;");
}

/* ---- members -------------------------------------------------------------------------------------------------------- */

static struct wire_member member__of(uint64_t cookie, uint64_t cgroup, const char *name)
{
	struct wire_member member = { .netns_cookie = cookie, .cgroup_id = cgroup };

	strcpy(member.process_name, name);
	return member;
}

static void on_gone(void *context, const struct wire_member *member)
{
	uint64_t *sum = context;

	*sum += member->cgroup_id;
}

static void test_members_are_told_once_and_when_they_are_gone(void)
{
	struct member_table *table = member_table__new();
	struct wire_member app = member__of(5, 1, "app"), other = member__of(5, 1, "other"),
			   far = member__of(6, 2, "app");
	uint64_t gone = 0;

	CHECK(member_table__see(table, &app, 1));
	CHECK(!member_table__see(table, &app, 1));
	CHECK(member_table__see(table, &other, 1));
	CHECK(member_table__see(table, &far, 1));
	CHECK(member_table__knows(table, 5));
	CHECK(!member_table__knows(table, 7));
	CHECK(!member_table__see(table, &app, 2));
	member_table__sweep(table, 2, on_gone, &gone);
	CHECK_NUMBER(gone, 3); /* cgroup 1 of `other`, 2 of `far` */
	CHECK_NUMBER(member_table__count(table), 1);
	CHECK(member_table__knows(table, 5));
	CHECK(!member_table__knows(table, 6));
	CHECK(member_table__see(table, &far, 2));
	member_table__free(table);
}

static void test_members_beyond_the_limit_are_counted(void)
{
	struct member_table *table = member_table__new();
	uint64_t gone = 0;

	for (uint64_t i = 0; i < MOST_MEMBERS + 3; i++) {
		struct wire_member member = member__of(1 + i, i, "app");

		CHECK(member_table__see(table, &member, 1) == (i < MOST_MEMBERS));
	}
	CHECK_NUMBER(member_table__lost(table), 3);
	CHECK(member_table__knows(table, MOST_MEMBERS));
	CHECK(!member_table__knows(table, MOST_MEMBERS + 1));
	member_table__sweep(table, 2, on_gone, &gone);
	CHECK_NUMBER(member_table__count(table), 0);
	CHECK(!member_table__knows(table, 1));
	member_table__free(table);
}

const struct test pure_tests[] = {
	{ "commands-come-in-pieces-of-any-size", test_commands_come_in_pieces_of_any_size, false },
	{ "a-command-that-is-too-long-is-unknown", test_a_command_that_is_too_long_is_unknown, false },
	{ "members-are-told-once-and-when-they-are-gone", test_members_are_told_once_and_when_they_are_gone, false },
	{ "members-beyond-the-limit-are-counted", test_members_beyond_the_limit_are_counted, false },
	{ "suffixes-that-can-be-trusted", test_suffixes_that_can_be_trusted, false },
	{ "suffixes-that-cannot-be-trusted", test_suffixes_that_cannot_be_trusted, false },
	{ "symbols-are-found-by-name-and-address", test_symbols_are_found_by_name_and_address, false },
	{ "hidden-addresses-are-noticed", test_hidden_addresses_are_noticed, false },
	{ "probe-sets-choose", test_probe_sets_choose, false },
	{ "probe-sets-that-choose-nothing-say-why", test_probe_sets_that_choose_nothing_say_why, false },
	{ "wrong-probe-sets-are-refused", test_wrong_probe_sets_are_refused, false },
	{ "core-functions-are-named-once", test_core_functions_are_named_once, false },
	{ "options-are-read", test_options_are_read, false },
	{ "mistakes-in-options-are-named", test_mistakes_in_options_are_named, false },
	{ "json-is-escaped", test_json_is_escaped, false },
	{ "probe-table-finds-the-right-cookie-or-none", test_probe_table_finds_the_right_cookie_or_none, false },
	{ NULL, NULL, false },
};
