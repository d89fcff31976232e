/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* libpcap's part: expression to classic BPF. */
#include <pcap/pcap.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classic.h"

/* As tcpdump's default: larger than any packet, so that a match is never cut to 0. */
#define SNAPSHOT_BYTES 262144

_Static_assert(sizeof(struct classic_insn) == sizeof(struct bpf_insn), "the same layout as libpcap's");

/* A word that is no keyword is a host name to libpcap, so a typo can mean a DNS query. With the resolver's defaults
 * an unreachable server takes 10 seconds or more; this makes it one second a server. */
static void shorten_name_lookups(void)
{
	if (res_init())
		return;
	_res.retrans = 1;
	_res.retry = 1;
}

int classic__compile(const char *expression, struct classic_program *out, char *message, size_t message_bytes)
{
	struct bpf_program compiled;
	pcap_t *capture;
	int result = -1;

	memset(out, 0, sizeof(*out));
	shorten_name_lookups();
	capture = pcap_open_dead(DLT_EN10MB, SNAPSHOT_BYTES);
	if (!capture) {
		snprintf(message, message_bytes, "out of memory");
		return -1;
	}
	if (pcap_compile(capture, &compiled, expression, 1, PCAP_NETMASK_UNKNOWN)) {
		snprintf(message, message_bytes, "%s", pcap_geterr(capture));
		goto close;
	}
	out->count = compiled.bf_len;
	out->insns = calloc(compiled.bf_len, sizeof(*out->insns));
	if (out->insns) {
		memcpy(out->insns, compiled.bf_insns, compiled.bf_len * sizeof(*out->insns));
		result = 0;
	} else {
		snprintf(message, message_bytes, "out of memory");
	}
	pcap_freecode(&compiled);
close:
	pcap_close(capture);
	return result;
}

void classic__free(struct classic_program *program)
{
	free(program->insns);
	memset(program, 0, sizeof(*program));
}
