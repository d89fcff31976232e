// SPDX-License-Identifier: Apache-2.0
/*
 * The load of `npm run bench`: a UDP socket that sends to itself over loopback and reads what it sent, one packet at a time.
 * Prints what a packet took on average, the nanoseconds of this thread's processor time and those elapsed, and the number of
 * packets: `udp-load PORT MILLISECONDS`.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_BYTES 64
#define BATCH 256 /* packets between two looks at the clock */

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static int exchange(int socket, const struct sockaddr_in *to)
{
	char payload[PAYLOAD_BYTES] = { 0 };

	if (sendto(socket, payload, sizeof(payload), 0, (const void *)to, sizeof(*to)) != sizeof(payload))
		return -1;
	return recv(socket, payload, sizeof(payload), 0) == sizeof(payload) ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint64_t start, start_cpu, end, packets = 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 3) {
		fprintf(stderr, "usage: udp-load PORT MILLISECONDS\n");
		return 2;
	}
	address.sin_port = htons(atoi(argv[1]));
	if (fd < 0 || bind(fd, (void *)&address, sizeof(address))) {
		perror("udp-load: bind");
		return 1;
	}
	start = now_ns(CLOCK_MONOTONIC);
	start_cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
	end = start + strtoull(argv[2], NULL, 10) * 1000000;
	while (now_ns(CLOCK_MONOTONIC) < end)
		for (int i = 0; i < BATCH; i++, packets++)
			if (exchange(fd, &address)) {
				perror("udp-load: exchange");
				return 1;
			}
	printf("%.1f %.1f %llu\n", (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - start_cpu) / packets,
	       (double)(now_ns(CLOCK_MONOTONIC) - start) / packets, (unsigned long long)packets);
	close(fd);
	return 0;
}
