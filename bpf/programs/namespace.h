/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#ifndef SKBSPAN_NAMESPACE_H
#define SKBSPAN_NAMESPACE_H

#include "kernel.h"

/* Unlike the inode, never used again until the machine starts anew. 0: this kernel has none. */
static __always_inline __u64 net__cookie(const struct net *net)
{
	const struct net___with_ns_id *newer = (const void *)net;
	__u64 cookie = 0;

	if (bpf_core_field_exists(net->net_cookie))
		bpf_core_read(&cookie, sizeof(cookie), &net->net_cookie);
	else if (bpf_core_field_exists(newer->ns.ns_id))
		bpf_core_read(&cookie, sizeof(cookie), &newer->ns.ns_id);
	return cookie;
}

#endif
