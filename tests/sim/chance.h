/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator's own chance (splitmix64: the same everywhere), and shared bytes. */
#pragma once

#include "cluster/core/voters.h"

struct rng {
	uint64_t state;
};
uint64_t rng_next(struct rng *rng);
uint64_t rng_below(struct rng *rng, uint64_t n);
bool rng_chance(struct rng *rng, unsigned percent);
uint64_t rng_between(struct rng *rng, uint64_t from, uint64_t to);
void rng_uuid(struct rng *rng, struct uuid *ret);

/* Shared immutable bytes. */
struct blob {
	unsigned refs;
	size_t size;
	char data[];
};
struct blob *blob_new(const void *data, size_t size);
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob);
