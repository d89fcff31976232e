// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "namespaces.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where `ip netns add` and container runtimes mount namespaces; on most machines both are one folder. */
static const char *const folders[] = { "/run/netns", "/var/run/netns" };

#define FOLDER_COUNT (sizeof(folders) / sizeof(folders[0]))
#define MOST_NAMESPACES 65536

struct namespace_list {
	struct named_namespace *namespaces; /* by inode */
	size_t count, capacity;
};

struct namespace_table {
	struct namespace_list current;
};

/* ---- inodes --------------------------------------------------------------------------------------------------------- */

/* Every namespace file lies on the kernel's nsfs, as that of this process does; an ordinary file does not. */
static bool device__is_nsfs(dev_t device)
{
	struct stat own;

	return !stat("/proc/self/ns/net", &own) && own.st_dev == device;
}

/* 0 when the path is no namespace, with errno (EINVAL: it is something else). */
static uint64_t path__namespace_inode(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return 0;
	if (!device__is_nsfs(status.st_dev)) {
		errno = EINVAL;
		return 0;
	}
	return status.st_ino;
}

uint64_t namespace__node_inode(void)
{
	uint64_t inode = path__namespace_inode("/proc/1/ns/net");

	return inode ? inode : path__namespace_inode("/proc/self/ns/net");
}

/* ---- the list of names ---------------------------------------------------------------------------------------------- */

static void list__add(struct namespace_list *list, uint64_t inode, const char *name)
{
	struct named_namespace *entry;

	if (list->count == MOST_NAMESPACES || strlen(name) >= sizeof(entry->name))
		return;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 64;
		struct named_namespace *grown = realloc(list->namespaces, capacity * sizeof(*grown));

		if (!grown)
			return;
		list->namespaces = grown;
		list->capacity = capacity;
	}
	entry = &list->namespaces[list->count++];
	entry->inode = inode;
	strcpy(entry->name, name);
}

static void list__scan_folder(struct namespace_list *list, const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		char file[512];
		uint64_t inode;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		inode = path__namespace_inode(file);
		if (inode)
			list__add(list, inode, entry->d_name);
	}
	if (folder)
		closedir(folder);
}

static int namespace__compare(const void *left, const void *right)
{
	const struct named_namespace *a = left, *b = right;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* One name a namespace: of several the first in the alphabet. */
static void list__scan(struct namespace_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < FOLDER_COUNT; i++)
		list__scan_folder(list, folders[i]);
	if (list->count)
		qsort(list->namespaces, list->count, sizeof(*list->namespaces), namespace__compare);
	for (size_t i = 0; i < list->count; i++)
		if (!kept || list->namespaces[kept - 1].inode != list->namespaces[i].inode)
			list->namespaces[kept++] = list->namespaces[i];
	list->count = kept;
}

/* Both lists are in order of inode: walk them side by side. */
static void lists__compare(const struct namespace_list *before, const struct namespace_list *now,
			   namespace_changed changed, void *context)
{
	size_t before_at = 0, now_at = 0;

	while (before_at < before->count || now_at < now->count) {
		const struct named_namespace *was = before_at < before->count ? &before->namespaces[before_at] : NULL;
		const struct named_namespace *is = now_at < now->count ? &now->namespaces[now_at] : NULL;

		if (was && (!is || was->inode < is->inode)) {
			changed(context, NAMESPACE_GONE, was->inode, was->name);
			before_at++;
		} else if (is && (!was || is->inode < was->inode)) {
			changed(context, NAMESPACE_FOUND, is->inode, is->name);
			now_at++;
		} else if (was && is) {
			if (strcmp(was->name, is->name))
				changed(context, NAMESPACE_FOUND, is->inode, is->name);
			before_at++;
			now_at++;
		}
	}
}

void namespace_table__scan(struct namespace_table *table, namespace_changed changed, void *context)
{
	struct namespace_list now = {};

	list__scan(&now);
	if (changed)
		lists__compare(&table->current, &now, changed, context);
	free(table->current.namespaces);
	table->current = now;
}

const struct named_namespace *namespace_table__all(const struct namespace_table *table, size_t *count)
{
	*count = table->current.count;
	return table->current.namespaces;
}

struct namespace_table *namespace_table__new(void)
{
	return calloc(1, sizeof(struct namespace_table));
}

