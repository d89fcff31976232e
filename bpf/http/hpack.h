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
#define HPACK_NAMED_ENTRIES 128 /* bits of table_names */
#define HPACK_NO_ENTRY HPACK_ENTRIES

#define HPACK_TRACE_NAME_BYTES 11
#define HPACK_TRACE_HUFFMAN_BYTES 8

static const __u8 hpack_trace_name[2][16] = {
	"traceparent",
	{ 0x4d, 0x83, 0x21, 0x6b, 0x1d, 0x85, 0xa9, 0x3f }, /* the same, Huffman coded: there is one way only */
};

/* Lengths of the static table's names (appendix A), from index 1. */
static const __u8 hpack_static_names[64] = {
	0,  10, 7, 7, 5, 5, 7, 7, 7, 7,  7,  7, 7,  7,  7, 14, 15, 15, 13, 6, 27, 3, 5,  13, 13, 19, 16, 16, 14, 16, 13,
	12, 6,  4, 4, 6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8,  12, 18, 19, 5, 7,  7, 11, 6,  10, 25, 17, 10, 4,  3,  16,
};

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

/* Whether the entry that came `age` insertions before the latest is named traceparent. Of a table that is larger than
 * everybody's the oldest are not known; encoders refer to the latest of a name. */
static __always_inline bool hpack__is_named_trace(const struct http_parser *p, __u32 age)
{
	return age < HPACK_NAMED_ENTRIES && (p->table_names[age / 64 & 1] >> (age & 63) & 1);
}

static __always_inline void hpack__insert(struct http_parser *p)
{
	p->inserted++;
	p->table_names[1] = p->table_names[1] << 1 | p->table_names[0] >> 63;
	p->table_names[0] = p->table_names[0] << 1 | p->is_trace;
	if (p->name_bytes > p->longest_name)
		p->longest_name = p->name_bytes;
	if (p->is_trace) {
		struct hpack_entry *entry = &p->entries[p->next_entry & (HPACK_ENTRIES - 1)];

		entry->number = p->inserted;
		entry->trace = p->trace;
		entry->trace.found = trace__is_valid(p);
		p->next_entry = (p->next_entry + 1) & (HPACK_ENTRIES - 1);
	}
}

/* ---- fields ------------------------------------------------------------------------------------------------------- */

static __always_inline void hpack__add_size(struct http_parser *p, __u32 low, __u32 high)
{
	p->entry_low += low;
	p->entry_high += high;
}

static __always_inline bool hpack__fits(const struct http_parser *p, __u32 entry_bytes)
{
	return entry_bytes + HPACK_ENTRY_OVERHEAD <= p->table_size;
}

/*
 * An entry that is larger than the table empties it and is not put in (section 4.4). Its size is known exactly, unless its name
 * is one of the table's: then it is at most the longest that was put in.
 */
