/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Which packets become journeys: the user's filter, sampling and rate. */
#ifndef SKBSPAN_FILTER_H
#define SKBSPAN_FILTER_H

#include "../filter/placeholder.h"
#include "packet.h"

/* The user's pcap expression: user space writes it over this placeholder before the object is opened (tracer/object.c). */
FILTER_PLACEHOLDER(filter_matches)

static __always_inline bool interface__matches(const char *name)
{
	const __u64 *words = (const __u64 *)name;

	if (!settings.interface_name[0])
		return true;
	return words[0] == settings.interface_name[0] && words[1] == settings.interface_name[1];
}

/* What needs only the view, and is asked first: most packets do not match, and are read no further. */
static __always_inline bool packet__may_match(struct scratch *scratch)
{
	const struct sk_buff *skb = (void *)scratch->sk_buff;

	if ((skb->mark & settings.mark_mask) != settings.mark_value)
		return false;
	return !settings.filter_present || filter_matches(&scratch->view);
}

/* Whether the packet is in a namespace that was not chosen: asked before its headers are read, so that the packets of other pods
 * cost no more than any that does not match. */
static __always_inline bool packet__is_elsewhere(const struct scratch *scratch)
{
	const struct sk_buff *skb = (void *)scratch->sk_buff;
	struct place place;
	__u64 cookie;

	if (!settings.namespaces_are_chosen)
		return false;
	place = place__read(skb);
	if (!place.net)
		return false; /* a message, or where it cannot be read: asked again with the context */
	cookie = net__cookie(place.net);
	return !bpf_map_lookup_elem(&chosen_namespaces, &cookie);
}

/* Whether what the user wants is known only from the context. */
static __always_inline bool filter__asks_for_place(void)
{
	return settings.netns_inode || settings.interface_name[0] || settings.namespaces_are_chosen;
}

static __always_inline bool context__matches(const struct wire_context *context)
{
	if (settings.netns_inode && context->netns_inode != settings.netns_inode)
		return false;
	if (settings.namespaces_are_chosen && !bpf_map_lookup_elem(&chosen_namespaces, &context->netns_cookie))
		return false;
	return interface__matches(context->interface_name);
}

/* Journeys a second: a window that restarts, exact enough for a limit and without a lock. */
static __always_inline bool rate__allows(__u64 now)
{
	__u64 start = shared.rate_window_start_ns;

	if (now - start >= 1000000000ull &&
	    __sync_val_compare_and_swap(&shared.rate_window_start_ns, start, now) == start)
		shared.rate_used = 0;
	return __sync_fetch_and_add(&shared.rate_used, 1) < settings.rate_per_second;
}

/* Sampling and rate, for a packet that matches. Counts what it turns away. */
static __always_inline bool packet__is_chosen(void)
{
	if (settings.sample_one_in > 1 && bpf_get_prandom_u32() % settings.sample_one_in) {
		stat__add(WIRE_STAT_SAMPLED_OUT, 1);
		return false;
	}
	if (settings.rate_per_second && !rate__allows(bpf_ktime_get_ns())) {
		stat__add(WIRE_STAT_RATE_LIMITED, 1);
		return false;
	}
	return true;
}

#endif
