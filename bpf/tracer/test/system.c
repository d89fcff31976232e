// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* Tests of what needs an operating system: pipes, namespaces, rights, the parent's death. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../capabilities.h"
#include "../namespaces.h"
#include "../stream.h"
#include "check.h"

#define ERROR_BYTES 1024

/* ---- the stream ----------------------------------------------------------------------------------------------------- */

static size_t descriptor__read_all(int fd, char *bytes, size_t most)
{
	size_t used = 0;
	ssize_t got;

	while (used < most && (got = read(fd, bytes + used, most - used)) > 0)
		used += got;
	return used;
}

struct expected {
	char bytes[4096];
	size_t used;
};

static void expected__put(struct expected *expected, const void *bytes, size_t count)
{
	memcpy(expected->bytes + expected->used, bytes, count);
	expected->used += count;
}

static void expected__frame(struct expected *expected, uint16_t type, uint32_t length, const void *fixed,
			    size_t fixed_bytes, const char *strings)
{
	struct wire_frame_header header = { .length = length, .type = type };

	expected__put(expected, &header, sizeof(header));
	expected__put(expected, fixed, fixed_bytes);
	expected__put(expected, strings, length - fixed_bytes);
	while (expected->used % 8)
		expected->bytes[expected->used++] = 0;
}

static void test_frames_are_laid_out_as_wire_h_says(void)
{
	static const unsigned char prologue[16] = { 'S', 'K', 'B', 'S', 'P', 'A', 'N', '\n', WIRE_VERSION, 0, 16, 0 };
	const uint32_t endian = WIRE_ENDIAN_MARK;
	struct wire_probe probe = { .address = 0xffffffff81000000,
				    .index = 3,
				    .kind = WIRE_PROBE_FUNCTION,
				    .argument = 2 };
	struct wire_symbol symbol = { .address = 0x1234, .start = 0x1200 };
	struct wire_drop_reason reason = { .value = 0x30001 };
	struct wire_namespace namespace = { .inode = 4026531840, .flags = WIRE_NAMESPACE_NODE };
	struct wire_message message = { .level = WIRE_MESSAGE_WARNING };
	struct wire_journey journey = { .skb = 0xffff888000000000, .end = WIRE_JOURNEY_DROPPED, .drop_reason = 2 };
	struct expected expected = {};
	char actual[4096];
	struct stream *stream;
	int ends[2];
	size_t used;

	CHECK_NUMBER(pipe(ends), 0);
	stream = stream__new(ends[1], NULL);
	stream__probe(stream, &probe, "ip_rcv", "ip_rcv.isra.0", NULL);
	stream__symbol(stream, 0x1234, 0x1200, "seven77");
	stream__drop_reason(stream, 0x30001, "");
	stream__namespace(stream, 4026531840, WIRE_NAMESPACE_NODE, "pod-a");
	stream__message(stream, WIRE_MESSAGE_WARNING, "%d of %s", 3, "four");
	stream__journey(stream, &journey, sizeof(journey));
	CHECK_NUMBER(stream__flush(stream), 0);
	stream__free(stream);
	close(ends[1]);
	used = descriptor__read_all(ends[0], actual, sizeof(actual));
	close(ends[0]);

	expected__put(&expected, prologue, 12);
	expected__put(&expected, &endian, 4);
	expected__frame(&expected, WIRE_FRAME_PROBE, sizeof(probe) + 22, &probe, sizeof(probe),
			"ip_rcv\0ip_rcv.isra.0\0");
	expected__frame(&expected, WIRE_FRAME_SYMBOL, sizeof(symbol) + 8, &symbol, sizeof(symbol), "seven77");
	expected__frame(&expected, WIRE_FRAME_DROP_REASON, sizeof(reason) + 1, &reason, sizeof(reason), "");
	expected__frame(&expected, WIRE_FRAME_NAMESPACE, sizeof(namespace) + 6, &namespace, sizeof(namespace), "pod-a");
	expected__frame(&expected, WIRE_FRAME_MESSAGE, sizeof(message) + 10, &message, sizeof(message), "3 of four");
	expected__frame(&expected, WIRE_FRAME_JOURNEY, sizeof(journey), &journey, sizeof(journey), "");
	CHECK_BYTES(actual, used, expected.bytes, expected.used);
}

