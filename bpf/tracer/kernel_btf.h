/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The running kernel's type information, loaded once: parsing it takes longer than anything that is asked of it. */
#ifndef SKBSPAN_KERNEL_BTF_H
#define SKBSPAN_KERNEL_BTF_H

#include <stddef.h>
#include <stdint.h>

struct btf;

struct module_btf {
	char name[64];
	struct btf *btf; /* split: types and strings up to those of vmlinux are vmlinux's */
};

/* NULL (and errno) when the kernel has no BTF. Stays loaded until kernel_btf__free_all. */
const struct btf *kernel_btf__vmlinux(void);

/* BTF of the loaded modules; an empty array when the kernel does not show any. */
const struct module_btf *kernel_btf__modules(size_t *count);

/* Follows const, volatile, typedef, restrict and type tags. */
uint32_t kernel_btf__strip(const struct btf *btf, uint32_t type);

/* The id of `struct sk_buff` in vmlinux, 0 when it is not there. */
uint32_t kernel_btf__sk_buff(void);

/* sizeof(struct sk_buff), 0 when it is not known. */
uint32_t kernel_btf__sk_buff_bytes(void);

void kernel_btf__free_all(void);

#endif
