/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The bytes of a send or of a read, piece by piece, wherever they lie. */
#ifndef SKBSPAN_PIECES_H
#define SKBSPAN_PIECES_H

#include "kernel.h"
#include "requests.h"

const volatile struct requests_settings settings;

enum piece_kind {
	PIECE_USER,   /* memory of the application */
	PIECE_KERNEL, /* memory of the kernel */
	PIECE_IOVEC,  /* a table of pieces of the application's memory */
	PIECE_KVEC,   /* the same of the kernel's memory */
	PIECE_PAGES,  /* a table of pieces of pages: what is spliced, and what an sk_buff holds */
};

struct pieces {
	__u64 table; /* address of the next row */
	__u64 base; /* address of the next byte; of a packet that is read by the kernel's function, its place in there */
	__u64 left;     /* bytes of this piece */
	__u32 total;    /* bytes of all that is left */
	__u32 discard;  /* bytes to leave out before anything is looked at */
	__u32 sequence; /* of the next byte */
	__u16 rows;     /* left in the table */
	__u8 kind;      /* of this piece */
	__u8 table_kind;
};

/* Where the kernel's own mapping of all memory shows a page. Only x86-64 does it so; elsewhere the settings are zero. */
static __always_inline __u64 page__address(__u64 page)
{
	__u64 offset = 0, vmemmap = 0;

	if (!settings.page_offset_base_at || page & 1) /* 1: not a page, but memory of a device */
		return 0;
	bpf_probe_read_kernel(&offset, sizeof(offset), (void *)settings.page_offset_base_at);
	bpf_probe_read_kernel(&vmemmap, sizeof(vmemmap), (void *)settings.vmemmap_base_at);
	return offset && vmemmap ? offset + ((page - vmemmap) / bpf_core_type_size(struct page) << 12) : 0;
}

/* The next row of the table. False: there is none, or it cannot be read. */
static __always_inline bool pieces__next(struct pieces *pieces)
{
	struct bio_vec pages;
	struct iovec memory;

	if (!pieces->rows)
		return false;
	pieces->rows--;
	if (pieces->table_kind == PIECE_PAGES) {
		if (bpf_probe_read_kernel(&pages, sizeof(pages), (void *)pieces->table))
			return false;
		pieces->table += sizeof(pages);
		pieces->base = page__address((__u64)pages.bv_page);
		if (pieces->base)
			pieces->base += pages.bv_offset;
		pieces->left = pages.bv_len;
		pieces->kind = PIECE_KERNEL;
		return true;
	}
	if (bpf_probe_read_kernel(&memory, sizeof(memory), (void *)pieces->table))
		return false;
	pieces->table += sizeof(memory);
	pieces->base = (__u64)memory.iov_base;
	pieces->left = memory.iov_len;
	pieces->kind = pieces->table_kind == PIECE_KVEC ? PIECE_KERNEL : PIECE_USER;
	return true;
}

#define MOST_ROWS 17 /* MAX_SKB_FRAGS */

/* Leaves out so many bytes; the piece that is the next then is not empty. False: there are not so many. */
static __always_inline bool pieces__drop(struct pieces *pieces, __u64 bytes)
{
	for (int row = 0; row < MOST_ROWS && bytes >= pieces->left; row++) {
		bytes -= pieces->left;
		if (!pieces__next(pieces))
			return false;
	}
	if (bytes >= pieces->left)
		return false;
	pieces->base += pieces->base ? bytes : 0;
	pieces->left -= bytes;
	return true;
}

static __always_inline void pieces__advance(struct pieces *pieces, __u32 bytes)
{
	pieces->base += bytes;
	pieces->left -= bytes;
	pieces->total -= bytes;
	pieces->sequence += bytes;
}

/* What is to be sent. False: of a kind that cannot be read. */
static __always_inline bool pieces__of_message(struct pieces *pieces, const struct msghdr *message)
{
	const struct msghdr___until_6_4 *older = (const void *)message;
	__u8 type = message->msg_iter.iter_type;
	__u64 offset = message->msg_iter.iov_offset, start;

	/* read as a number: the verifier allows no arithmetic on a pointer of the kernel's */
	if (bpf_core_field_exists(message->msg_iter.__iov))
		start = (__u64)BPF_CORE_READ(message, msg_iter.__iov);
	else
		start = (__u64)BPF_CORE_READ(older, msg_iter.iov);
	pieces->total = message->msg_iter.count;
	pieces->left = 0;
	pieces->base = 0;
	if (bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
	    type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		pieces->rows = 0;
		pieces->kind = PIECE_USER;
		pieces->base = start + offset;
		pieces->left = pieces->total;
		return true;
	}
	if (type == bpf_core_enum_value(enum iter_type, ITER_IOVEC))
		pieces->table_kind = PIECE_IOVEC;
	else if (type == bpf_core_enum_value(enum iter_type, ITER_BVEC))
		pieces->table_kind = PIECE_PAGES;
	else if (type == bpf_core_enum_value(enum iter_type, ITER_KVEC))
		pieces->table_kind = PIECE_KVEC;
	else
		return false;
	pieces->table = start;
	pieces->rows = message->msg_iter.nr_segs;
	return pieces__drop(pieces, offset);
}

/* The payload of a packet: what is in its own memory, then its pages. */
static __always_inline void pieces__of_packet(struct pieces *pieces, const struct sk_buff *skb, __u32 total)
{
	struct skb_shared_info *shared = (void *)(skb->head + skb->end);
	__u8 rows = 0;

	bpf_core_read(&rows, sizeof(rows), &shared->nr_frags);
	pieces->table = (__u64)__builtin_preserve_access_index(&shared->frags);
	pieces->rows = rows;
	pieces->table_kind = PIECE_PAGES;
	pieces->kind = PIECE_KERNEL;
	pieces->base = (__u64)skb->data;
	pieces->left = skb->len - skb->data_len;
	pieces->total = total;
}

#endif