#define MANY 2000
#define LARGE_BYTES (8 * 1024)

/* Reads slowly until the end; exits with 0 when MANY journeys came through whole. */
static void slow_reader(int fd)
{
	static char bytes[sizeof(struct wire_prologue) + MANY * (LARGE_BYTES + sizeof(struct wire_frame_header)) + 1];
	size_t used = 0;
	ssize_t got;

	while ((got = read(fd, bytes + used, 100000)) > 0) {
		used += got;
		usleep(200);
	}
	if (used != sizeof(bytes) - 1)
		_exit(1);
	for (size_t i = 0; i < MANY; i++) {
		const char *frame =
			bytes + sizeof(struct wire_prologue) + i * (LARGE_BYTES + sizeof(struct wire_frame_header));
		const struct wire_journey *journey = (const void *)(frame + sizeof(struct wire_frame_header));

		if (journey->skb != i || frame[sizeof(struct wire_frame_header) + LARGE_BYTES - 1] != (char)i)
			_exit(2);
	}
	_exit(0);
}

static void write_to_slow_reader(int reader, int writer)
{
	static union {
		struct wire_journey journey;
		char bytes[LARGE_BYTES];
	} large;
	pid_t child = fork();
	struct stream *stream;
	int status;

	if (!child) {
		close(writer);
		slow_reader(reader);
	}
	close(reader);
	stream = stream__new(writer, NULL);
	for (int i = 0; i < MANY; i++) {
		large.journey.skb = i;
		large.bytes[LARGE_BYTES - 1] = i;
		stream__journey(stream, &large.journey, LARGE_BYTES);
	}
	CHECK_NUMBER(stream__flush(stream), 0);
	CHECK_NUMBER(stream__lost_journeys(stream), 0);
	stream__free(stream);
	close(writer);
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status));
	CHECK_NUMBER(WEXITSTATUS(status), 0);
}

