// SPDX-License-Identifier: Apache-2.0
/*
 * Sends Ethernet frames as they are, for packets that no socket would make: `send-frames INTERFACE`, one frame of hexadecimal
 * digits a line on standard input.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_BYTES 1514

static int read_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns the number of bytes, -1 when the line is no frame. */
static int read_frame(const char *line, unsigned char frame[FRAME_BYTES])
{
	int bytes = 0;

	for (; line[0] && line[0] != '\n'; line += 2, bytes++) {
		int high = read_digit(line[0]), low = high < 0 ? -1 : read_digit(line[1]);

		if (low < 0 || bytes == FRAME_BYTES)
			return -1;
		frame[bytes] = high << 4 | low;
	}
	return bytes;
}

int main(int argc, char **argv)
{
	static char line[2 * FRAME_BYTES + 2];
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	unsigned char frame[FRAME_BYTES];
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (argc != 2 || fd < 0 || !(to.sll_ifindex = if_nametoindex(argv[1]))) {
		fprintf(stderr, "usage: send-frames INTERFACE, with CAP_NET_RAW\n");
		return 2;
	}
	while (fgets(line, sizeof(line), stdin)) {
		int bytes = read_frame(line, frame);

		if (bytes < 0) {
			fprintf(stderr, "send-frames: no frame: %s", line);
			return 2;
		}
		if (sendto(fd, frame, bytes, 0, (void *)&to, sizeof(to)) != bytes) {
			perror("send-frames");
			return 1;
		}
	}
	close(fd);
	return 0;
}
