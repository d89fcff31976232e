/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * HPACK (RFC 7541) without its table. Of the dynamic table's entries only those named traceparent matter, and an entry is
 * known by the number of its insertion, which never changes: index 62 is the latest, 62 + k the k-th before it. So it is
 * enough to count the insertions, to know which of the latest had that name, and to keep the last few values.
 * Evictions need not be followed, since an encoder cannot refer to what it has evicted (section 2.3.3).
 */
#ifndef SKBSPAN_HPACK_H
#define SKBSPAN_HPACK_H

#include "trace_context.h"

#define HPACK_STATIC_ENTRIES 61
#define HPACK_TABLE_BYTES 4096 /* until the encoder says otherwise */
#define HPACK_ENTRY_OVERHEAD 32
#define HPACK_STATIC_NAME_LOW 3   /* "age" */
#define HPACK_STATIC_NAME_HIGH 27 /* "access-control-allow-origin" */
#define HPACK_NAMED_ENTRIES 128   /* bits of table_names */
#define HPACK_NO_ENTRY HPACK_ENTRIES

/* Huffman codes have 5 to 30 bits, and less than a byte of padding (section 5.2, appendix B). */
#define HPACK_SHORTEST_CODE 5
#define HPACK_LONGEST_CODE 30

#define HPACK_TRACE_NAME_BYTES 11
#define HPACK_TRACE_HUFFMAN_BYTES 8

static const __u8 hpack_trace_name[2][16] = {
	"traceparent",
	{ 0x4d, 0x83, 0x21, 0x6b, 0x1d, 0x85, 0xa9, 0x3f }, /* the same, Huffman coded: there is one way only */
};

/* Symbols by the next 6 bits: what traceparent consists of has codes of 5 and 6 bits. 0: a longer code. */
#define HPACK_FIRST_LONG_PREFIX 20 /* below: codes of 5 bits, each here twice */
#define HPACK_PADDING_PREFIX 63

static const __u8 hpack_symbols[64] = "001122aacceeiioosstt %-./3456789=A_bdfghlmnpru";

/* ---- entries ------------------------------------------------------------------------------------------------------ */

static __always_inline __u32 hpack__find(const struct http_parser *p, __u32 number)
{
	__u32 found = HPACK_NO_ENTRY;

#pragma clang loop unroll(full)
	for (__u32 i = 0; i < HPACK_ENTRIES; i++)
		if (p->entries[i].number == number)
			found = i;
	return found;
}

/* Whether the entry that came `age` insertions before the latest is named traceparent. */
static __always_inline bool hpack__is_named_trace(const struct http_parser *p, __u32 age)
{
	if (age < 64)
		return p->table_names[0] >> age & 1;
	if (age < HPACK_NAMED_ENTRIES)
		return p->table_names[1] >> (age & 63) & 1;
	return hpack__find(p, p->inserted - age) != HPACK_NO_ENTRY;
}

static __always_inline void hpack__insert(struct http_parser *p)
{
	p->inserted++;
	p->table_names[1] = p->table_names[1] << 1 | p->table_names[0] >> 63;
	p->table_names[0] = p->table_names[0] << 1 | p->is_trace;
	if (p->name_high > p->longest_name)
		p->longest_name = p->name_high;
	if (p->is_trace) {
		struct hpack_entry *entry = &p->entries[p->next_entry & (HPACK_ENTRIES - 1)];

		entry->number = p->inserted;
		entry->trace = p->trace;
		entry->trace.found = trace__is_valid(p);
		p->next_entry = (p->next_entry + 1) & (HPACK_ENTRIES - 1);
	}
}

/* ---- fields ------------------------------------------------------------------------------------------------------- */

static __always_inline void hpack__add_string(struct http_parser *p, __u32 bytes)
{
	__u32 bits = bytes * 8;

	p->entry_low += !p->is_huffman ? bytes : bytes ? (bits - 7 + HPACK_LONGEST_CODE - 1) / HPACK_LONGEST_CODE : 0;
	p->entry_high += p->is_huffman ? bits / HPACK_SHORTEST_CODE : bytes;
}

/*
 * An entry that is larger than the table empties it and is not put in (section 4.4). How large a Huffman coded one is would
 * take decoding it; bounds do, but for strings of some 2,500 bytes.
 */
static __always_inline bool hpack__end_field(struct http_parser *p)
{
	p->hpack = HPACK_FIELD;
	if (p->kind == HPACK_INSERTED) {
		if (p->entry_high + HPACK_ENTRY_OVERHEAD <= p->table_size)
			hpack__insert(p);
		else if (p->entry_low + HPACK_ENTRY_OVERHEAD <= p->table_size)
			return false;
	}
	if (p->is_trace)
		trace__add(p, trace__is_valid(p));
	return true;
}