static void test_a_slow_reader_holds_the_writer_up(void)
{
	int ends[2];

	CHECK_NUMBER(pipe(ends), 0);
	write_to_slow_reader(ends[0], ends[1]);
	CHECK_NUMBER(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	write_to_slow_reader(ends[0], ends[1]);
	CHECK_NUMBER(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	fcntl(ends[0], F_SETFL, 0); /* the reader blocks, the writer's end does not */
	write_to_slow_reader(ends[0], ends[1]);
}

static void test_a_stuck_reader_is_given_up_when_stopping(void)
{
	static const struct wire_journey journey;
	volatile sig_atomic_t stopping = 1;
	struct timespec start, end;
	struct stream *stream;
	int ends[2], blocking, taken = 0;
	uint64_t whole;
	double seconds;

	CHECK_NUMBER(pipe(ends), 0);
	stream = stream__new(ends[1], &stopping);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < 10000; i++)
		stream__journey(stream, &journey, sizeof(journey));
	stream__end(stream, WIRE_END_REQUESTED);
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds = end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
	CHECK_NUMBER(stream__error(stream), ETIMEDOUT);
	CHECK(seconds > 1 && seconds < 10);
	CHECK(ioctl(ends[0], FIONREAD, &taken) == 0 && taken > 4096);
	whole = (taken - sizeof(struct wire_prologue)) / (sizeof(journey) + sizeof(struct wire_frame_header));
	CHECK_NUMBER(stream__lost_journeys(stream), 10000 - whole);
	blocking = fcntl(ends[1], F_GETFL);
	CHECK_NUMBER(blocking & O_NONBLOCK, 0); /* the descriptor that others may share is as it was */
	stream__free(stream);
	close(ends[0]);
	close(ends[1]);
}

static void test_failed_writes_are_told_and_counted(void)
{
	static const struct wire_journey journey;
	struct stream *stream;
	int ends[2], full = open("/dev/full", O_WRONLY);

	CHECK_NUMBER(pipe(ends), 0);
	close(ends[0]);
	stream = stream__new(ends[1], NULL);
	stream__journey(stream, &journey, sizeof(journey));
	CHECK_NUMBER(stream__error(stream), 0);
	CHECK_NUMBER(stream__flush(stream), EPIPE);
	CHECK_NUMBER(stream__lost_journeys(stream), 1);
	stream__journey(stream, &journey, sizeof(journey));
	CHECK_NUMBER(stream__flush(stream), EPIPE);
	CHECK_NUMBER(stream__lost_journeys(stream), 2);
	stream__free(stream);
	close(ends[1]);

	stream = stream__new(full, NULL);
	for (int i = 0; i < 10000; i++)
		stream__journey(stream, &journey, sizeof(journey));
	CHECK_NUMBER(stream__error(stream), ENOSPC);
	CHECK_NUMBER(stream__lost_journeys(stream), 10000);
	stream__free(stream);
	close(full);
}

/* ---- namespaces ----------------------------------------------------------------------------------------------------- */

static uint64_t own_inode(void)
{
	struct stat status;

	return stat("/proc/self/ns/net", &status) ? 0 : status.st_ino;
}

static void check_resolves(const char *spec, uint64_t expected)
{
	char error[ERROR_BYTES] = "";
	uint64_t inode = 0;

	CHECK_NUMBER(namespace__resolve(spec, &inode, error, sizeof(error)), 0);
	CHECK_STRING(error, "");
	CHECK_NUMBER(inode, expected);
}

static void check_does_not_resolve(const char *spec, const char *message)
{
	char error[ERROR_BYTES] = "";
	uint64_t inode = 0;

	CHECK_NUMBER(namespace__resolve(spec, &inode, error, sizeof(error)), -1);
	CHECK_CONTAINS(error, message);
	CHECK_CONTAINS(error, spec);
}

static void test_namespaces_are_resolved(void)
{
	char spec[64];

	check_resolves("/proc/self/ns/net", own_inode());
	check_resolves("4026531840", 4026531840);
	check_resolves("net:[4026531841]", 4026531841);
	snprintf(spec, sizeof(spec), "pid:%d", getpid());
	check_resolves(spec, own_inode());
	CHECK(namespace__node_inode() != 0);
	check_does_not_resolve("pid:", "no process id");
	check_does_not_resolve("pid:12x", "no process id");
	check_does_not_resolve("pid:2147483647", "no such process");
	check_does_not_resolve("/etc/passwd", "no namespace");
	check_does_not_resolve("/does/not/exist", "No such file");
	check_does_not_resolve("99999999999", "from 1 to");
	check_does_not_resolve("0", "from 1 to");
	check_does_not_resolve("no-such-name-here", "/run/netns");
	check_does_not_resolve("net:[12", "/run/netns");
	check_does_not_resolve("", "empty");
}

struct changes {
	char text[1024];
};

static void on_change(void *context, enum namespace_change change, uint64_t inode, const char *name)
{
	struct changes *changes = context;
	size_t used = strlen(changes->text);

	snprintf(changes->text + used, sizeof(changes->text) - used, "%s %s%s;",
		 change == NAMESPACE_GONE ? "gone" : "found", name, inode ? "" : " without inode");
}

static void check_scan(struct namespace_table *table, const char *expected)
{
	struct changes changes = {};

	namespace_table__scan(table, on_change, &changes);
	CHECK_STRING(changes.text, expected);
}

static void name_namespace(const char *path)
{
	close(open(path, O_CREAT | O_RDONLY, 0600));
	CHECK_NUMBER(unshare(CLONE_NEWNET), 0);
	CHECK_NUMBER(mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL), 0);
}

