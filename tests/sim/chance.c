/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator's own chance (splitmix64: the same everywhere), and shared bytes. */
#include <string.h>

#include "tests/sim/sim.h"

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t rng_below(struct rng *rng, uint64_t n)
{
	return n ? rng_next(rng) % n : 0;
}

bool rng_chance(struct rng *rng, unsigned percent)
{
	return rng_below(rng, 100) < percent;
}

uint64_t rng_between(struct rng *rng, uint64_t from, uint64_t to)
{
	return from + rng_below(rng, to - from + 1);
}

void rng_uuid(struct rng *rng, struct uuid *ret)
{
	for (int i = 0; i < 2; i++) {
		uint64_t v = rng_next(rng);

		memcpy(ret->bytes + 8 * i, &v, 8);
	}
}

struct blob *blob_new(const void *data, size_t size)
{
	struct blob *b = xmalloc(sizeof(*b) + size + 1);

	b->refs = 1;
	b->size = size;
	if (size)
		memcpy(b->data, data, size);
	return b;
}

struct blob *blob_ref(struct blob *b)
{
	if (b)
		b->refs++;
	return b;
}

void blob_unref(struct blob *b)
{
	if (b && --b->refs == 0)
		free(b);
}
