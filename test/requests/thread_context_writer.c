// SPDX-License-Identifier: Apache-2.0
/*
 * Writes to a TCP server of its own with trace contexts published, valid ones and others: lines that are no HTTP. Before each it
 * waits for a byte on standard input, and after each it waits for the server's answer.
 *
 *   thread-context-writer CASE...
 *
 * none       no record
 * valid:N    trace id N N N..., span id N..., sampled
 * unsampled:N
 * invalid    `valid` is 2
 * zero       `valid` is 1, ids are zeros
 * half       `valid` is 1, the span id is zeros
 * garbage    the pointer is no address
 * unmapped   the pointer is an address where nothing is
 * odd        the record lies at an odd address
 * kernel     the pointer is an address of the kernel
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "thread_context.h"

#define LINE "a line that is no HTTP\n"
#define ANSWER "an answer\n"

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void *serve(void *argument)
{
	int listener = *(int *)argument, client = accept(listener, NULL, NULL);
	char bytes[256];

	if (client < 0)
		fail("accept");
	while (read(client, bytes, sizeof(bytes)) > 0)
		if (write(client, ANSWER, strlen(ANSWER)) < 0)
			fail("write an answer");
	close(client);
	return NULL;
}

/* A page that may not be touched. */
static void *unmapped_page(void)
{
	void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		fail("mmap");
	return page;
}

static void publish(const char *name)
{
	static __attribute__((aligned(8))) uint8_t memory[2 * sizeof(struct thread_context)];
	struct thread_context *context = (void *)memory;
	const char *colon = strchr(name, ':');
	int number = colon ? atoi(colon + 1) : 7;

	memset(context->trace_id, number, sizeof(context->trace_id));
	memset(context->span_id, number, sizeof(context->span_id));
	context->valid = 1;
	context->trace_flags = !strncmp(name, "unsampled", 9) ? 0 : 1;
	if (!strcmp(name, "invalid"))
		context->valid = 2;
	if (!strcmp(name, "zero"))
		memset(context->trace_id, 0, sizeof(context->trace_id));
	if (!strcmp(name, "zero") || !strcmp(name, "half"))
		memset(context->span_id, 0, sizeof(context->span_id));
	if (!strcmp(name, "none"))
		context = NULL;
	if (!strcmp(name, "garbage"))
		context = (void *)0xdeadbeefcafef00dull;
	if (!strcmp(name, "unmapped"))
		context = unmapped_page();
	if (!strcmp(name, "kernel"))
		context = (void *)0xffffffff81000000ull;
	if (!strcmp(name, "odd"))
		context = (void *)memmove(memory + 1, memory, sizeof(*context));
	thread_context__publish(context);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t bytes = sizeof(address);
	pthread_t server;
	char byte;

	if (bind(listener, (void *)&address, sizeof(address)) || listen(listener, 1) ||
	    getsockname(listener, (void *)&address, &bytes))
		fail("listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	if (pthread_create(&server, NULL, serve, &listener))
		fail("start a thread");
	if (read(STDIN_FILENO, &byte, 1) != 1)
		fail("read standard input");
	if (connect(client, (void *)&address, sizeof(address)))
		fail("connect");
	for (int i = 1; i < argc; i++) {
		char answer[sizeof(ANSWER)];

		publish(argv[i]);
		if (write(client, LINE, strlen(LINE)) < 0 || read(client, answer, sizeof(answer)) <= 0)
			fail("write and read");
		thread_context__publish(NULL);
	}
	close(client);
	pthread_join(server, NULL);
	return 0;
}
