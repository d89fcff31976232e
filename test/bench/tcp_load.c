// SPDX-License-Identifier: Apache-2.0
/*
 * The load of `npm run bench -- requests`: two sockets of one TCP connection over loopback, one asks and the other answers, in turns.
 * Prints the nanoseconds of this thread's processor time that an exchange took, and the number of exchanges:
 * `tcp-load KIND MILLISECONDS`, KIND one of
 *
 *   sampled, unsampled   HTTP/1.1 requests with a trace context
 *   plain                without
 *   other                as many bytes that are not HTTP
 *   upload               parts of one large body, 16 KiB each
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64 /* exchanges between two looks at the clock */
#define PART_BYTES 16384

/* The headers of a usual client; the trace context comes where it has one. */
#define REQUEST_START                                                                                                  \
	"GET /api/v1/orders?customer=4711&limit=50 HTTP/1.1\r\nhost: orders.shop.svc.cluster.local:8080\r\n"           \
	"user-agent: bench/1.0\r\naccept: application/json\r\naccept-encoding: gzip, deflate\r\n"                      \
	"authorization: Bearer 0123456789012345678901234567890123456789\r\n"
#define TRACE(flags) "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-" flags "\r\n"
#define REQUEST_END "connection: keep-alive\r\n\r\n"
#define UPLOAD "PUT /large HTTP/1.1\r\n" TRACE("00") "content-length: 1000000000000\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{\"orders\":[1,2]}"

struct load {
	const char *kind;
	const char *first;   /* sent once before the exchanges, may be NULL */
	const char *request; /* NULL: a part of the body */
	const char *answer;  /* NULL: none is waited for */
};

static const struct load loads[] = {
	{ "sampled", NULL, REQUEST_START TRACE("01") REQUEST_END, ANSWER },
	{ "unsampled", NULL, REQUEST_START TRACE("00") REQUEST_END, ANSWER },
	{ "plain", NULL, REQUEST_START REQUEST_END, ANSWER },
	{ "other", NULL, "*3 SET " REQUEST_START REQUEST_END, "+" ANSWER },
	{ "upload", UPLOAD, NULL, NULL },
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static int connect_pair(int sockets[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	sockets[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || sockets[0] < 0 || bind(listener, (void *)&address, sizeof(address)) ||
	    listen(listener, 1) || getsockname(listener, (void *)&address, &bytes) ||
	    connect(sockets[0], (void *)&address, sizeof(address)))
		return -1;
	sockets[1] = accept(listener, NULL, NULL);
	close(listener);
	for (int i = 0; i < 2; i++)
		setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return sockets[1] < 0 ? -1 : 0;
}

static int pass(int from, int to, const char *data, size_t count)
{
	static char taken[PART_BYTES];

	if (send(from, data, count, 0) != (ssize_t)count)
		return -1;
	return recv(to, taken, count, MSG_WAITALL) == (ssize_t)count ? 0 : -1;
}

static int run(const struct load *load, uint64_t duration_ns)
{
	static char part[PART_BYTES];
	const char *request = load->request ? load->request : part;
	size_t count = load->request ? strlen(load->request) : sizeof(part);
	uint64_t start_cpu, end, exchanges = 0;
	int sockets[2];

	if (connect_pair(sockets) || (load->first && pass(sockets[0], sockets[1], load->first, strlen(load->first))))
		return -1;
	end = now_ns(CLOCK_MONOTONIC) + duration_ns;
	start_cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
	while (now_ns(CLOCK_MONOTONIC) < end)
		for (int i = 0; i < BATCH; i++, exchanges++) {
			if (pass(sockets[0], sockets[1], request, count))
				return -1;
			if (load->answer && pass(sockets[1], sockets[0], load->answer, strlen(load->answer)))
				return -1;
		}
	printf("%.1f %llu\n", (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - start_cpu) / exchanges,
	       (unsigned long long)exchanges);
	return 0;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < sizeof(loads) / sizeof(loads[0]); i++)
		if (!strcmp(loads[i].kind, argv[1])) {
			if (!run(&loads[i], strtoull(argv[2], NULL, 10) * 1000000))
				return 0;
			perror("tcp-load");
			return 1;
		}
	fprintf(stderr, "usage: tcp-load sampled|unsampled|plain|other|upload MILLISECONDS\n");
	return 2;
}
