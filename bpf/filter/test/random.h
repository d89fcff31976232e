/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Reproducible random numbers (splitmix64). */
#ifndef SKBSPAN_FILTER_TEST_RANDOM_H
#define SKBSPAN_FILTER_TEST_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random__next(struct random *random)
{
	uint64_t value = random->state += 0x9e3779b97f4a7c15ull;

	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ value >> 27) * 0x94d049bb133111ebull;
	return value ^ value >> 31;
}

static inline uint32_t random__below(struct random *random, uint32_t limit)
{
	return random__next(random) % limit;
}

static inline uint32_t random__between(struct random *random, uint32_t low, uint32_t high)
{
	return low + random__below(random, high - low + 1);
}

static inline bool random__chance(struct random *random, unsigned percent)
{
	return random__below(random, 100) < percent;
}

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))
#define PICK(random, array) ((array)[random__below((random), COUNT_OF(array))])

#endif
