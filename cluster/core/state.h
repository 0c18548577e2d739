/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The replicated state machine: values and outcomes (kv), voters, fork, level, and the position up to which
 * entries were applied. Same entries, same state, same hash. Pure.
 *
 * Encoding (a snapshot), little-endian: u8 version (1), u64 epoch, u64 index, 32 bytes running hash, u64 voters
 * index, list of voters, 16 bytes fork id, u32 level, u64 requests kept, u32 requests {16 bytes id, u64 index, 32
 * bytes payload hash, u8 outcome, u32 failed}, u32 values {u16 length + path, u64 version, u32 size + value}. */
#pragma once

#include "cluster/core/kv.h"
#include "cluster/core/log.h"

struct state {
	struct position at;
	uint8_t hash[SHA256_SIZE]; /* running hash at that position */
	struct voters voters;
	uint64_t voters_index; /* of the entry that the list comes from; 0: from none */
	struct uuid fork;
	uint32_t level;
	struct kv *kv; /* owned */
};

/* What became of one entry. */
struct state_result {
	struct uuid id;		   /* of the request; zeros: nobody asked */
	struct store_result store; /* outcome UNKNOWN: it came too late to be applied */
	bool has_request;	   /* a new outcome was recorded */
	struct kv_request request;
};

struct state *state_new(uint64_t requests_kept);
void state_free(struct state *state);
/* Applies the entry behind state->at. level: highest set of rules that this program knows. An error (of an
 * unknown level, damaged) leaves the state as it was and must stop the node. */
int state_apply(struct state *state, const struct log_entry *entry, uint32_t level,
		kv_change_fn each, void *ctx, struct state_result *ret, struct err *err);
/* false: the entry asks for rules above that level; state_apply() would refuse it. */
bool state_knows(const struct log_entry *entry, uint32_t level);
/* Over all that decides what later entries do. */
void state_digest(const struct state *state, uint8_t ret[SHA256_SIZE]);
void state_encode(const struct state *state, struct buf *out);
/* The parts of that encoding: all before the number of values, and one value. */
void state_encode_head(const struct state *state, struct buf *out);
void state_encode_value(const char *path, const struct kv_item *item, struct buf *out);
#ifdef LODGE_MUTANTS
void state_forget_requests(struct state *state);
#endif
int state_decode(const void *data, size_t size, struct state **ret, struct err *err);
