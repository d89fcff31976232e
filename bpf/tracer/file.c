// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_BYTES (64 * 1024)

char *descriptor__read(int fd, size_t *bytes)
{
	size_t capacity = FIRST_BYTES, used = 0;
	char *text = malloc(capacity + 1);

	while (text) {
		ssize_t got = read(fd, text + used, capacity - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(text);
			return NULL;
		}
		used += got;
		if (!got)
			break;
		if (used == capacity) {
			char *grown = realloc(text, capacity * 2 + 1);

			if (!grown) {
				free(text);
				errno = ENOMEM;
				return NULL;
			}
			text = grown;
			capacity *= 2;
		}
	}
	if (text)
		text[used] = '\0';
	if (bytes)
		*bytes = used;
	return text;
}

char *file__read(const char *path, size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), failure;
	char *text;

	if (fd < 0)
		return NULL;
	text = descriptor__read(fd, bytes);
	failure = errno;
	close(fd);
	errno = failure;
	return text;
}

bool file__read_number(const char *path, long *number)
{
	char *text = file__read(path, NULL), *end;
	bool found;

	if (!text)
		return false;
	*number = strtol(text, &end, 10);
	found = end != text;
	free(text);
	return found;
}