static __always_inline bool hpack__take_indexed(struct http_parser *p)
{
	__u32 age = p->number - HPACK_STATIC_ENTRIES - 1, slot;

	if (p->number <= HPACK_STATIC_ENTRIES)
		return p->number != 0;
	if (age >= p->inserted)
		return false;
	if (!hpack__is_named_trace(p, age))
		return true;
	slot = hpack__find(p, p->inserted - age);
	if (slot != HPACK_NO_ENTRY) {
		p->trace = p->entries[slot & (HPACK_ENTRIES - 1)].trace;
		trace__add(p, p->trace.found);
	} else {
		trace__add(p, false); /* too old: that there is one is known, but not which */
	}
	return true;
}

/* The name of a literal: one of the tables', or it follows. */
static __always_inline bool hpack__begin_literal(struct http_parser *p)
{
	__u32 age = p->number - HPACK_STATIC_ENTRIES - 1;

	p->is_trace = 0;
	p->hpack = p->number ? HPACK_VALUE_LENGTH : HPACK_NAME_LENGTH;
	p->entry_low = p->entry_high = 0;
	if (!p->number)
		return true;
	if (p->number <= HPACK_STATIC_ENTRIES) {
		p->entry_low = HPACK_STATIC_NAME_LOW;
		p->entry_high = HPACK_STATIC_NAME_HIGH;
		return true;
	}
	if (age >= p->inserted)
		return false;
	p->is_trace = hpack__is_named_trace(p, age);
	p->entry_low = p->is_trace ? HPACK_TRACE_NAME_BYTES : 0;
	p->entry_high = p->is_trace ? HPACK_TRACE_NAME_BYTES : p->longest_name;
	return true;
}

static __always_inline bool hpack__begin_field(struct http_parser *p)
{
	if (p->kind == HPACK_RESIZE) {
		p->table_size = p->number;
		return !p->has_fields; /* section 4.2: at the block's beginning only */
	}
	p->has_fields = 1;
	if (p->kind == HPACK_INDEXED)
		return hpack__take_indexed(p);
	return hpack__begin_literal(p);
}

/* ---- integers (section 5.1) --------------------------------------------------------------------------------------- */

static __always_inline __u8 hpack__begin_integer(struct http_parser *p, __u8 byte)
{
	if (p->hpack != HPACK_FIELD) {
		p->is_huffman = byte >> 7;
		return 0x7f;
	}
	if (byte & 0x80) {
		p->kind = HPACK_INDEXED;
		return 0x7f;
	}
	if (byte & 0x40) {
		p->kind = HPACK_INSERTED;
		return 0x3f;
	}
	if (byte & 0x20) {
		p->kind = HPACK_RESIZE;
		return 0x1f;
	}
	p->kind = HPACK_LITERAL;
	return 0x0f;
}

enum hpack_integer { HPACK_MORE, HPACK_DONE, HPACK_TOO_LARGE };

static __always_inline enum hpack_integer hpack__take_integer(struct http_parser *p, __u8 byte)
{
	__u64 number;

	if (!p->shift) {
		__u8 mask = hpack__begin_integer(p, byte);

		p->number = byte & mask;
		p->shift = p->number == mask;
		return p->shift ? HPACK_MORE : HPACK_DONE;
	}
	if (p->shift > 29)
		return HPACK_TOO_LARGE;
	number = p->number + ((__u64)(byte & 0x7f) << ((p->shift - 1) & 31));
	if (number >> 32)
		return HPACK_TOO_LARGE;
	p->number = number;
	p->shift = byte & 0x80 ? p->shift + 7 : 0;
	return p->shift ? HPACK_MORE : HPACK_DONE;
}

/* ---- strings (section 5.2) ---------------------------------------------------------------------------------------- */

static __always_inline bool hpack__begin_name(struct http_parser *p)
{
	p->string_left = p->number;
	if (p->number > HTTP_MAX_HEAD_BYTES)
		return false;
	hpack__add_string(p, p->number);
	p->is_trace = p->number == (p->is_huffman ? HPACK_TRACE_HUFFMAN_BYTES : HPACK_TRACE_NAME_BYTES);
	p->hpack = p->is_trace ? HPACK_NAME : p->number ? HPACK_IGNORED_NAME : HPACK_VALUE_LENGTH;
	return true;
}

