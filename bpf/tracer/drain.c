// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
#include "drain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../programs/shared.h"
#include "attach.h"
#include "inventory.h"
#include "stream.h"
#include "symbols.h"

/* An ended journey whose functions have not all returned by now has lost a return. */
#define RETURN_PATIENCE_NS 200000000ull

#define SEEN_ADDRESSES 16384 /* a power of two */

struct drain {
	struct stream *stream;
	struct drain_options options;
	struct ring_buffer *ring;
	struct tag_set *tags;
	char *slots;
	size_t slots_bytes, tags_bytes;
	int cpu_states;
	struct shared_state *shared; /* of the programs */
	size_t shared_bytes;
	uint32_t *taken; /* numbers of slots that wait to be freed, see drain__free_taken */
	size_t taken_count;
	uint64_t seen[SEEN_ADDRESSES]; /* addresses that have had their SYMBOL frame */
	uint64_t sent, hops, expired, discarded;
	bool dropped_only;
	bool keep_drops;
	uint64_t min_duration_ns;
	size_t taken_now;
};

static uint64_t clock__monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* ---- journeys to the stream ----------------------------------------------------------------------------------------- */

static bool drain__first_time(struct drain *drain, uint64_t address)
{
	uint32_t at = (uint32_t)(address * 0x9e3779b97f4a7c15ull >> 40);

	for (int probe = 0; probe < 16; probe++) {
		uint64_t *entry = &drain->seen[(at + probe) % SEEN_ADDRESSES];

		if (*entry == address)
			return false;
		if (!*entry) {
			*entry = address;
			return true;
		}
	}
	return true; /* no room to remember it: say it again */
}

static void drain__write_symbol(struct drain *drain, uint64_t address)
{
	uint64_t start = 0;
	const char *name;

	if (!address || !drain__first_time(drain, address))
		return;
	/* a return address: it may already be the next function's first byte, so look up the call before it */
	name = symbol_table__find_by_address(drain->options.symbols, address - 1, &start);
	stream__symbol(drain->stream, address, start, name ? name : "");
}

/* Counts the hops, names the addresses of a journey's stacks, and asks whose its namespaces are. */
static void drain__read_units(struct drain *drain, const struct wire_journey *journey)
{
	const char *units = (const char *)(journey + 1);
	uint32_t unit = 0;

	while (unit < journey->used_units) {
		const struct wire_stack *head = (const void *)(units + unit * WIRE_UNIT_BYTES);
		const uint64_t *frames = (const void *)(head + 1);

		if (head->probe == WIRE_UNIT_CONTEXT) {
			inventory__note(drain->options.inventory, ((const struct wire_context *)head)->netns_cookie);
			unit += WIRE_CONTEXT_UNITS;
		} else if (head->probe == WIRE_UNIT_STACK) {
			for (uint32_t frame = 0; frame < head->frame_count; frame++)
				drain__write_symbol(drain, frames[frame]);
			unit += 1 + (head->frame_count + 2) / 3;
		} else {
			drain->hops++;
			unit++;
		}
	}
}

static void drain__write_journey(struct drain *drain, const struct wire_journey *journey)
{
	drain__write_symbol(drain, journey->drop_location);
	drain__read_units(drain, journey);
	stream__journey(drain->stream, journey, sizeof(*journey) + journey->used_units * WIRE_UNIT_BYTES);
	drain->sent++;
	drain->taken_now++;
}

static int drain__on_record(void *context, void *data, size_t bytes)
{
	struct drain *drain = context;

	(void)bytes;
	if (!((const struct wire_journey *)data)->skb)
		stream__request(drain->stream, data);
	else
		drain__write_journey(drain, data);
	return drain->taken_now < DRAIN_TAKE_MOST ? 0 : -EAGAIN; /* a failure ends the consuming, after this record */
}

size_t drain__take(struct drain *drain)
{
	drain->taken_now = 0;
	ring_buffer__consume(drain->ring);
	return drain->taken_now;
}

/* ---- what never ends ------------------------------------------------------------------------------------------------ */

