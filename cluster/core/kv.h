/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The replicated state: values by path, and the outcomes of recent requests. Entries are applied in
 * log order; preconditions are judged here, against the state at that position. Deterministic and
 * pure: same entries, same state. */
#pragma once

#include "cluster/core/entry.h"
#include "cluster/core/outcomes.h"
#include "cluster/core/txn.h"

/* Outcomes are kept for this many log indices (counted by index, never by clock). */
#define KV_REQUESTS_KEPT 10000u

struct kv;

/* Never changed once it is in a kv, and counted, so that states share what they have in common. */
struct kv_item {
	uint64_t version;
	size_t size;
	unsigned refs;
	uint8_t hash
		[SHA256_SIZE]; /* of path, version and value; only where kv_hash_start() was called */
	char data[];	       /* size bytes and a NUL */
};

struct kv_change {
	const char *path;
	const struct kv_item *before; /* NULL: was absent */
	const struct kv_item *now;    /* NULL: deleted */
};

typedef void (*kv_change_fn)(const struct kv_change *change, void *ctx);

struct kv *kv_new(void);
void kv_free(struct kv *kv);
const struct kv_item *kv_get(const struct kv *kv, const char *path);
/* The first path > after (or >= prefix when after is NULL) that lies below prefix. */
const struct kv_item *kv_next(const struct kv *kv, const char *prefix, const char *after,
			      const char **ret_path);
size_t kv_bytes(const struct kv *kv);
size_t kv_count(const struct kv *kv);
const struct kv_item *kv_item_ref(const struct kv_item *item);
void kv_item_unref(const struct kv_item *item); /* NULL is fine */

/* For replicas. Outcomes live for `count` indices instead of KV_REQUESTS_KEPT (the same on all). */
void kv_keep_requests(struct kv *kv, uint64_t count);
uint64_t kv_requests_kept(const struct kv *kv);
const struct kv_request *kv_request(const struct kv *kv, const struct store_request_id *id);
/* The first recorded request with an index > after; NULL at the end. */
const struct kv_request *kv_request_next(const struct kv *kv, uint64_t after);
/* From here on the hash of values and requests is kept up to date with every change. It is a sum of the
 * hashes of its parts, so that a change costs its own size only: it finds divergence, it is no proof
 * against somebody who chooses values. */
struct kv_hash {
	uint64_t words[4];
};
void kv_hash_start(struct kv *kv);
struct kv_hash kv_hash(const struct kv *kv);

/* Applies one transaction: all of it or nothing. Calls each(change) once per changed path after the
 * whole was applied; items in `before` live until each() returned. A repeated request id yields
 * its first outcome. *ret_request is what a replica records. */
void kv_apply(struct kv *kv, uint64_t index, const struct txn *txn,
	      const uint8_t payload_hash[SHA256_SIZE], kv_change_fn each, void *ctx,
	      struct store_result *ret, struct kv_request *ret_request, bool *ret_is_repeat);

/* Loading from disk. */
void kv_load(struct kv *kv, const char *path, uint64_t version, const void *data, size_t size);
/* In the order of their indices. false: it is not, or the id is known; nothing was done. */
bool kv_load_request(struct kv *kv, const struct kv_request *request);
/* Takes over an item of another kv under the same path, without a copy. Both keep their hash. */
void kv_share(struct kv *kv, const char *path, const struct kv_item *item);
