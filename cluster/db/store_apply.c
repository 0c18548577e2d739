/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applying durable entries to the state, telling subscribers, collecting what is to be settled. */
#include "cluster/db/store_internal.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static void notify(struct store *store, const struct kv_change *change, const char *who)
{
	struct store_change c = {
		.kind = change->now ? STORE_CHANGE_PUT : STORE_CHANGE_DELETE,
		.value = {.path = change->path,
			  .data = change->now ? change->now->data : NULL,
			  .size = change->now ? change->now->size : 0,
			  .version = change->now ? change->now->version : store->applied},
		.who = who};

	LIST_FOREACH (&store->subscriptions, s, struct store_subscription, node)
		if (str_starts(change->path, s->prefix))
			s->fn(&c, s->ctx);
}

struct applying {
	struct store *store;
	const struct entry *entry;
	bool is_replay;
};

static void applied_change(const struct kv_change *change, void *ctx)
{
	struct applying *a = ctx;
	struct settle_row *row = settle_add(&a->store->settle);

	row->path = xstrdup(change->path);
	if (change->now) {
		row->value = xmemdup(change->now->data, change->now->size + 1);
		row->size = change->now->size;
		row->version = change->now->version;
	}
	if (change->before) {
		row->old = xmemdup(change->before->data, change->before->size + 1);
		row->old_size = change->before->size;
		row->old_version = change->before->version;
	}
	row->index = a->entry->at.index;
	row->when = a->entry->when;
	memcpy(row->who, a->entry->who, sizeof(row->who));
	if (!a->is_replay)
		notify(a->store, change, a->entry->who);
}

int store_apply(struct store *store, const struct entry *entry, bool is_replay,
		struct store_result *ret, struct err *err)
{
	struct applying ctx = {.store = store, .entry = entry, .is_replay = is_replay};
	uint8_t hash[SHA256_SIZE];
	struct kv_request request;
	bool is_repeat = false;
	struct txn txn;
	int r = 0;

	*ret = (struct store_result){.outcome = STORE_DONE, .version = entry->at.index};
	store->applied = entry->at.index;
	store->settle.applied = entry->at.index;
	if (entry->kind == ENTRY_BARRIER)
		return 0;
	r = txn_decode(entry->payload, entry->payload_size, &txn, err);
	if (r < 0)
		return err_prefix(err, "log entry %llu", (unsigned long long)entry->at.index);
	digest_sha256(entry->payload, entry->payload_size, hash);
	kv_apply(store->kv, entry->at.index, &txn, hash, applied_change, &ctx, ret, &request,
		 &is_repeat);
	if (!is_repeat)
		settle_add(&store->settle)->request = request;
	txn_fini(&txn);
	return 0;
}