static __always_inline bool hpack__begin_value(struct http_parser *p)
{
	p->string_left = p->number;
	if (p->number > HTTP_MAX_HEAD_BYTES)
		return false;
	p->name_high = p->entry_high;
	hpack__add_string(p, p->number);
	trace__begin(p);
	p->word = 0;
	p->bits = 0;
	p->hpack = p->is_trace ? HPACK_VALUE : HPACK_IGNORED_VALUE;
	return p->number ? true : hpack__end_field(p);
}

static __always_inline void hpack__take_name(struct http_parser *p, __u8 byte)
{
	__u8 at = (p->is_huffman ? HPACK_TRACE_HUFFMAN_BYTES : HPACK_TRACE_NAME_BYTES) - p->string_left;

	if (byte != hpack_trace_name[p->is_huffman & 1][at & 15])
		p->is_trace = 0;
	if (!--p->string_left)
		p->hpack = HPACK_VALUE_LENGTH;
}

static __always_inline void hpack__decode_symbol(struct http_parser *p)
{
	__u8 prefix = p->word >> ((p->bits - 6) & 15) & 63;

	if (p->bits < 6 || prefix == HPACK_PADDING_PREFIX)
		return;
	p->bits -= prefix < HPACK_FIRST_LONG_PREFIX ? 5 : 6;
	trace__take(p, hpack_symbols[prefix]);
}

static __always_inline void hpack__take_huffman(struct http_parser *p, __u8 byte)
{
	if (p->value_position > TRACE_BYTES)
		return; /* what a later version adds may have any code */
	p->word = p->word << 8 | byte;
	p->bits += 8;
	if (p->bits > 13) { /* what looked like padding was not at the end */
		p->value_invalid = 1;
		p->bits = 8;
	}
	hpack__decode_symbol(p);
	hpack__decode_symbol(p);
}

/* A last code of 5 bits may be left, then ones, fewer than 8. */
static __always_inline void hpack__end_huffman(struct http_parser *p)
{
	__u8 last = p->word & 31;

	if (p->value_position > TRACE_BYTES)
		return;
	if (p->bits == 5 && last < HPACK_FIRST_LONG_PREFIX / 2) {
		trace__take(p, hpack_symbols[last * 2 & 63]);
		return;
	}
	if (p->bits > 7 || (~p->word & ((1ull << (p->bits & 7)) - 1)))
		p->value_invalid = 1;
}

static __always_inline bool hpack__take_value(struct http_parser *p, __u8 byte)
{
	if (p->is_huffman)
		hpack__take_huffman(p, byte);
	else
		trace__take(p, byte);
	if (--p->string_left)
		return true;
	if (p->is_huffman)
		hpack__end_huffman(p);
	return hpack__end_field(p);
}

/* Takes the string's last byte, or the frame's: all before it were skipped. */
static __always_inline bool hpack__take_ignored(struct http_parser *p)
{
	if (--p->string_left)
		return true;
	if (p->hpack == HPACK_IGNORED_VALUE)
		return hpack__end_field(p);
	p->hpack = HPACK_VALUE_LENGTH;
	return true;
}

/* Skips all but the last byte of what can be skipped here. */
static __always_inline void hpack__skip(struct http_parser *p)
{
	__u32 bytes = p->string_left < p->fragment_left ? p->string_left : p->fragment_left;

	if (p->hpack != HPACK_IGNORED_NAME && p->hpack != HPACK_IGNORED_VALUE)
		return;
	if (bytes < 2)
		return;
	p->skip = bytes - 1;
	p->string_left -= bytes - 1;
	p->fragment_left -= bytes - 1;
}

/* ---- */

static __always_inline bool hpack__take_length(struct http_parser *p, __u8 byte)
{
	switch (hpack__take_integer(p, byte)) {
	case HPACK_MORE:
		return true;
	case HPACK_TOO_LARGE:
		return false;
	case HPACK_DONE:
		break;
	}
	if (p->hpack == HPACK_FIELD)
		return hpack__begin_field(p);
	return p->hpack == HPACK_NAME_LENGTH ? hpack__begin_name(p) : hpack__begin_value(p);
}

/* False: the block is malformed, or what was put into the table cannot be told. */
static __always_inline bool hpack__take(struct http_parser *p, __u8 byte)
{
	bool is_sound = true;

	if (p->hpack == HPACK_NAME)
		hpack__take_name(p, byte);
	else if (p->hpack == HPACK_VALUE)
		is_sound = hpack__take_value(p, byte);
	else if (p->hpack == HPACK_IGNORED_NAME || p->hpack == HPACK_IGNORED_VALUE)
		is_sound = hpack__take_ignored(p);
	else
		is_sound = hpack__take_length(p, byte);
	hpack__skip(p);
	return is_sound;
}

#endif
