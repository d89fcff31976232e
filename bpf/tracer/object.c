// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "object.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "../filter/filter.h"
#include "../programs/shared.h"

/* The compiled object: see the Makefile's TRACER_OBJECT. */
__asm__(".section .rodata\n"
	".balign 16\n"
	".global embedded_object\n"
	"embedded_object:\n"
	".incbin \"" EMBEDDED_OBJECT_PATH "\"\n"
	".global embedded_object_end\n"
	"embedded_object_end:\n"
	".previous\n");
extern const char embedded_object[], embedded_object_end[];

#define FILTER_SYMBOL "filter_matches"

struct session_functions session_functions__find(void)
{
	struct session_functions found = {};
	struct btf *btf = btf__load_vmlinux_btf();
	int id;

	if (!btf)
		return found;
	id = btf__find_by_name_kind(btf, "bpf_session_is_return", BTF_KIND_FUNC);
	found.is_return = id > 0 ? id : 0;
	id = btf__find_by_name_kind(btf, "bpf_session_cookie", BTF_KIND_FUNC);
	found.cookie = id > 0 ? id : 0;
	btf__free(btf);
	return found;
}

/* The section's data in the image itself, so that what is written there is what libbpf reads. */
static void *section__data(Elf *elf, char *image, size_t index, GElf_Shdr *header)
{
	Elf_Scn *section = elf_getscn(elf, index);

	if (!section || !gelf_getshdr(section, header))
		return NULL;
	return image + header->sh_offset;
}

static int image__splice_filter(Elf *elf, char *image, const struct filter_program *filter)
{
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header, code_header;
		Elf_Data *symbols;
		GElf_Sym symbol;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
			continue;
		symbols = elf_getdata(section, NULL);
		for (int i = 0; gelf_getsym(symbols, i, &symbol); i++) {
			const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
			char *code;

			if (!name || strcmp(name, FILTER_SYMBOL))
				continue;
			code = section__data(elf, image, symbol.st_shndx, &code_header);
			return filter__splice(filter, (struct bpf_insn *)(code + symbol.st_value), FILTER_MAX_INSNS);
		}
	}
	return -1;
}

static void code__patch_calls(struct bpf_insn *insns, size_t count, const struct session_functions *session)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t function;

		if (insns[i].code != (BPF_JMP | BPF_CALL) || insns[i].src_reg)
			continue;
		if (insns[i].imm == PATCH_CALL_SESSION_IS_RETURN)
			function = session->is_return;
		else if (insns[i].imm == PATCH_CALL_SESSION_COOKIE)
			function = session->cookie;
		else
			continue;
		insns[i].src_reg = BPF_PSEUDO_KFUNC_CALL;
		insns[i].imm = function;
	}
}

static void image__patch_calls(Elf *elf, char *image, const struct session_functions *session)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_PROGBITS && header.sh_flags & SHF_EXECINSTR)
			code__patch_calls((void *)(image + header.sh_offset), header.sh_size / sizeof(struct bpf_insn),
					  session);
}

struct bpf_object *tracer_object__open(const struct filter_program *filter, const struct session_functions *session,
				       char *error, size_t error_bytes)
{
	size_t bytes = embedded_object_end - embedded_object;
	char *image = malloc(bytes);
	struct bpf_object *object = NULL;
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "skbspan");
	Elf *elf;

	elf_version(EV_CURRENT);
	if (!image) {
		snprintf(error, error_bytes, "out of memory (%zu bytes for the BPF object)", bytes);
		return NULL;
	}
	memcpy(image, embedded_object, bytes);
	elf = elf_memory(image, bytes);
	if (!elf || image__splice_filter(elf, image, filter)) {
		snprintf(error, error_bytes,
			 "the BPF object has no room for the filter: build skbspan again (make -C bpf)");
		goto out;
	}
	image__patch_calls(elf, image, session);
	object = bpf_object__open_mem(image, bytes, &options);
	if (!object)
		snprintf(error, error_bytes, "cannot open the BPF object: %s", strerror(errno));
out:
	elf_end(elf);
	free(image);
	return object;
}