/* In a mount namespace of its own, so that nobody sees it and nothing is left. */
static void test_named_namespaces_are_scanned(void)
{
	struct namespace_table *table = namespace_table__new();
	char error[ERROR_BYTES];
	uint64_t inode;
	size_t count;

	CHECK_NUMBER(unshare(CLONE_NEWNS), 0);
	CHECK_NUMBER(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	mkdir("/run/netns", 0755);
	CHECK_NUMBER(mount("tmpfs", "/run/netns", "tmpfs", 0, NULL), 0);
	check_scan(table, "");
	close(open("/run/netns/a-file", O_CREAT | O_RDONLY, 0600));
	check_scan(table, "");
	name_namespace("/run/netns/first");
	check_scan(table, "found first;");
	check_scan(table, "");
	name_namespace("/run/netns/second");
	check_resolves("second", own_inode());
	check_scan(table, "found second;");
	CHECK_NUMBER(namespace_table__all(table, &count)[0].inode != 0, 1);
	CHECK_NUMBER(count, 2);
	CHECK_NUMBER(namespace__resolve("third", &inode, error, sizeof(error)), -1);
	CHECK_CONTAINS(error, "first, second");
	umount2("/run/netns/second", MNT_DETACH);
	check_scan(table, "gone second;");
	namespace_table__free(table);
}

/* ---- rights and the parent ------------------------------------------------------------------------------------------ */

static void test_capabilities_are_given_up(void)
{
	char error[ERROR_BYTES];
	int read_bounding = 0;

	CHECK(capabilities__has(21));
	CHECK_NUMBER(capabilities__drop_all(error, sizeof(error)), 0);
	CHECK_NUMBER(capabilities__effective(), 0);
	for (int capability = 0; capability < 40; capability++)
		read_bounding += prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
	CHECK_NUMBER(read_bounding, 0);
	CHECK_NUMBER(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_NUMBER(unshare(CLONE_NEWNET), -1);
	CHECK_NUMBER(capabilities__drop_all(error, sizeof(error)), 0); /* again: nothing to give up is no failure */
}

static void test_the_parents_death_is_told(void)
{
	int told[2];
	struct pollfd end;
	pid_t parent;
	char byte = 0;

	CHECK_NUMBER(pipe(told), 0);
	parent = fork();
	if (!parent) {
		pid_t middle = getpid();

		if (!fork()) {
			/* the grandchild keeps the pipe open until its parent's death ends it */
			bool there = parent__watch(SIGKILL, middle);

			if (write(told[1], there ? "y" : "n", 1) == 1)
				sleep(30);
			_exit(0);
		}
		usleep(200000);
		_exit(0);
	}
	close(told[1]);
	waitpid(parent, NULL, 0);
	CHECK_NUMBER(read(told[0], &byte, 1), 1);
	CHECK_NUMBER(byte, 'y');
	end = (struct pollfd){ .fd = told[0], .events = POLLIN };
	CHECK_NUMBER(poll(&end, 1, 5000), 1);
	CHECK_NUMBER(read(told[0], &byte, 1), 0);
	CHECK(!parent__watch(0, 1234567)); /* a parent that is another one by now */
	close(told[0]);
}

const struct test system_tests[] = {
	{ "frames-are-laid-out-as-wire-h-says", test_frames_are_laid_out_as_wire_h_says, false },
	{ "a-slow-reader-holds-the-writer-up", test_a_slow_reader_holds_the_writer_up, false },
	{ "a-stuck-reader-is-given-up-when-stopping", test_a_stuck_reader_is_given_up_when_stopping, false },
	{ "failed-writes-are-told-and-counted", test_failed_writes_are_told_and_counted, false },
	{ "namespaces-are-resolved", test_namespaces_are_resolved, false },
	{ "named-namespaces-are-scanned", test_named_namespaces_are_scanned, true },
	{ "capabilities-are-given-up", test_capabilities_are_given_up, true },
	{ "the-parents-death-is-told", test_the_parents_death_is_told, false },
	{ NULL, NULL, false },
};
