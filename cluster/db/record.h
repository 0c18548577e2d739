/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the columns of the database hold that SQLite does not look into. Pure: decoders take any bytes.
 *
 * Encodings, little-endian. Meta: u8 version (1), 16 bytes cluster id, 16 bytes fork id, 16 bytes incarnation, u64 start,
 * u64 promised, claimant, u64 epoch and index claimed with, u64 epoch and index accepted, u16 count {16 bytes incarnation,
 * u64 start, u64 promised, u64 epoch, u64 index}. Batch of entries: {u32 size, entry} each. Base: u64 epoch, u64 index, 32
 * bytes running hash. */
#pragma once

#include "cluster/core/effects.h"

void record_meta_encode(const struct replica_meta *meta, struct buf *out);
int record_meta_decode(const void *data, size_t size, struct replica_meta *ret, struct err *err);

void record_batch_add(struct buf *out, const struct log_entry *entry);
/* The next entry, which borrows from the batch. 0: none is left, 1: there was one. Nothing is checked but that it is one. */
int record_batch_next(struct cursor *c, struct entry *ret, const void **ret_data, size_t *ret_size,
		      struct err *err);
/* Calls each for every entry of a batch, in order; it takes the reference. Entries are checked against
 * (*previous, hash), which move on with them. */
typedef void (*record_entry_fn)(struct log_entry *entry, void *ctx);
int record_batch_decode(const void *data, size_t size, struct position *previous,
			uint8_t hash[SHA256_SIZE], record_entry_fn each, void *ctx,
			struct err *err);

void record_base_encode(struct position at, const uint8_t hash[SHA256_SIZE], struct buf *out);
int record_base_decode(const void *data, size_t size, struct position *ret,
		       uint8_t ret_hash[SHA256_SIZE], struct err *err);

/* All of the state but values and requests, as a snapshot without any. */
void record_head_encode(const struct state *state, struct buf *out);
