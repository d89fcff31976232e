/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Random packets: mostly well-formed, then cut short, changed or filled up. */
#include <arpa/inet.h>
#include <linux/types.h>
#include <stdio.h>
#include <string.h>

#include "../../packet_view.h"
#include "cases.h"

const char *const case_ipv4[6] = { "10.0.0.1", "10.0.0.2", "10.1.2.3", "192.168.1.1", "192.168.1.255", "224.0.0.251" };
const char *const case_ipv6[5] = { "fd00::1", "fd00::2", "fe80::1", "2001:db8::5", "ff02::1" };
const char *const case_mac[5] = { "02:00:00:00:00:01", "02:00:00:00:00:02", "52:54:00:12:34:56", "ff:ff:ff:ff:ff:ff",
				  "01:00:5e:00:00:fb" };
const uint16_t case_ports[8] = { 22, 53, 80, 443, 8080, 4789, 6081, 40000 };

struct writer {
	struct packet *packet;
	struct random *random;
	uint32_t at;
};

static void put(struct writer *writer, const void *bytes, uint32_t count)
{
	memcpy(writer->packet->bytes + writer->at, bytes, count);
	writer->at += count;
}

static void put_8(struct writer *writer, uint8_t value)
{
	put(writer, &value, 1);
}

static void put_16(struct writer *writer, uint16_t value)
{
	value = htons(value);
	put(writer, &value, 2);
}

static void put_32(struct writer *writer, uint32_t value)
{
	value = htonl(value);
	put(writer, &value, 4);
}

static void put_random(struct writer *writer, uint32_t count)
{
	while (count--)
		put_8(writer, random__chance(writer->random, 30) ? 0 : random__next(writer->random));
}

static void put_mac(struct writer *writer)
{
	unsigned int mac[6];

	sscanf(PICK(writer->random, case_mac), "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
	       &mac[5]);
	for (int i = 0; i < 6; i++)
		put_8(writer, mac[i]);
}

static void put_address(struct writer *writer, int family)
{
	uint8_t address[16];

	inet_pton(family, family == AF_INET ? PICK(writer->random, case_ipv4) : PICK(writer->random, case_ipv6),
		  address);
	put(writer, address, family == AF_INET ? 4 : 16);
}

static void put_tcp(struct writer *writer)
{
	uint32_t option_words = random__below(writer->random, 11);

	put_16(writer, PICK(writer->random, case_ports));
	put_16(writer, PICK(writer->random, case_ports));
	put_random(writer, 8);
	put_8(writer, (5 + option_words) << 4);
	put_8(writer, random__next(writer->random));
	put_random(writer, 6 + 4 * option_words);
	if (random__chance(writer->random, 40))
		put(writer, "GET / HTTP/1.1\r\n", 16);
}

static void put_udp(struct writer *writer)
{
	put_16(writer, PICK(writer->random, case_ports));
	put_16(writer, PICK(writer->random, case_ports));
	put_16(writer, 8 + random__below(writer->random, 100));
	put_random(writer, 2);
}

static void put_transport(struct writer *writer, uint8_t protocol)
{
	static const uint8_t icmp_types[] = { 0, 3, 8, 11, 128, 129, 135, 136 };

	if (protocol == 6)
		put_tcp(writer);
	else if (protocol == 17 || protocol == 132)
		put_udp(writer);
	else if (protocol == 1 || protocol == 58)
		put_8(writer, PICK(writer->random, icmp_types));
	put_random(writer, random__below(writer->random, 40));
}

static void put_ipv4(struct writer *writer)
{
	static const uint8_t protocols[] = { 6, 6, 6, 17, 17, 1, 2, 47, 50, 51, 132, 255 };
	uint8_t protocol = PICK(writer->random, protocols);
	uint32_t option_words = random__chance(writer->random, 30) ? random__below(writer->random, 11) : 0;

	put_8(writer, 0x40 | (5 + option_words));
	put_8(writer, random__next(writer->random));
	put_16(writer, 20 + random__below(writer->random, 1480));
	put_random(writer, 2);
	put_16(writer, random__chance(writer->random, 25) ? random__next(writer->random) : 0x4000);
	put_8(writer, random__between(writer->random, 0, 64));
	put_8(writer, protocol);
	put_random(writer, 2);
	put_address(writer, AF_INET);
	put_address(writer, AF_INET);
	put_random(writer, 4 * option_words);
	put_transport(writer, protocol);
}