void namespace_table__free(struct namespace_table *table)
{
	if (!table)
		return;
	free(table->current.namespaces);
	free(table);
}

/* ---- --netns -------------------------------------------------------------------------------------------------------- */

static bool text__read_number(const char *text, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && !*end;
}

static int namespace__resolve_process(const char *text, uint64_t *inode, char *error, size_t error_bytes)
{
	char path[64];
	uint64_t pid;

	if (!text__read_number(text, &pid) || !pid || pid > INT32_MAX) {
		snprintf(error, error_bytes,
			 "--netns pid:%s: \"%s\" is no process id; write pid: and a number, as in pid:1234", text,
			 text);
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/%llu/ns/net", (unsigned long long)pid);
	*inode = path__namespace_inode(path);
	if (*inode)
		return 0;
	if (errno == ENOENT)
		snprintf(error, error_bytes, "--netns pid:%s: there is no such process here", text);
	else
		snprintf(error, error_bytes,
			 "--netns pid:%s: cannot read %s: %s; it needs the rights of that process's owner", text, path,
			 strerror(errno));
	return -1;
}

static int namespace__resolve_path(const char *path, uint64_t *inode, char *error, size_t error_bytes)
{
	*inode = path__namespace_inode(path);
	if (*inode)
		return 0;
	if (errno == EINVAL)
		snprintf(error, error_bytes, "--netns %s: this file is no namespace; give one such as /proc/PID/ns/net",
			 path);
	else
		snprintf(error, error_bytes, "--netns %s: %s", path, strerror(errno));
	return -1;
}

static void folder__append_names(const struct namespace_list *list, char *error, size_t error_bytes)
{
	for (size_t i = 0; i < list->count && i < 10; i++) {
		size_t used = strlen(error);

		snprintf(error + used, error_bytes - used, "%s%s", i ? ", " : "", list->namespaces[i].name);
	}
	if (list->count > 10) {
		size_t used = strlen(error);

		snprintf(error + used, error_bytes - used, " and %zu more", list->count - 10);
	}
}

static int namespace__resolve_name(const char *name, uint64_t *inode, char *error, size_t error_bytes)
{
	struct namespace_list list = {};
	char path[512];

	for (size_t i = 0; i < FOLDER_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		*inode = path__namespace_inode(path);
		if (*inode)
			return 0;
	}
	list__scan(&list);
	snprintf(error, error_bytes, "--netns %s: no namespace of this name is in /run/netns; ", name);
	if (list.count) {
		snprintf(error + strlen(error), error_bytes - strlen(error), "there are ");
		folder__append_names(&list, error, error_bytes);
	} else {
		snprintf(error + strlen(error), error_bytes - strlen(error),
			 "none has a name there: give a path, an inode number, or pid:PID");
	}
	free(list.namespaces);
	return -1;
}

/* "4026531840" or "net:[4026531840]", as `readlink /proc/PID/ns/net` prints it */
static bool spec__read_inode(const char *spec, uint64_t *inode)
{
	char digits[24];
	size_t bytes;

	if (strncmp(spec, "net:[", 5))
		return text__read_number(spec, inode);
	bytes = strlen(spec);
	if (spec[bytes - 1] != ']' || bytes - 6 >= sizeof(digits))
		return false;
	memcpy(digits, spec + 5, bytes - 6);
	digits[bytes - 6] = '\0';
	return text__read_number(digits, inode);
}

int namespace__resolve(const char *spec, uint64_t *inode, char *error, size_t error_bytes)
{
	if (!*spec) {
		snprintf(error, error_bytes, "--netns is empty: give a name, a path, an inode number, or pid:PID");
		return -1;
	}
	if (!strncmp(spec, "pid:", 4))
		return namespace__resolve_process(spec + 4, inode, error, error_bytes);
	if (spec__read_inode(spec, inode)) {
		if (*inode && *inode <= UINT32_MAX)
			return 0;
		snprintf(error, error_bytes, "--netns %s: inodes of namespaces are numbers from 1 to %u", spec,
			 UINT32_MAX);
		return -1;
	}
	if (strchr(spec, '/'))
		return namespace__resolve_path(spec, inode, error, error_bytes);
	return namespace__resolve_name(spec, inode, error, error_bytes);
}
