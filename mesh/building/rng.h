/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded randomness of the building (splitmix64): the same seed, the same building and the same
 * run. No secret of a real network may come from it.
 */
#ifndef MESHMASON_BUILDING_RNG_H
#define MESHMASON_BUILDING_RNG_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_mix(uint64_t z)
{
	z += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* Streams of one seed are independent of each other. */
static inline struct rng rng_seeded(uint64_t seed, uint64_t stream)
{
	return (struct rng){ rng_mix(rng_mix(seed) ^ (stream * UINT64_C(0xD1342543DE82EF95))) };
}

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = rng_mix(r->state);

	r->state += UINT64_C(0x9E3779B97F4A7C15);
	return z;
}

/* 0..n-1; n is 1 or more and far below 2^32, so that the bias does not matter here. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

/* 0 <= x < 1 */
static inline double rng_unit(struct rng *r)
{
	return (double)(rng_next(r) >> 11) / 9007199254740992.0;
}

static inline void rng_fill(struct rng *r, void *out, size_t n)
{
	uint8_t *p = out;

	while (n > 0) {
		uint64_t z = rng_next(r);
		size_t k = n < sizeof(z) ? n : sizeof(z);

		memcpy(p, &z, k);
		p += k;
		n -= k;
	}
}

#endif