static struct slot *drain__slot(const struct drain *drain, uint32_t number)
{
	return (struct slot *)(drain->slots + (size_t)number * SLOT_BYTES);
}

static __u64 *drain__tag(const struct drain *drain, uint32_t number)
{
	return &drain->tags[number / SLOTS_PER_SET].tags[number % SLOTS_PER_SET];
}

/* A slot that user space has written out is freed one scan later: a program that found it just before may still be writing. */
static void drain__free_taken(struct drain *drain)
{
	for (size_t i = 0; i < drain->taken_count; i++) {
		struct slot *slot = drain__slot(drain, drain->taken[i]);

		slot->generation++;
		__atomic_store_n(&slot->usage, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&slot->state, SLOT_FREE, __ATOMIC_RELEASE);
		__atomic_store_n(drain__tag(drain, drain->taken[i]), TAG_FREE, __ATOMIC_RELEASE);
		__atomic_fetch_sub(&drain->shared->in_use, 1, __ATOMIC_ACQ_REL);
	}
	drain->taken_count = 0;
}

static bool drain__wants(const struct drain *drain, const struct wire_journey *journey)
{
	if (drain->dropped_only && journey->end != WIRE_JOURNEY_DROPPED)
		return false;
	if (drain->keep_drops && journey->end == WIRE_JOURNEY_DROPPED)
		return true;
	return journey->end_monotonic_ns - journey->start_monotonic_ns >= drain->min_duration_ns;
}

