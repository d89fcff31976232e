// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "tls_libraries.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "elf_file.h"
#include "mapped_files.h"

#define MOST_LIBRARIES                                                                                                 \
	64 /* a machine full of containers has a few versions of libssl in some hundred copies of layers */

static const struct {
	const char *function;
	const char *program;
	const char *on_return; /* NULL: none */
} functions[] = {
	{ "SSL_write", "tls_write", "tls_write_return" },
	{ "SSL_write_ex", "tls_write_ex", "tls_write_return" },
	{ "SSL_read", "tls_read", "tls_read_return" },
	{ "SSL_read_ex", "tls_read_ex", "tls_read_return" },
	{ "SSL_free", "tls_free", NULL },
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))
#define SURE_SIGN "SSL_write" /* what has it has OpenSSL's interface */

struct tls_libraries {
	struct bpf_object *object;
	struct bpf_link *links[MOST_LIBRARIES * FUNCTIONS * 2];
	size_t link_count;
	size_t library_count;
	size_t left_out;
	size_t failed;
	int failure;
	char failed_path[PATH_MAX];
};

bool tls_libraries__is_program(const char *name)
{
	return !strncmp(name, "tls_", strlen("tls_"));
}

static int tls_libraries__attach_program(struct tls_libraries *libraries, const char *path, const char *function,
					 const char *name, bool is_return)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .func_name = function, .retprobe = is_return);
	struct bpf_program *program = bpf_object__find_program_by_name(libraries->object, name);
	struct bpf_link *link = bpf_program__attach_uprobe_opts(program, -1, path, 0, &options);

	if (!link)
		return -errno;
	libraries->links[libraries->link_count++] = link;
	return 0;
}

/* SSL_read_ex and SSL_write_ex are there since 1.1.1: what lacks them is attached without. */
static int tls_libraries__attach_functions(struct tls_libraries *libraries, const char *path)
{
	for (size_t i = 0; i < FUNCTIONS; i++) {
		int failure = 0;

		if (!elf_file__exports_function(path, functions[i].function))
			continue;
		/* the return first: a call that is seen when it begins is seen when it ends */
		if (functions[i].on_return)
			failure = tls_libraries__attach_program(libraries, path, functions[i].function,
								functions[i].on_return, true);
		if (!failure)
			failure = tls_libraries__attach_program(libraries, path, functions[i].function,
								functions[i].program, false);
		if (failure)
			return failure;
	}
	return 0;
}

static void tls_libraries__add(struct tls_libraries *libraries, const char *path, const char *name)
{
	size_t links = libraries->link_count;
	int failure;

	if (libraries->library_count == MOST_LIBRARIES) {
		libraries->left_out++;
		return;
	}
	failure = tls_libraries__attach_functions(libraries, path);
	if (!failure) {
		libraries->library_count++;
		return;
	}
	while (libraries->link_count > links)
		bpf_link__destroy(libraries->links[--libraries->link_count]);
	libraries->failed++;
	libraries->failure = failure;
	snprintf(libraries->failed_path, sizeof(libraries->failed_path), "%s", name);
}

static void on_mapped_file(void *context, const struct mapped_file *file)
{
	if (file->is_first && (file->is_executable || strstr(file->name, "ssl")) &&
	    elf_file__exports_function(file->path, SURE_SIGN))
		tls_libraries__add(context, file->path, file->name);
}

/* Named by the user: that one of them has no such function is worth saying. */
static void tls_libraries__add_named(struct tls_libraries *libraries, const char *paths)
{
	while (paths && *paths) {
		size_t bytes = strcspn(paths, ",");
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%.*s", (int)bytes, paths);
		if (elf_file__exports_function(path, SURE_SIGN)) {
			tls_libraries__add(libraries, path, path);
		} else if (bytes) {
			libraries->failed++;
			libraries->failure = -ENOENT;
			snprintf(libraries->failed_path, sizeof(libraries->failed_path), "%s", path);
		}
		paths += bytes + (paths[bytes] == ',');
	}
}

static void tls_libraries__say(const struct tls_libraries *libraries, char *said, size_t bytes)
{
	int used =
		libraries->library_count ?
			snprintf(said, bytes, "%zu TLS librar%s and programs with one are looked into",
				 libraries->library_count, libraries->library_count == 1 ? "y" : "ies") :
			snprintf(
				said, bytes,
				"no TLS library is looked into: no process that the tracer may read has one now; give --tls-libraries");

	if (libraries->left_out)
		used += snprintf(said + used, bytes - used, "; %zu more are not, at most %d are", libraries->left_out,
				 MOST_LIBRARIES);
	if (libraries->failed)
		snprintf(said + used, bytes - used, "; %zu cannot be, the last of them %.200s: %s", libraries->failed,
			 libraries->failed_path,
			 libraries->failure == -ENOENT ? "it exports no SSL_write" : strerror(-libraries->failure));
}

struct tls_libraries *tls_libraries__attach(struct bpf_object *object, const char *paths, char *said, size_t said_bytes)
{
	struct tls_libraries *libraries = calloc(1, sizeof(*libraries));

	if (!libraries)
		return NULL;
	libraries->object = object;
	tls_libraries__add_named(libraries, paths);
	mapped_files__each(on_mapped_file, libraries);
	tls_libraries__say(libraries, said, said_bytes);
	return libraries;
}

void tls_libraries__free(struct tls_libraries *libraries)
{
	if (!libraries)
		return;
	for (size_t i = 0; i < libraries->link_count; i++)
		bpf_link__destroy(libraries->links[i]);
	free(libraries);
}
