// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES (256 * 1024)
#define ALIGNMENT 8

/* How long a reader may take nothing once the tracer has been told to stop. */
#define PATIENCE_MS 2000
#define POLL_MS 200

struct stream {
	int fd;
	int own_fd; /* the same pipe, opened again so that it can be non-blocking for us alone; -1: none */
	bool is_socket;
	const volatile sig_atomic_t *stopping;
	int failure; /* errno */
	uint64_t lost_journeys;
	size_t prologue_bytes; /* at the buffer's start: the first time only */
	size_t used;
	char buffer[BUFFER_BYTES] __attribute__((aligned(ALIGNMENT)));
};

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static ssize_t stream__write_some(struct stream *stream, const char *bytes, size_t count)
{
	if (stream->is_socket)
		return send(stream->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(stream->own_fd >= 0 ? stream->own_fd : stream->fd, bytes, count);
}

/* Waits until the reader takes something. False: it was given up. */
static bool stream__wait(struct stream *stream, int *waited_ms)
{
	struct pollfd reader = { .fd = stream->own_fd >= 0 ? stream->own_fd : stream->fd, .events = POLLOUT };
	int ready = poll(&reader, 1, POLL_MS);

	if (ready > 0)
		return true;
	if (!stream->stopping || !*stream->stopping)
		*waited_ms = 0;
	else if (!ready)
		*waited_ms += POLL_MS;
	return *waited_ms < PATIENCE_MS;
}

/* Writes the buffer. Returns 0 or an errno, and how much was written before it in `done`. */
static int stream__write_buffer(struct stream *stream, size_t *done)
{
	int waited_ms = 0;

	for (*done = 0; *done < stream->used;) {
		ssize_t written = stream__write_some(stream, stream->buffer + *done, stream->used - *done);

		if (written > 0) {
			*done += written;
			waited_ms = 0;
		} else if (written < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
			return errno;
		} else if (written < 0 && errno == EINTR) {
			continue;
		} else if (!stream__wait(stream, &waited_ms)) {
			return ETIMEDOUT;
		}
	}
	return 0;
}

/* Journeys in the buffer that end after its first `written` bytes. The buffer begins with a whole frame. */
static uint64_t stream__count_journeys(const struct stream *stream, size_t written)
{
	size_t at = stream->prologue_bytes;
	uint64_t journeys = 0;

	while (at + sizeof(struct wire_frame_header) <= stream->used) {
		const struct wire_frame_header *header = (const void *)(stream->buffer + at);

		at += sizeof(*header) + (header->length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
		journeys += header->type == WIRE_FRAME_JOURNEY && at > written;
	}
	return journeys;
}

int stream__flush(struct stream *stream)
{
	size_t written;

	if (stream->failure || !stream->used)
		return stream->failure;
	stream->failure = stream__write_buffer(stream, &written);
	if (stream->failure)
		stream->lost_journeys += stream__count_journeys(stream, written);
	stream->prologue_bytes = 0;
	stream->used = 0;
	return stream->failure;
}

/* ---- frames --------------------------------------------------------------------------------------------------------- */

static void stream__put(struct stream *stream, const void *bytes, size_t count)
{
	if (count) /* NULL may stand for nothing */
		memcpy(stream->buffer + stream->used, bytes, count);
	stream->used += count;
}

struct part {
	const void *bytes;
	size_t count;
};

/* Frames stand whole in the buffer: a reader that dies between two writes leaves whole frames behind. */
static void stream__frame(struct stream *stream, enum wire_frame_type type, const struct part *parts, size_t part_count)
{
	static const char padding[ALIGNMENT];
	struct wire_frame_header header = { .type = type };

	for (size_t i = 0; i < part_count; i++)
		header.length += parts[i].count;
	if (sizeof(header) + header.length + ALIGNMENT > sizeof(stream->buffer)) {
		stream->failure = EMSGSIZE; /* nothing that is written is so long */
		return;
	}
	if (stream->used + sizeof(header) + header.length + ALIGNMENT > sizeof(stream->buffer))
		stream__flush(stream);
	if (stream->failure)
		return;
	stream__put(stream, &header, sizeof(header));
	for (size_t i = 0; i < part_count; i++)
		stream__put(stream, parts[i].bytes, parts[i].count);
	stream__put(stream, padding, -header.length & (ALIGNMENT - 1));
}

static void stream__frame_with_string(struct stream *stream, enum wire_frame_type type, const void *fixed, size_t count,
				      const char *string)
{
	string = string ? string : "";
	stream__frame(stream, type, (struct part[]){ { fixed, count }, { string, strlen(string) + 1 } }, 2);
}

void stream__hello(struct stream *stream, const struct wire_hello *hello)
{
	stream__frame(stream, WIRE_FRAME_HELLO, &(struct part){ hello, sizeof(*hello) }, 1);
}

void stream__probe(struct stream *stream, const struct wire_probe *probe, const char *name, const char *symbol,
		   const char *module)
{
	name = name ? name : "";
	symbol = symbol ? symbol : "";
	module = module ? module : "";
	stream__frame(stream, WIRE_FRAME_PROBE,
		      (struct part[]){
			      { probe, sizeof(*probe) },
			      { name, strlen(name) + 1 },
			      { symbol, strlen(symbol) + 1 },
			      { module, strlen(module) + 1 },
		      },
		      4);
}

void stream__symbol(struct stream *stream, uint64_t address, uint64_t start, const char *name)
{
	struct wire_symbol symbol = { .address = address, .start = start };

	stream__frame_with_string(stream, WIRE_FRAME_SYMBOL, &symbol, sizeof(symbol), name);
}

void stream__drop_reason(struct stream *stream, uint32_t value, const char *name)
{
	struct wire_drop_reason reason = { .value = value };

	stream__frame_with_string(stream, WIRE_FRAME_DROP_REASON, &reason, sizeof(reason), name);
}

void stream__namespace(struct stream *stream, uint64_t inode, uint32_t flags, const char *name)
{
	struct wire_namespace namespace = { .inode = inode, .flags = flags };

	stream__frame_with_string(stream, WIRE_FRAME_NAMESPACE, &namespace, sizeof(namespace), name);
}

void stream__member(struct stream *stream, const struct wire_member *member, const char *path, const char *path_v1)
{
	stream__frame(stream, WIRE_FRAME_MEMBER,
		      (struct part[]){
			      { member, sizeof(*member) },
			      { path, strlen(path) + 1 },
			      { path_v1, strlen(path_v1) + 1 },
		      },
		      3);
}

void stream__inventory(struct stream *stream, const struct wire_inventory *inventory)
{
	stream__frame(stream, WIRE_FRAME_INVENTORY, &(struct part){ inventory, sizeof(*inventory) }, 1);
}

void stream__journey(struct stream *stream, const struct wire_journey *journey, size_t bytes)
{
	if (!stream->failure)
		stream__frame(stream, WIRE_FRAME_JOURNEY, &(struct part){ journey, bytes }, 1);
	if (stream->failure)
		stream->lost_journeys++; /* those that were in the buffer have been counted when writing it failed */
}

void stream__request(struct stream *stream, const struct wire_request *request)
{
	stream__frame(stream, WIRE_FRAME_REQUEST, &(struct part){ request, sizeof(*request) }, 1);
}

void stream__stats(struct stream *stream, const struct wire_stats *stats)
{
	stream__frame(stream, WIRE_FRAME_STATS, &(struct part){ stats, sizeof(*stats) }, 1);
}

static uint64_t clock__now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

#define CLOCK_ATTEMPTS 8
#define CLOCK_FAST_NS 5000

/* Whoever is interrupted between two clocks would move a second's spans by so much: the reading that took the least counts. */
void stream__clock(struct stream *stream)
{
	uint64_t least_ns = UINT64_MAX;
	struct wire_clock now = {};

	for (int i = 0; i < CLOCK_ATTEMPTS && least_ns > CLOCK_FAST_NS; i++) {
		uint64_t before_ns = clock__now_ns(CLOCK_MONOTONIC);
		uint64_t realtime_ns = clock__now_ns(CLOCK_REALTIME);
		uint64_t took_ns = clock__now_ns(CLOCK_MONOTONIC) - before_ns;

		if (took_ns >= least_ns)
			continue;
		least_ns = took_ns;
		now.realtime_ns = realtime_ns;
		now.monotonic_ns = before_ns + took_ns / 2;
	}
	stream__frame(stream, WIRE_FRAME_CLOCK, &(struct part){ &now, sizeof(now) }, 1);
}

void stream__message(struct stream *stream, enum wire_message_level level, const char *format, ...)
{
	struct wire_message message = { .level = level };
	va_list arguments;
	char text[1024];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	stream__frame_with_string(stream, WIRE_FRAME_MESSAGE, &message, sizeof(message), text);
}

void stream__end(struct stream *stream, enum wire_end_cause cause)
{
	struct wire_end end = { .monotonic_ns = clock__now_ns(CLOCK_MONOTONIC), .cause = cause };

	stream__frame(stream, WIRE_FRAME_END, &(struct part){ &end, sizeof(end) }, 1);
	stream__flush(stream);
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

/*
 * A blocking write cannot be given up. Making the descriptor itself non-blocking would change it for everybody that
 * shares it (a shell, a parent), so a pipe is opened once more. Files and terminals are written to as they are.
 */
static void stream__open_own(struct stream *stream)
{
	struct stat status;
	char path[32];

	stream->own_fd = -1;
	if (fstat(stream->fd, &status))
		return;
	stream->is_socket = S_ISSOCK(status.st_mode);
	if (!S_ISFIFO(status.st_mode))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", stream->fd);
	stream->own_fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

struct stream *stream__new(int fd, const volatile sig_atomic_t *stopping)
{
	struct wire_prologue prologue = {
		.magic = WIRE_MAGIC,
		.version = WIRE_VERSION,
		.header_bytes = sizeof(prologue),
		.endian = WIRE_ENDIAN_MARK,
	};
	struct stream *stream = malloc(sizeof(*stream));

	if (!stream)
		return NULL;
	memset(stream, 0, offsetof(struct stream, buffer));
	stream->fd = fd;
	stream->stopping = stopping;
	stream__open_own(stream);
	stream__put(stream, &prologue, sizeof(prologue));
	stream->prologue_bytes = sizeof(prologue);
	return stream;
}

int stream__error(const struct stream *stream)
{
	return stream->failure;
}

uint64_t stream__lost_journeys(const struct stream *stream)
{
	return stream->lost_journeys;
}

void stream__free(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->own_fd >= 0)
		close(stream->own_fd);
	free(stream);
}
