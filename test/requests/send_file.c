// SPDX-License-Identifier: Apache-2.0
/*
 * Sends requests whose bodies the kernel takes from a file (sendfile), which Node.js cannot: `send-file ADDRESS PORT BYTES
 * HEADER...`. Each header, as it stands and with an empty line after it, and then so many bytes; then an answer of any
 * length is read. Prints the local port.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static int send_body(int to, int file, size_t count)
{
	off_t at = 0;

	while ((size_t)at < count)
		if (sendfile(to, file, &at, count - at) <= 0)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET }, local = { .sin_family = AF_INET };
	size_t bytes = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	FILE *file = tmpfile();
	socklen_t size = sizeof(local);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char answer[4096];

	if (argc < 5 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
		fprintf(stderr, "usage: send-file ADDRESS PORT BYTES HEADER...\n");
		return 2;
	}
	address.sin_port = htons(atoi(argv[2]));
	local.sin_addr = address.sin_addr;
	if (!file || ftruncate(fileno(file), bytes) || fd < 0 || bind(fd, (void *)&local, sizeof(local)) ||
	    connect(fd, (void *)&address, sizeof(address)) || getsockname(fd, (void *)&local, &size)) {
		perror("send-file");
		return 1;
	}
	for (int i = 4; i < argc; i++)
		if (send(fd, argv[i], strlen(argv[i]), MSG_MORE) < 0 || send(fd, "\r\n\r\n", 4, MSG_MORE) < 0 ||
		    send_body(fd, fileno(file), bytes) || recv(fd, answer, sizeof(answer), 0) <= 0) {
			perror("send-file");
			return 1;
		}
	printf("%d\n", ntohs(local.sin_port));
	return 0;
}
