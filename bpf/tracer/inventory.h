/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Reports who is in which network namespace (../programs/members.h): at the start, when that changes, and now and then anew. */
#ifndef SKBSPAN_INVENTORY_H
#define SKBSPAN_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../wire.h"

struct inventory;
struct stream;

/* The best way that works here, loaded and attached: from here on no rights are needed. Never NULL but when out of memory. */
struct inventory *inventory__open(void);

enum wire_inventory_method inventory__method(const struct inventory *inventory);

/* Whether it tells of new members between scans. */
bool inventory__is_live(const struct inventory *inventory);

/* Why there is no better way; "" when there is none. */
const char *inventory__reason(const struct inventory *inventory);

/* Scans and writes what is new, then an INVENTORY frame. */
void inventory__scan(struct inventory *inventory, struct stream *stream);

/* Writes what was reported since, and scans when it is time to, or when somebody asked for it. Call it all the time. */
void inventory__take(struct inventory *inventory, struct stream *stream);

/* A packet is in this namespace: when nothing is known of it, the next scan comes soon. */
void inventory__note(struct inventory *inventory, uint64_t netns_cookie);

/* The next scan is to come soon. */
void inventory__want_scan(struct inventory *inventory);

void inventory__free(struct inventory *inventory);

#endif
