// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "thread_contexts.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../programs/thread_places.h"
#include "elf_file.h"
#include "file.h"
#include "mapped_files.h"

#define VARIABLE "otel_thread_ctx_v1"
#define MOST_MODULES 65536
#define LARGEST_BLOCK_BYTES (1 << 30)
#define FIRST_PID_NAMESPACE 0xeffffffcu /* PROC_PID_INIT_INO: there, process ids are what the kernel's programs see */

struct thread_contexts {
	int files;
	int processes;
	bool knows_processes;
	struct thread_variable variables[MOST_MAPPED_FILES];
	size_t executable_count;
	size_t process_count;
	size_t unknown_count;
};

/* ---- a process ------------------------------------------------------------------------------------------------------ */

static bool process__read_word(int process, uint64_t address, uint64_t *word)
{
	char path[64];
	ssize_t bytes;
	int memory;

	snprintf(path, sizeof(path), "/proc/%d/mem", process);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	if (memory < 0)
		return false;
	bytes = pread(memory, word, sizeof(*word), (off_t)address);
	close(memory);
	return bytes == sizeof(*word);
}

static bool process__identify_file(int process, struct thread_file *file)
{
	char path[64];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/exe", process);
	if (stat(path, &status))
		return false;
	*file = (struct thread_file){ .inode = status.st_ino, .bytes = status.st_size };
	return true;
}

/* Field 22 of /proc/PID/stat; the second one, the name, may have anything in it. */
static bool process__read_start(int process, __u64 *start_ticks)
{
	char path[64], *text, *after;
	unsigned long long ticks = 0;
	bool is_read = false;

	snprintf(path, sizeof(path), "/proc/%d/stat", process);
	text = file__read(path, NULL);
	after = text ? strrchr(text, ')') : NULL;
	if (after)
		is_read = sscanf(after + 1,
				 " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
				 &ticks) == 1;
	*start_ticks = ticks;
	free(text);
	return is_read;
}

/* ---- where the variable is ------------------------------------------------------------------------------------------ */

static bool place__of_module(struct thread_place *place, const struct mapped_file *file, uint64_t module,
			     uint64_t offset)
{
	if (!module || module >= MOST_MODULES || offset >= LARGEST_BLOCK_BYTES)
		return false;
	*place = (struct thread_place){ .kind = file->is_musl ? THREAD_PLACE_DTV_MUSL : THREAD_PLACE_DTV_GLIBC,
					.module = module,
					.offset = (int64_t)offset };
	return true;
}

static bool place__of_offset(struct thread_place *place, int64_t offset)
{
	if (offset >= 0 || offset < -LARGEST_BLOCK_BYTES)
		return false;
	*place = (struct thread_place){ .kind = THREAD_PLACE_STATIC, .offset = offset };
	return true;
}

/* A descriptor's argument is the offset from the thread pointer, or the address of a module's number and an offset. */
static bool place__of_descriptor(struct thread_place *place, const struct mapped_file *file, uint64_t slot)
{
	uint64_t argument, module, offset;

	if (!process__read_word(file->process, slot + 8, &argument))
		return false;
	if ((int64_t)argument < 0)
		return place__of_offset(place, (int64_t)argument);
	return process__read_word(file->process, argument, &module) &&
	       process__read_word(file->process, argument + 8, &offset) &&
	       place__of_module(place, file, module, offset);
}

static bool place__of_library(struct thread_place *place, const struct mapped_file *file,
			      const struct thread_variable *variable)
{
	uint64_t slot = file->base + variable->slot, word;

	if (variable->kind == THREAD_VARIABLE_DESCRIPTOR)
		return place__of_descriptor(place, file, slot);
	if (!process__read_word(file->process, slot, &word))
		return false;
	if (variable->kind == THREAD_VARIABLE_OFFSET)
		return place__of_offset(place, (int64_t)word);
	return variable->kind == THREAD_VARIABLE_MODULE && place__of_module(place, file, word, variable->offset);
}

/* ---- telling the programs ------------------------------------------------------------------------------------------- */

static void contexts__add_executable(struct thread_contexts *contexts, const struct mapped_file *file,
				     const struct thread_variable *variable)
{
	struct thread_place place = { .kind = THREAD_PLACE_STATIC, .offset = variable->offset };
	struct thread_file identity;

	if (file->is_first && process__identify_file(file->process, &identity) &&
	    !bpf_map_update_elem(contexts->files, &identity, &place, BPF_ANY))
		contexts->executable_count++;
}

static void contexts__add_process(struct thread_contexts *contexts, const struct mapped_file *file,
				  const struct thread_variable *variable)
{
	struct thread_process process = {};
	uint32_t key = file->process;

	if (contexts->knows_processes && place__of_library(&process.place, file, variable) &&
	    process__identify_file(file->process, &process.file) &&
	    process__read_start(file->process, &process.start_ticks) &&
	    !bpf_map_update_elem(contexts->processes, &key, &process, BPF_ANY))
		contexts->process_count++;
	else
		contexts->unknown_count++;
}

static void on_mapped_file(void *context, const struct mapped_file *file)
{
	struct thread_contexts *contexts = context;
	struct thread_variable *variable = &contexts->variables[file->number];

	if (file->is_first)
		*variable = elf_file__find_thread_variable(file->path, VARIABLE);
	if (variable->kind == THREAD_VARIABLE_STATIC)
		contexts__add_executable(contexts, file, variable);
	else if (variable->kind != THREAD_VARIABLE_NONE)
		contexts__add_process(contexts, file, variable);
}

static bool is_in_first_pid_namespace(void)
{
	struct stat status;

	return !stat("/proc/self/ns/pid", &status) && status.st_ino == FIRST_PID_NAMESPACE;
}

void thread_contexts__find(struct bpf_object *object, char *said, size_t said_bytes)
{
	struct thread_contexts *contexts = calloc(1, sizeof(*contexts));
	int used;

	if (!contexts) {
		snprintf(said, said_bytes, "trace contexts of threads are not read: out of memory");
		return;
	}
	contexts->files = bpf_object__find_map_fd_by_name(object, "thread_files");
	contexts->processes = bpf_object__find_map_fd_by_name(object, "thread_processes");
	contexts->knows_processes = is_in_first_pid_namespace();
	mapped_files__each(on_mapped_file, contexts);
	used = snprintf(
		said, said_bytes,
		"trace contexts of threads are read in what %zu executables run and in %zu processes that have a library for it",
		contexts->executable_count, contexts->process_count);
	if (contexts->unknown_count)
		snprintf(said + used, said_bytes - used, "; in %zu processes they are not found%s",
			 contexts->unknown_count,
			 contexts->knows_processes ? "" :
						     ": the tracer needs the machine's process ids for that (hostPID)");
	free(contexts);
}
