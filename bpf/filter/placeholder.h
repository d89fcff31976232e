/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The room that the BPF programs leave for the filter.
 *
 * A compiled filter is eBPF code with this contract:
 *   - on entry r1 points to a struct packet_view whose size the verifier knows (a map value);
 *   - r0 to r9 may be overwritten, and FILTER_STACK_BYTES of the stack;
 *   - it ends by running past its last instruction, never with `exit`, with r0 = 1 (matches) or r0 = 0.
 *
 * FILTER_PLACEHOLDER(name) defines the function that holds it, FILTER_MAX_INSNS instructions and `exit`:
 *
 *   FILTER_PLACEHOLDER(filter_matches)
 *   ...
 *   if (!filter_matches(view))
 *           return 0;
 *
 * Before the load filter__splice() overwrites those instructions. As they are they match everything.
 */
#ifndef SKBSPAN_FILTER_PLACEHOLDER_H
#define SKBSPAN_FILTER_PLACEHOLDER_H

#define FILTER_MAX_INSNS 4000
#define FILTER_STACK_BYTES 72

#define FILTER_TEXT_OF_VALUE(value) #value
#define FILTER_TEXT(macro) FILTER_TEXT_OF_VALUE(macro)

/* Not a naked function: BTF would have no name for its argument then, and the kernel refuses such BTF. */
#define FILTER_PLACEHOLDER(name)                                                                                       \
	static __attribute__((noinline)) int name(struct packet_view *view)                                            \
	{                                                                                                              \
		register struct packet_view *argument asm("r1") = view;                                                \
		register int result asm("r0");                                                                         \
                                                                                                                       \
		asm volatile(".rept " FILTER_TEXT(FILTER_MAX_INSNS) "\n\tr0 = 1\n\t.endr\n"                            \
			     : "=r"(result), "+r"(argument)                                                            \
			     :                                                                                         \
			     : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "memory");                              \
		return result;                                                                                         \
	}

#endif
