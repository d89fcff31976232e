/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What the filter and the header parser look at: the packet as a capture on an Ethernet device would show it.
 *
 * The first PACKET_VIEW_WINDOW bytes are copied once a look; the view always starts with an Ethernet header (zero
 * addresses and the right EtherType where the sk_buff has none yet) and a VLAN tag that the device took out of
 * the packet is put back. So one filter program, compiled for DLT_EN10MB, serves every place.
 */
#ifndef SKBSPAN_PACKET_VIEW_H
#define SKBSPAN_PACKET_VIEW_H

#define PACKET_VIEW_WINDOW 192
/* So many bytes are in the window of every packet that has them (the rest is room for a VLAN tag): what a filter reads
 * up to here it need not look for elsewhere. */
#define PACKET_VIEW_CERTAIN (PACKET_VIEW_WINDOW - 4)
/* An index into `bytes` that is masked with this stays inside the view, as the verifier sees it. */
#define PACKET_VIEW_INDEX_MASK 0xff

#define PACKET_VIEW_LINK_KNOWN 1u /* the MAC addresses are the packet's own */

struct packet_view {
	__u64 far_base;     /* kernel address such that view offset x is at far_base + x, for x past the link header */
	__u32 wire_bytes;   /* the packet's length, link header included: pcap's `len` */
	__u32 buffer_bytes; /* bytes of the view that can be read (linear data): what lies beyond does not match */
	__u32 window_bytes; /* bytes of `bytes` that are filled: from min(buffer_bytes, PACKET_VIEW_CERTAIN) to buffer_bytes */
	__u32 flags;        /* PACKET_VIEW_* */
	__u8 bytes[PACKET_VIEW_WINDOW];
	__u8 beyond[PACKET_VIEW_INDEX_MASK + 1 + 4 - PACKET_VIEW_WINDOW]; /* never used: see PACKET_VIEW_INDEX_MASK */
};

#endif
