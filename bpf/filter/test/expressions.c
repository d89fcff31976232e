/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Random expressions by the grammar of pcap-filter(7). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cases.h"

const char *const case_expressions[] = {
	"tcp port 80",
	"tcp[tcpflags] & (tcp-syn|tcp-rst) != 0",
	"tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
	"ip[2:2] > 100 and tcp[tcpflags] & (tcp-syn|tcp-rst) != 0",
	"icmp[icmptype] = icmp-echo or icmp6[icmp6type] = icmp6-echo",
	"ip[6:2] & 0x1fff = 0 and not ip[0] & 0xf = 5",
	"vlan 2 and tcp port 443",
	"vlan and vlan 3 and ip",
	"mpls 2 and host 10.0.0.1",
	"pppoes 1 and tcp",
	"ether host 02:00:00:00:00:01 and not arp",
	"ether multicast or ip multicast or ip6 multicast",
	"net 10.0.0.0/8 and portrange 20-100",
	"src net 192.168.1.0 mask 255.255.255.0 or dst host fd00::2",
	"ip6 net fe80::/10 and udp",
	"ether[191] = 0 or ether[192] = 0",
	"ether[190:2] > 100 and ether[192:4] > 100",
	"ether[189:4] > 100 or ether[188:4] & 1 = 1",
	"ether[300:4] & 0xff > 20",
	"ether[len - 1] > 0",
	"ip[ip[2:2] & 0x1ff] > 3",
	"udp[4:2] / 3 >= 5 and udp[6:2] % (udp[7] - udp[7] + 3) = 1",
	"ip[0] / (ip[1] - 3) > 1",
	"tcp[0:2] << (tcp[13] & 63) != 0 and ip[4:2] >> ip[8] = 0",
	"ether[0xfffffff0:4] = 1 or ip",
	"len >= 100 and len <= 1000 or greater 40000",
	"less 64",
	"geneve 5 or udp port 6081",
	"port 53 or port 80 or port 443 or port 8080 and not (src host 10.0.0.1 or dst net 10.1.0.0/16)",
	"sctp or ah or esp or igmp or pim or vrrp or icmp6",
	"iso or stp or ipx or netbeui or atalk or decnet or lat or moprc or aarp",
	"ip proto \\tcp and ip6 proto 17 or ether proto 0x88cc",
};
const size_t case_expression_count = COUNT_OF(case_expressions);

struct text {
	char *out;
	size_t room;
	struct random *random;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->out, text->room, format, arguments);
	va_end(arguments);
	if ((size_t)length >= text->room)
		length = text->room - 1;
	text->out += length;
	text->room -= length;
}

static const char *direction(struct random *random)
{
	static const char *const directions[] = { "", "", "src ", "dst ", "src or dst ", "src and dst " };

	return PICK(random, directions);
}

static void add_host(struct text *text)
{
	static const char *const protocols[] = { "", "", "ip ", "arp " };
	struct random *random = text->random;

	if (random__chance(random, 60))
		add(text, "%s%shost %s", PICK(random, protocols), direction(random), PICK(random, case_ipv4));
	else
		add(text, "%s%shost %s", random__chance(random, 50) ? "ip6 " : "", direction(random),
		    PICK(random, case_ipv6));
}

static void add_net(struct text *text)
{
	static const char *const nets[] = { "10.0.0.0/8",
					    "10.1.2.0/24",
					    "192.168.0.0/16",
					    "192.168.1.0/25",
					    "0.0.0.0/1",
					    "224.0.0.0/4",
					    "fd00::/8",
					    "fe80::/10",
					    "2001:db8::/32",
					    "10.1.2.3/32",
					    "192.168.1 mask 255.255.255.0" };

	add(text, "%snet %s", direction(text->random), PICK(text->random, nets));
}

static void add_port(struct text *text)
{
	static const char *const protocols[] = { "", "tcp ", "udp ", "sctp ", "ip ", "ip6 " };
	struct random *random = text->random;
	uint16_t port = PICK(random, case_ports);

	if (strcmp(direction(random), "") && random__chance(random, 30))
		add(text, "%s%sportrange %u-%u", PICK(random, protocols), direction(random),
		    random__below(random, port + 1u), port + random__below(random, 100));
	else
		add(text, "%s%sport %u", PICK(random, protocols), direction(random), port);
}

static void add_protocol(struct text *text)
{
	static const char *const names[] = {
		"ip",
		"ip6",
		"arp",
		"rarp",
		"tcp",
		"udp",
		"icmp",
		"icmp6",
		"igmp",
		"sctp",
		"ah",
		"esp",
		"pim",
		"vrrp",
		"ip proto 47",
		"ip6 proto 6",
		"ether proto 0x0806",
		"ether proto 0x88cc",
		"proto 132",
		"ip proto \\udp",
		"ip multicast",
		"ip6 multicast",
		"ether broadcast",
		"ether multicast",
		"atalk",
		"llc",
		"stp",
	};

	add(text, "%s", PICK(text->random, names));
}