static __always_inline bool hpack__end_field(struct http_parser *p)
{
	p->hpack = HPACK_FIELD;
	if (p->kind == HPACK_INSERTED) {
		if (hpack__fits(p, p->entry_high))
			hpack__insert(p);
		else if (hpack__fits(p, p->entry_low))
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
	slot = hpack__find(p, p->inserted - age);
	if (slot != HPACK_NO_ENTRY) {
		p->trace = p->entries[slot & (HPACK_ENTRIES - 1)].trace;
		trace__add(p, p->trace.found);
	} else if (hpack__is_named_trace(p, age)) {
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
		__u8 bytes = hpack_static_names[p->number & 63];

		hpack__add_size(p, bytes, bytes);
		return true;
	}
	if (age >= p->inserted)
		return false;
	p->is_trace = hpack__is_named_trace(p, age);
	hpack__add_size(p, p->is_trace ? HPACK_TRACE_NAME_BYTES : 0,
			p->is_trace ? HPACK_TRACE_NAME_BYTES : p->longest_name);
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

/* ---- Huffman codes (section 5.2, appendix B) ---------------------------------------------------------------------- */

#define HPACK_SHORTEST_CODE 5
#define HPACK_LONGEST_CODE 30
#define HPACK_MOST_PADDING 7

/* Symbols by the next 6 bits: what traceparent consists of has codes of 5 and 6 bits. 0: a longer one. */
static const __u8 hpack_symbols[64] = "001122aacceeiioosstt %-./3456789=A_bdfghlmnpru";

/* By the same: how long the code is. Below HPACK_FIRST_LONG_CODE no code has more than 8 bits. */
static const __u8 hpack_lengths[64] = {
	5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
	6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 8,
};

/* The first code that is longer than `length` bits, among 30. */
#define HPACK_AFTER(length, end) ((__u32)(end) << (HPACK_LONGEST_CODE - (length)))
#define HPACK_FIRST_LONG_CODE HPACK_AFTER(8, 0xfe)

/* The codes are canonical, so the next one's length is told by its value. `next` may lack its end: then the length is more
 * than there is. */
static __always_inline __u8 hpack__long_length(__u32 next)
{
#define HPACK_ENDS(length, end)                                                                                        \
	if (next < HPACK_AFTER(length, end))                                                                           \
	return length
	HPACK_ENDS(10, 0x3fd);
	HPACK_ENDS(11, 0x7fd);
	HPACK_ENDS(12, 0xffc);
	HPACK_ENDS(13, 0x1ffe);
	HPACK_ENDS(14, 0x3ffe);
	HPACK_ENDS(15, 0x7fff);
	HPACK_ENDS(19, 0x7fff3);
	HPACK_ENDS(20, 0xfffee);
	HPACK_ENDS(21, 0x1fffe9);
	HPACK_ENDS(22, 0x3fffec);
	HPACK_ENDS(23, 0x7ffff5);
	HPACK_ENDS(24, 0xfffff6);
	HPACK_ENDS(25, 0x1fffff0);
	HPACK_ENDS(26, 0x3ffffef);
	HPACK_ENDS(27, 0x7fffff1);
	HPACK_ENDS(28, 0xfffffff);
	return HPACK_LONGEST_CODE;
#undef HPACK_ENDS
}

static __always_inline bool hpack__take_code(struct http_parser *p, __u8 length)
{
	if (length > p->bits)
		return false;
	p->bits -= length;
	p->number++;
	return true;
}

/* Takes a code if there is a whole one, and gives it to the trace context's parser when it is that one's. Long codes are
 * apart, so that the verifier does not follow every length through that parser. */
static __always_inline void hpack__decode(struct http_parser *p, bool is_value)
{
	__u32 next = p->word << ((32 + HPACK_LONGEST_CODE - p->bits) & 63) >> 32 & ((1u << HPACK_LONGEST_CODE) - 1);
	__u8 prefix = next >> (HPACK_LONGEST_CODE - 6) & 63;

	if (next >= HPACK_FIRST_LONG_CODE) {
		if (hpack__take_code(p, hpack__long_length(next)) && is_value && p->value_position <= TRACE_BYTES)
			p->value_invalid = 1;
	} else if (hpack__take_code(p, hpack_lengths[prefix]) && is_value && p->is_trace) {
		trace__take(p, hpack_symbols[prefix]);
	}
}

/* Before this byte less than a code was left, so it ends two at most. */
static __always_inline void hpack__take_huffman(struct http_parser *p, __u8 byte, bool is_value)
{
	p->word = p->word << 8 | byte;
	p->bits = (p->bits & 31) + 8;
	hpack__decode(p, is_value);
	hpack__decode(p, is_value);
}

/* What is left are ones, less than a byte. */
static __always_inline bool hpack__is_padding(const struct http_parser *p)
{
	return p->bits <= HPACK_MOST_PADDING && !(~p->word & ((1u << (p->bits & 7)) - 1));
}

/* ---- strings ------------------------------------------------------------------------------------------------------ */

/* How long a Huffman coded string is decoded matters only for what is put into the table. */
static __always_inline bool hpack__begin_string(struct http_parser *p)
{
	p->string_left = p->number;
	p->bits = 0;
	if (p->string_left > HTTP_MAX_HEAD_BYTES)
		return false;
	if (!p->is_huffman)
		hpack__add_size(p, p->number, p->number);
	p->number = 0;
	return true;
}

static __always_inline bool hpack__begin_name(struct http_parser *p)
{
	bool is_counted = p->is_huffman && p->kind == HPACK_INSERTED;

	if (!hpack__begin_string(p))
		return false;
	p->is_trace = p->string_left == (p->is_huffman ? HPACK_TRACE_HUFFMAN_BYTES : HPACK_TRACE_NAME_BYTES);
	p->hpack = p->is_trace || is_counted ? HPACK_NAME : HPACK_IGNORED_NAME;
	if (!p->string_left)
		p->hpack = HPACK_VALUE_LENGTH;
	return true;
}

static __always_inline void hpack__take_name(struct http_parser *p, __u8 byte)
{
	__u8 at = (p->is_huffman ? HPACK_TRACE_HUFFMAN_BYTES : HPACK_TRACE_NAME_BYTES) - p->string_left;

	if (byte != hpack_trace_name[p->is_huffman & 1][at & 15])
		p->is_trace = 0;
	if (p->is_huffman)
		hpack__take_huffman(p, byte, false);
	if (--p->string_left)
		return;
	if (p->is_huffman)
		hpack__add_size(p, p->number, p->number);
	p->hpack = HPACK_VALUE_LENGTH;
}

/* Long values are skipped when it is clear without decoding them whether they fit. */
static __always_inline bool hpack__must_count(struct http_parser *p)
{
	__u32 bits = p->string_left * 8, low, high;

	if (!p->is_huffman || !bits)
		return false;
	low = (bits - HPACK_MOST_PADDING + HPACK_LONGEST_CODE - 1) / HPACK_LONGEST_CODE;
	high = bits / HPACK_SHORTEST_CODE;
	if (p->is_trace || (!hpack__fits(p, p->entry_high + high) && hpack__fits(p, p->entry_low + low)))
		return true;
	hpack__add_size(p, low, high);
	return false;
}

static __always_inline bool hpack__begin_value(struct http_parser *p)
{
	p->name_bytes = p->entry_high;
	if (p->name_bytes != p->entry_high || !hpack__begin_string(p))
		return false;
	trace__begin(p);
	p->hpack = hpack__must_count(p) || p->is_trace ? HPACK_VALUE : HPACK_IGNORED_VALUE;
	return p->string_left ? true : hpack__end_field(p);
}

static __always_inline bool hpack__take_value(struct http_parser *p, __u8 byte)
{
	if (p->is_huffman)
		hpack__take_huffman(p, byte, true);
	else if (p->is_trace)
		trace__take(p, byte);
	if (--p->string_left)
		return true;
	if (p->is_huffman && !hpack__is_padding(p))
		p->value_invalid = 1;
	if (p->is_huffman)
		hpack__add_size(p, p->number, p->number);
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
