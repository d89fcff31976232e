// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "mapped_files.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

#define PLACES (2 * MOST_MAPPED_FILES) /* a power of two */

struct identity {
	uint64_t device;
	uint64_t inode; /* 0: free */
	size_t number;
};

struct scan {
	struct identity identities[PLACES];
	size_t count;
	void (*on_file)(void *context, const struct mapped_file *file);
	void *context;
};

/* The file's number; false when there is no room for it. */
static bool scan__number(struct scan *scan, uint64_t device, uint64_t inode, size_t *number, bool *is_first)
{
	size_t place = (inode * 0x9e3779b97f4a7c15ull ^ device) % PLACES;

	while (scan->identities[place].inode) {
		const struct identity *identity = &scan->identities[place];

		if (identity->inode == inode && identity->device == device) {
			*number = identity->number;
			*is_first = false;
			return true;
		}
		place = (place + 1) % PLACES;
	}
	if (scan->count == MOST_MAPPED_FILES)
		return false;
	*number = scan->count++;
	*is_first = true;
	scan->identities[place] = (struct identity){ device, inode, *number };
	return true;
}

/* A line of maps. False: no file is mapped there. `name` points into the line. */
struct mapping {
	uint64_t start;
	uint64_t offset;
	uint64_t device;
	uint64_t inode;
	bool is_code;
	const char *name;
};

static bool mapping__parse(const char *line, struct mapping *mapping)
{
	unsigned long long start, offset, inode;
	unsigned int major, minor;
	char rights[5];
	int name = 0;

	if (sscanf(line, "%llx-%*x %4s %llx %x:%x %llu %n", &start, rights, &offset, &major, &minor, &inode, &name) !=
		    6 ||
	    !inode || line[name] != '/')
		return false;
	*mapping = (struct mapping){ .start = start,
				     .offset = offset,
				     .device = (uint64_t)major << 32 | minor,
				     .inode = inode,
				     .is_code = rights[2] == 'x',
				     .name = line + name };
	return true;
}

static void scan__process(struct scan *scan, int process)
{
	char path[64], executable[PATH_MAX] = "", opened[PATH_MAX + 64];
	uint64_t base = 0, device = 0, inode = 0;
	bool is_reported = false;
	ssize_t bytes;
	char *maps, *rest;

	snprintf(path, sizeof(path), "/proc/%d/exe", process);
	bytes = readlink(path, executable, sizeof(executable) - 1);
	executable[bytes > 0 ? bytes : 0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/maps", process);
	maps = file__read(path, NULL);
	if (!maps)
		return; /* it ended, or it may not be looked at */
	bool is_musl = strstr(maps, "/ld-musl-") != NULL;

	rest = maps;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		struct mapping mapping;
		struct mapped_file file = { .process = process, .is_musl = is_musl };

		if (!mapping__parse(line, &mapping))
			continue;
		if (mapping.inode != inode || mapping.device != device) {
			base = mapping.start - mapping.offset;
			device = mapping.device;
			inode = mapping.inode;
			is_reported = false;
		}
		if (!mapping.is_code || is_reported)
			continue;
		is_reported = true;
		if (!scan__number(scan, device, inode, &file.number, &file.is_first))
			continue;
		file.name = mapping.name;
		file.base = base;
		file.is_executable = !strcmp(mapping.name, executable);
		snprintf(opened, sizeof(opened), "/proc/%d/root%s", process, mapping.name);
		file.path = opened;
		scan->on_file(scan->context, &file);
	}
	free(maps);
}

size_t mapped_files__each(void (*on_file)(void *context, const struct mapped_file *file), void *context)
{
	struct scan *scan = calloc(1, sizeof(*scan));
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	size_t count = 0;

	if (scan && processes) {
		scan->on_file = on_file;
		scan->context = context;
		while ((entry = readdir(processes)))
			if (isdigit((unsigned char)*entry->d_name))
				scan__process(scan, atoi(entry->d_name));
		count = scan->count;
	}
	if (processes)
		closedir(processes);
	free(scan);
	return count;
}