static void add_link(struct text *text)
{
	static const char *const directions[] = { "", "src ", "dst " };

	add(text, "ether %shost %s", PICK(text->random, directions), PICK(text->random, case_mac));
}

static void add_encapsulation(struct text *text)
{
	static const char *const kinds[] = { "vlan", "vlan", "vlan", "mpls", "pppoes" };

	add(text, "%s", PICK(text->random, kinds));
	if (random__chance(text->random, 50))
		add(text, " %u", random__below(text->random, 5));
}

static void add_length(struct text *text)
{
	static const char *const relations[] = { "less ", "greater ", "len > ", "len = ", "len <= ", "len != " };

	add(text, "%s%u", PICK(text->random, relations), random__below(text->random, 600));
}

static void add_flags(struct text *text)
{
	static const char *const tests[] = {
		"tcp[tcpflags] & tcp-syn != 0",
		"tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn",
		"tcp[tcpflags] == tcp-fin|tcp-push",
		"tcp[13] & 4 != 0",
		"icmp[icmptype] = icmp-unreach",
		"icmp[icmptype] != icmp-echoreply",
		"icmp6[icmp6type] = icmp6-neighborsolicit",
		"ip[6:2] & 0x3fff != 0",
		"ip[8] < 10",
	};

	add(text, "%s", PICK(text->random, tests));
}

static void add_arithmetic(struct text *text, int depth);

static void add_accessor(struct text *text, int depth)
{
	static const char *const protocols[] = { "ether", "ether", "ether", "ip",   "ip",
						 "ip6",   "tcp",   "udp",   "icmp", "arp" };
	static const char *const sizes[] = { "", ":1", ":2", ":4" };
	static const uint32_t limits[] = { 20, 60, 200, 320, 2100 };

	add(text, "%s[", PICK(text->random, protocols));
	if (depth > 0 && random__chance(text->random, 30))
		add_arithmetic(text, depth - 1);
	else if (random__chance(text->random, 15))
		add(text, "%u", 184 + random__below(text->random, 12));
	else
		add(text, "%u", random__below(text->random, PICK(text->random, limits)));
	add(text, "%s]", PICK(text->random, sizes));
}

static void add_arithmetic(struct text *text, int depth)
{
	static const char *const operators[] = { "+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>" };
	static const uint32_t limits[] = { 8, 40, 256, 65536, UINT32_MAX };
	uint32_t kind = random__below(text->random, 100);

	if (depth <= 0 && kind < 50) {
		add(text, "%u", random__below(text->random, PICK(text->random, limits)));
	} else if (kind < 55 || depth <= 0) {
		add_accessor(text, depth);
	} else if (kind < 60) {
		add(text, "len");
	} else if (kind < 65) {
		add(text, "-(");
		add_arithmetic(text, depth - 1);
		add(text, ")");
	} else {
		add(text, "(");
		add_arithmetic(text, depth - 1);
		add(text, " %s ", PICK(text->random, operators));
		add_arithmetic(text, depth - 1);
		add(text, ")");
	}
}

static void add_relation(struct text *text)
{
	static const char *const relations[] = { ">", "<", ">=", "<=", "=", "==", "!=" };

	add_accessor(text, 2);
	if (random__chance(text->random, 40))
		add(text, " & %u",
		    random__chance(text->random, 50) ? 1u << random__below(text->random, 8) :
						       random__below(text->random, 256));
	add(text, " %s ", PICK(text->random, relations));
	if (random__chance(text->random, 60))
		add(text, "%u", random__below(text->random, 256));
	else
		add_arithmetic(text, 2);
}

static void add_primitive(struct text *text)
{
	static void (*const kinds[])(struct text *) = { add_host,    add_host,     add_net,      add_port,
							add_port,    add_protocol, add_link,     add_encapsulation,
							add_length,  add_flags,    add_relation, add_relation,
							add_relation };

	PICK(text->random, kinds)(text);
}

static void add_expression(struct text *text, int depth)
{
	static const char *const joints[] = { " and ", " or ", " && ", " || ", " or " };
	uint32_t kind = random__below(text->random, 100);

	if (depth <= 0 || kind < 25) {
		add_primitive(text);
	} else if (kind < 40) {
		add(text, "%s(", random__chance(text->random, 50) ? "not " : "!");
		add_expression(text, depth - 1);
		add(text, ")");
	} else {
		add(text, "(");
		add_expression(text, depth - 1);
		add(text, ")%s(", PICK(text->random, joints));
		add_expression(text, depth - 1);
		add(text, ")");
	}
}

void expression__generate(char *out, size_t out_bytes, struct random *random)
{
	struct text text = { .out = out, .room = out_bytes, .random = random };

	add_expression(&text, random__below(random, 5));
}
