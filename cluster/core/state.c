/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The replicated state machine: what each kind of entry does. Pure and deterministic. */
#include "cluster/core/state.h"

#include <string.h>

#include "agent/base/mem.h"

struct state *state_new(uint64_t requests_kept)
{
	struct state *s = xcalloc(1, sizeof(*s));

	s->level = 1;
	s->kv = kv_new();
	kv_keep_requests(s->kv, requests_kept);
	kv_hash_start(s->kv);
	return s;
}

void state_free(struct state *s)
{
	if (!s)
		return;
	kv_free(s->kv);
	free(s);
}

struct applying {
	struct state *state;
	const struct entry *entry;
	kv_change_fn each;
	void *ctx;
	struct state_result *result;
};

/* A request that was asked so long ago that its outcome may have been forgotten is not executed: it
 * may have been already. */
static bool is_too_old(const struct applying *a, const struct store_request_id *id)
{
	const struct kv *kv = a->state->kv;

	return !kv_request(kv, id) && a->entry->first + kv_requests_kept(kv) < a->entry->at.index;
}

static int apply_txn(struct applying *a, struct err *err)
{
	struct state_result *ret = a->result;
	uint8_t hash[SHA256_SIZE];
	bool is_repeat = false;
	struct txn txn;
	int r = txn_decode(a->entry->payload, a->entry->payload_size, &txn, err);

	if (r < 0)
		return r;
	memcpy(ret->id.bytes, txn.id.bytes, sizeof(ret->id.bytes));
	digest_sha256(a->entry->payload, a->entry->payload_size, hash);
	if (is_too_old(a, &txn.id)) {
		ret->store.outcome = STORE_UNKNOWN;
		err_set(&ret->store.err, ERR_UNKNOWN,
			"the request came so late that its first outcome may be forgotten");
	} else {
		kv_apply(a->state->kv, a->entry->at.index, &txn, hash, a->each, a->ctx, &ret->store,
			 &ret->request, &is_repeat);
		ret->has_request = !is_repeat;
	}
	txn_fini(&txn);
	return 0;
}

static int apply_barrier(struct applying *a, struct err *err)
{
	struct cursor c = cursor_on(a->entry->payload, a->entry->payload_size);

	(void)err;
	if (a->entry->payload_size == sizeof(a->result->id))
		uuid_decode(&c, &a->result->id);
	return 0;
}

static int apply_voters(struct applying *a, struct err *err)
{
	struct uuid id;

	if (!voters_payload_decode(a->entry->payload, a->entry->payload_size, &id,
				   &a->state->voters))
		return err_set(err, ERR_CORRUPT, "damaged list of voters");
	a->state->voters_index = a->entry->at.index;
	if (a->entry->kind == ENTRY_FORK)
		a->state->fork = id;
	else
		a->result->id = id;
	return 0;
}

static int apply_level(struct applying *a, struct err *err)
{
	struct cursor c = cursor_on(a->entry->payload, a->entry->payload_size);
	struct uuid id = {0};
	uint32_t level;

	uuid_decode(&c, &id);
	level = cursor_u32(&c);
	if (c.failed || cursor_left(&c) != 0)
		return err_set(err, ERR_CORRUPT, "damaged level");
	if (level > a->state->level)
		a->state->level = level;
	a->result->id = id;
	return 0;
}

static int level_check(const struct entry *e, uint32_t known, struct err *err)
{
	struct cursor c = cursor_on(e->payload, e->payload_size);
	uint32_t level;

	if (e->kind != ENTRY_LEVEL)
		return 0;
	cursor_bytes(&c, sizeof(struct uuid));
	level = cursor_u32(&c);
	if (level <= known)
		return 0;
	return err_set(err, ERR_UNSUPPORTED, "rules of level %u are needed, this program knows %u",
		       level, known);
}

bool state_knows(const struct log_entry *entry, uint32_t level)
{
	struct entry e = log_entry_decode(entry);

	return level_check(&e, level, NULL) == 0;
}

static int (*const appliers[])(struct applying *a, struct err *err) = {
	[ENTRY_TXN] = apply_txn,     [ENTRY_BARRIER] = apply_barrier, [ENTRY_VOTERS] = apply_voters,
	[ENTRY_LEVEL] = apply_level, [ENTRY_FORK] = apply_voters,
};

int state_apply(struct state *s, const struct log_entry *entry, uint32_t level, kv_change_fn each,
		void *ctx, struct state_result *ret, struct err *err)
{
	struct entry e = log_entry_decode(entry);
	struct applying a = {.state = s, .entry = &e, .each = each, .ctx = ctx, .result = ret};
	int r;

	memset(ret, 0, offsetof(struct state_result, store.err.message));
	ret->store.err.message[0] = '\0';
	ret->has_request = false;
	ret->store.outcome = STORE_DONE;
	ret->store.version = e.at.index;
	if (e.kind < ENTRY_TXN || (size_t)e.kind >= ARRAY_SIZE(appliers))
		return err_set(err, ERR_UNSUPPORTED, "log entry of an unknown kind");
	r = level_check(&e, level, err);
	if (r == 0)
		r = appliers[e.kind](&a, err);
	if (r < 0)
		return err_prefix(err, "log entry %llu", (unsigned long long)e.at.index);
	s->at = e.at;
	memcpy(s->hash, entry->hash, SHA256_SIZE);
	return 0;
}

void state_digest(const struct state *s, uint8_t ret[SHA256_SIZE])
{
	struct kv_hash kv = kv_hash(s->kv);
	autobuf all = BUF_INIT;

	buf_add_u64(&all, s->at.epoch);
	buf_add_u64(&all, s->at.index);
	buf_add(&all, s->hash, SHA256_SIZE);
	buf_add_u64(&all, s->voters_index);
	voters_encode(&s->voters, &all);
	uuid_encode(&s->fork, &all);
	buf_add_u32(&all, s->level);
	for (int i = 0; i < 4; i++)
		buf_add_u64(&all, kv.words[i]);
	digest_sha256(all.data, all.size, ret);
}

#ifdef LODGE_MUTANTS
void state_forget_requests(struct state *s)
{
	struct kv *kv = kv_new();
	const struct kv_item *item;
	const char *path = NULL;

	while ((item = kv_next(s->kv, "", path, &path)))
		kv_load(kv, path, item->version, item->data, item->size);
	kv_keep_requests(kv, kv_requests_kept(s->kv));
	kv_hash_start(kv);
	kv_free(s->kv);
	s->kv = kv;
}
#endif