static void put_ipv6(struct writer *writer)
{
	static const uint8_t protocols[] = { 6, 6, 17, 17, 58, 58, 59, 132 };
	static const uint8_t extensions[] = { 0, 43, 44, 60 };
	uint8_t protocol = PICK(writer->random, protocols);
	uint8_t extension = PICK(writer->random, extensions);
	bool extended = random__chance(writer->random, 35);

	put_32(writer, 0x60000000 | random__below(writer->random, 1 << 28));
	put_16(writer, random__below(writer->random, 1400));
	put_8(writer, extended ? extension : protocol);
	put_8(writer, random__between(writer->random, 0, 64));
	put_address(writer, AF_INET6);
	put_address(writer, AF_INET6);
	if (extended) {
		put_8(writer, protocol);
		put_8(writer, 0);
		put_random(writer, 6);
	}
	put_transport(writer, protocol);
}

static void put_arp(struct writer *writer)
{
	put_16(writer, 1);
	put_16(writer, 0x0800);
	put_16(writer, 0x0604);
	put_16(writer, random__between(writer->random, 1, 4));
	put_mac(writer);
	put_address(writer, AF_INET);
	put_mac(writer);
	put_address(writer, AF_INET);
}

static void put_network(struct writer *writer)
{
	static const uint16_t others[] = { 0x88cc, 0x809b, 0x8847, 0x8863, 0x0026, 0x05ff };
	uint32_t kind = random__below(writer->random, 100);

	if (kind < 50) {
		put_16(writer, 0x0800);
		put_ipv4(writer);
	} else if (kind < 80) {
		put_16(writer, 0x86dd);
		put_ipv6(writer);
	} else if (kind < 88) {
		put_16(writer, random__chance(writer->random, 80) ? 0x0806 : 0x8035);
		put_arp(writer);
	} else if (kind < 93) {
		put_16(writer, 0x8847); /* MPLS */
		put_32(writer, random__below(writer->random, 4) << 12 | 0x140);
		put_ipv4(writer);
	} else if (kind < 96) {
		put_16(writer, 0x8864); /* PPPoE session */
		put_16(writer, 0x1100);
		put_16(writer, random__below(writer->random, 3));
		put_16(writer, 60);
		put_16(writer, 0x0021);
		put_ipv4(writer);
	} else {
		put_16(writer, PICK(writer->random, others));
		put_random(writer, random__below(writer->random, 60));
	}
}

static void put_vlan_tags(struct writer *writer)
{
	static const uint16_t types[] = { 0x8100, 0x88a8, 0x9100 };
	uint32_t tags = random__chance(writer->random, 25) ? random__between(writer->random, 1, 2) : 0;

	while (tags--) {
		put_16(writer, PICK(writer->random, types));
		put_16(writer, random__below(writer->random, 8) << 13 | random__below(writer->random, 5));
	}
}

/* Lengths around the window's end, and well beyond it. */
static void fill_up(struct writer *writer)
{
	uint32_t kind = random__below(writer->random, 100);
	uint32_t target = writer->at;

	if (kind < 20)
		target = PACKET_VIEW_WINDOW - 8 + random__below(writer->random, 17);
	else if (kind < 40)
		target = random__between(writer->random, PACKET_VIEW_WINDOW, 420);
	else if (kind < 55)
		target = random__between(writer->random, 400, PACKET_MAX_BYTES);
	if (target > writer->at)
		put_random(writer, target - writer->at);
}

static void mutate(struct writer *writer)
{
	uint32_t changes = random__chance(writer->random, 25) ? random__between(writer->random, 1, 6) : 0;

	while (changes--)
		writer->packet->bytes[random__below(writer->random, writer->at < 80 ? writer->at : 80)] =
			random__next(writer->random);
}

void packet__generate(struct packet *packet, struct random *random)
{
	struct writer writer = { .packet = packet, .random = random };

	put_mac(&writer);
	put_mac(&writer);
	put_vlan_tags(&writer);
	put_network(&writer);
	fill_up(&writer);
	mutate(&writer);
	packet->wire_bytes = writer.at;
	packet->buffer_bytes = writer.at;
	if (random__chance(random, 15))
		packet->buffer_bytes = random__below(random, writer.at + 1);
	if (random__chance(random, 10))
		packet->wire_bytes += random__below(random, 60000);
}
