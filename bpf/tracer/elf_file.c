// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "elf_file.h"

#include <fcntl.h>
#include <gelf.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct elf_file {
	int fd;
	Elf *elf;
	Elf_Data *symbols; /* .dynsym */
	size_t symbol_count;
	size_t names; /* section of its names */
};

static void elf_file__close(struct elf_file *file)
{
	if (file->elf)
		elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
}

/* False: it is no ELF file, or exports nothing. */
static bool elf_file__open(struct elf_file *file, const char *path)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	*file = (struct elf_file){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
	if (file->fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return false;
	file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF)
		return false;
	while ((section = elf_nextscn(file->elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNSYM || !header.sh_entsize)
			continue;
		file->symbols = elf_getdata(section, NULL);
		file->symbol_count = header.sh_size / header.sh_entsize;
		file->names = header.sh_link;
		return file->symbols != NULL;
	}
	return false;
}

/* Defined here, not only used. */
static bool elf_file__find(const struct elf_file *file, const char *name, int type, GElf_Sym *symbol)
{
	for (size_t i = 0; i < file->symbol_count; i++) {
		const char *found;

		if (!gelf_getsym(file->symbols, i, symbol) || GELF_ST_TYPE(symbol->st_info) != type ||
		    symbol->st_shndx == SHN_UNDEF)
			continue;
		found = elf_strptr(file->elf, file->names, symbol->st_name);
		if (found && !strcmp(found, name))
			return true;
	}
	return false;
}

bool elf_file__exports_function(const char *path, const char *name)
{
	struct elf_file file;
	GElf_Sym symbol;
	bool exports = elf_file__open(&file, path) && elf_file__find(&file, name, STT_FUNC, &symbol);

	elf_file__close(&file);
	return exports;
}

/* ---- variables of threads ------------------------------------------------------------------------------------------- */

static bool elf_file__find_segment(const struct elf_file *file, uint32_t type, GElf_Phdr *segment)
{
	size_t count = 0;

	elf_getphdrnum(file->elf, &count);
	for (size_t i = 0; i < count; i++)
		if (gelf_getphdr(file->elf, i, segment) && segment->p_type == type)
			return true;
	return false;
}

/* libc.so.6 too has an interpreter, but no such variable. */
static bool elf_file__is_executable(const struct elf_file *file, const GElf_Ehdr *header)
{
	GElf_Phdr segment;

	return header->e_type == ET_EXEC || elf_file__find_segment(file, PT_INTERP, &segment);
}

/* The block of an executable's variables ends at the thread pointer (x86-64: variant II of the ABI). */
static struct thread_variable elf_file__place_static(const struct elf_file *file, const GElf_Sym *symbol)
{
	GElf_Phdr segment;
	uint64_t alignment, bytes;

	if (!elf_file__find_segment(file, PT_TLS, &segment))
		return (struct thread_variable){ .kind = THREAD_VARIABLE_UNKNOWN };
	alignment = segment.p_align ? segment.p_align : 1;
	bytes = (segment.p_memsz + alignment - 1) / alignment * alignment;
	return (struct thread_variable){ .kind = THREAD_VARIABLE_STATIC,
					 .offset = (int64_t)(symbol->st_value - bytes) };
}

/* What this relocation says of the variable. `is_named`: it is the variable's own, not one of the whole module. */
static struct thread_variable relocation__read(const GElf_Rela *relocation, const GElf_Sym *symbol, bool is_named)
{
	struct thread_variable variable = { .slot = relocation->r_offset };
	bool is_its_own = is_named ||
			  (!GELF_R_SYM(relocation->r_info) && (uint64_t)relocation->r_addend == symbol->st_value);

	switch (GELF_R_TYPE(relocation->r_info)) {
	case R_X86_64_TPOFF64:
		variable.kind = is_its_own ? THREAD_VARIABLE_OFFSET : THREAD_VARIABLE_NONE;
		break;
	case R_X86_64_TLSDESC:
		variable.kind = is_its_own ? THREAD_VARIABLE_DESCRIPTOR : THREAD_VARIABLE_NONE;
		break;
	case R_X86_64_DTPMOD64: /* the module's number is the same for all that the file defines */
		variable.kind = is_named || !GELF_R_SYM(relocation->r_info) ? THREAD_VARIABLE_MODULE :
									      THREAD_VARIABLE_NONE;
		variable.offset = symbol->st_value;
		break;
	default:
		variable.kind = THREAD_VARIABLE_NONE;
	}
	return variable;
}

static bool relocation__is_of(const struct elf_file *file, const GElf_Rela *relocation, const char *name)
{
	GElf_Sym symbol;
	const char *found;

	if (!GELF_R_SYM(relocation->r_info) || !gelf_getsym(file->symbols, GELF_R_SYM(relocation->r_info), &symbol))
		return false;
	found = elf_strptr(file->elf, file->names, symbol.st_name);
	return found && !strcmp(found, name);
}

static struct thread_variable elf_file__place_dynamic(const struct elf_file *file, const GElf_Sym *symbol,
						      const char *name)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(file->elf, section))) {
		Elf_Data *data;
		size_t count;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA || !header.sh_entsize ||
		    !(header.sh_flags & SHF_ALLOC))
			continue;
		data = elf_getdata(section, NULL);
		count = data ? header.sh_size / header.sh_entsize : 0;
		for (size_t i = 0; i < count; i++) {
			struct thread_variable variable;
			GElf_Rela relocation;

			if (!gelf_getrela(data, i, &relocation))
				continue;
			variable = relocation__read(&relocation, symbol, relocation__is_of(file, &relocation, name));
			if (variable.kind)
				return variable;
		}
	}
	return (struct thread_variable){ .kind = THREAD_VARIABLE_UNKNOWN };
}

struct thread_variable elf_file__find_thread_variable(const char *path, const char *name)
{
	struct thread_variable variable = {};
	struct elf_file file;
	GElf_Ehdr header;
	GElf_Sym symbol;

	if (elf_file__open(&file, path) && gelf_getehdr(file.elf, &header) && header.e_machine == EM_X86_64 &&
	    elf_file__find(&file, name, STT_TLS, &symbol))
		variable = elf_file__is_executable(&file, &header) ? elf_file__place_static(&file, &symbol) :
								     elf_file__place_dynamic(&file, &symbol, name);
	elf_file__close(&file);
	return variable;
}
