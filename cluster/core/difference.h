/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two states compared by lists of (path, version, hash), and a state made from another one and what differs. Pure.
 *
 * List, little-endian: {u16 length + path, u64 version, 16 bytes: the first of the item's hash}, rising by path. It is
 * cut between items only. Difference: u32 deletions {u16 length + path}, rising, then a state (state.h) that holds
 * those values alone which differ.
 *
 * A list may be wrong: a hash that meets another by chance, a base that has changed since. What comes out is checked by
 * the digest of the state that it must be. */
#pragma once

#include "cluster/core/frozen.h"

#define LIST_MAX (32u * 1024 * 1024) /* bytes of one list; larger states are sent whole */

void list_encode(const struct kv *kv, struct buf *out);
/* Bytes of whole items from offset on: as many as fit in max, and at least one item. */
size_t list_chunk(const struct buf *list, size_t offset, size_t max);

/* What a list that comes in, chunk by chunk, lacks of a frozen state. */
struct comparison {
	struct frozen *frozen;	/* reference */
	struct portion portion; /* the difference, once it is sealed */
	size_t next;		/* value that was not yet compared */
	uint32_t deleted;
	char last[STORE_PATH_MAX + 1];
};
struct comparison *comparison_new(struct frozen *frozen);
void comparison_free(struct comparison *c);				   /* NULL is fine */
bool comparison_take(struct comparison *c, const void *data, size_t size); /* false: not a list */
void comparison_end(struct comparison *c);

/* *ret: the state that the difference makes of the base. Values that are in both are shared. ret_changed, if not NULL,
 * gets the paths that differ, each with a NUL. */
int difference_apply(const struct state *base, const void *data, size_t size, struct state **ret,
		     struct buf *ret_changed, struct err *err);
