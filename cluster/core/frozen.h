/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state at one index, readable while the state goes on, and what is sent of it. Pure.
 *
 * Values are counted, not copied. It costs the paths, 24 bytes a value, the outcomes of requests, and every value that
 * is replaced meanwhile, for as long as it lives. Freezing takes time for each value that there is, whatever its size.
 *
 * A portion is the whole, encoded as state.h says, or a difference as difference.h says; its bytes are made as they are
 * read. */
#pragma once

#include "cluster/core/state.h"

struct frozen_value {
	const char *path;
	const struct kv_item *item; /* reference */
};

struct portion {
	struct buf front; /* of a difference: what is deleted */
	uint32_t *picks;  /* indices of the values that are in it, rising; NULL: all */
	uint64_t *ends;	  /* where each of them ends, counted from the first one */
	size_t count;	  /* of values */
	size_t capacity;  /* of picks */
	uint64_t total;	  /* bytes */
};

struct frozen {
	unsigned refs;
	struct position at;
	uint8_t hash[SHA256_SIZE];   /* running hash there */
	uint8_t digest[SHA256_SIZE]; /* of the state */
	struct buf head;	     /* the encoding up to the number of values */
	struct frozen_value *values; /* sorted by path */
	size_t count;
	struct buf paths; /* all of them */
	struct portion whole;
};

struct frozen *frozen_new(const struct state *state);
struct frozen *frozen_ref(struct frozen *frozen);
void frozen_unref(struct frozen *frozen); /* NULL is fine */

void portion_pick(struct portion *portion, uint32_t index); /* higher than those before */
void portion_seal(const struct frozen *frozen, struct portion *portion); /* once all is picked */
void portion_fini(struct portion *portion);
/* Appends up to `max` bytes from offset (below total) on; how many. */
size_t portion_read(const struct frozen *frozen, const struct portion *portion, uint64_t offset,
		    size_t max, struct buf *out);