static void drain__take_slot(struct drain *drain, uint32_t number, enum slot_state from, uint64_t now)
{
	struct slot *slot = drain__slot(drain, number);
	uint32_t expected = from;
	uint64_t units;

	if (!__atomic_compare_exchange_n(&slot->state, &expected, SLOT_TAKEN, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		return;
	if (from == SLOT_LIVE) {
		__atomic_store_n(drain__tag(drain, number), TAG_CLAIMED, __ATOMIC_RELEASE);
		__atomic_fetch_sub(&drain->shared->live, 1, __ATOMIC_ACQ_REL);
		slot->journey.end = WIRE_JOURNEY_EXPIRED;
		slot->journey.end_monotonic_ns = now;
		drain->expired++;
	}
	units = __atomic_load_n(&slot->usage, __ATOMIC_ACQUIRE) >> 32;
	slot->journey.used_units = units < (uint64_t)SLOT_UNITS ? units : (uint64_t)SLOT_UNITS;
	if (drain__wants(drain, &slot->journey))
		drain__write_journey(drain, &slot->journey);
	else
		drain->discarded++;
	drain->taken[drain->taken_count++] = number;
}

static void drain__scan(struct drain *drain, uint64_t expire_ns, uint64_t patience_ns)
{
	uint64_t now = clock__monotonic_ns();

	drain__free_taken(drain);
	for (uint32_t number = 0; number < drain->options.slots; number++) {
		const struct slot *slot;
		uint64_t last;

		if (*drain__tag(drain, number) == TAG_FREE)
			continue;
		slot = drain__slot(drain, number);
		last = __atomic_load_n(&slot->last_seen_monotonic_ns, __ATOMIC_ACQUIRE);
		if (slot->state == SLOT_LIVE && now > last && now - last >= expire_ns)
			drain__take_slot(drain, number, SLOT_LIVE, now);
		else if (slot->state == SLOT_ENDED && now > slot->journey.end_monotonic_ns &&
			 now - slot->journey.end_monotonic_ns >= patience_ns)
			drain__take_slot(drain, number, SLOT_ENDED, now);
	}
}

void drain__expire(struct drain *drain)
{
	drain__scan(drain, drain->options.expire_ns, RETURN_PATIENCE_NS);
}

void drain__expire_all(struct drain *drain)
{
	while (drain__take(drain))
		;
	drain__scan(drain, 0, 0);
	drain__free_taken(drain);
}

/* ---- counters ------------------------------------------------------------------------------------------------------- */

#define CPU_STATS 32 /* struct cpu_state begins with as many counters, see programs/maps.h */

static void drain__sum_cpus(const struct drain *drain, __u64 values[WIRE_STAT_COUNT], uint32_t value_bytes)
{
	int cpus = libbpf_num_possible_cpus();
	char *states = calloc(cpus, value_bytes);
	uint32_t zero = 0;

	if (states && !bpf_map_lookup_elem(drain->cpu_states, &zero, states))
		for (int cpu = 0; cpu < cpus; cpu++)
			for (int stat = 0; stat < WIRE_STAT_COUNT; stat++)
				values[stat] += ((uint64_t *)(states + (size_t)cpu * value_bytes))[stat];
	free(states);
}

void drain__write_stats(struct drain *drain)
{
	struct wire_stats stats = { .monotonic_ns = clock__monotonic_ns() };
	struct bpf_map_info info = {};
	uint32_t bytes = sizeof(info);

	if (!bpf_obj_get_info_by_fd(drain->cpu_states, &info, &bytes))
		drain__sum_cpus(drain, stats.values, (info.value_size + 7) / 8 * 8);
	stats.values[WIRE_STAT_SENT] = drain->sent;
	stats.values[WIRE_STAT_HOPS] = drain->hops;
	stats.values[WIRE_STAT_EXPIRED] += drain->expired;
	stats.values[WIRE_STAT_DISCARDED] += drain->discarded;
	stats.values[WIRE_STAT_LIVE] = __atomic_load_n(&drain->shared->live, __ATOMIC_ACQUIRE);
	stats.values[WIRE_STAT_LOST_MISSED] += attachment__missed(drain->options.attachment);
	stream__stats(drain->stream, &stats);
}

uint64_t drain__sent(const struct drain *drain)
{
	return drain->sent;
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

static void *map__map_memory(struct bpf_object *object, const char *name, size_t *bytes)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(object, name);
	size_t page = sysconf(_SC_PAGESIZE);
	void *memory;

	*bytes = ((size_t)bpf_map__max_entries(map) * bpf_map__value_size(map) + page - 1) / page * page;
	memory = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	return memory == MAP_FAILED ? NULL : memory;
}

struct drain *drain__new(struct bpf_object *object, struct stream *stream, const struct drain_options *options,
			 char *error, size_t error_bytes)
{
	struct drain *drain = calloc(1, sizeof(*drain));
	const struct settings *settings;
	size_t bytes;

	if (!drain)
		goto failed;
	drain->stream = stream;
	drain->options = *options;
	drain->taken = calloc(options->slots, sizeof(*drain->taken));
	drain->tags = map__map_memory(object, "tags", &drain->tags_bytes);
	drain->slots = map__map_memory(object, "slots", &drain->slots_bytes);
	drain->cpu_states = bpf_object__find_map_fd_by_name(object, "cpu_states");
	/* libbpf's own mapping is a copy that it does not look at again once the object is loaded */
	drain->shared = map__map_memory(object, ".data.shared", &drain->shared_bytes);
	settings = bpf_map__initial_value(bpf_object__find_map_by_name(object, ".rodata"), &bytes);
	drain->ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "ring"), drain__on_record, drain, NULL);
	if (!drain->taken || !drain->tags || !drain->slots || !drain->shared || !settings || !drain->ring)
		goto failed;
	drain->dropped_only = settings->dropped_only;
	drain->keep_drops = settings->keep_drops;
	drain->min_duration_ns = settings->min_duration_ns;
	return drain;
failed:
	snprintf(error, error_bytes, "cannot map the tracer's maps into memory: %s", strerror(errno));
	drain__free(drain);
	return NULL;
}

void drain__free(struct drain *drain)
{
	if (!drain)
		return;
	if (drain->ring)
		ring_buffer__free(drain->ring);
	if (drain->tags)
		munmap(drain->tags, drain->tags_bytes);
	if (drain->slots)
		munmap(drain->slots, drain->slots_bytes);
	if (drain->shared)
		munmap(drain->shared, drain->shared_bytes);
	free(drain->taken);
	free(drain);
}
