/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The replicated state and the application of transactions to it. Pure and deterministic. */
#include "cluster/core/kv.h"

#include <string.h>

#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define NO_PRECONDITION UINT32_MAX /* refused by an operation, not by a precondition */

struct kv {
	struct map *items;
	struct outcomes *requests;
	size_t bytes;
	uint64_t requests_kept;
	bool is_hashed;
	struct kv_hash hash;
};

/* what one operation replaced, to be undone or reported */
struct step {
	const char *path;	/* key in the map or in the transaction */
	struct kv_item *before; /* owned until reported */
};

struct steps {
	struct step items[2 * STORE_OPS_MAX]; /* a rename is two */
	size_t count;
};

struct kv *kv_new(void)
{
	struct kv *kv = xcalloc(1, sizeof(*kv));

	kv->items = map_new();
	kv->requests = outcomes_new();
	kv->requests_kept = KV_REQUESTS_KEPT;
	return kv;
}

/* Adds (or takes away) the hash of one part. */
static void hash_add(struct kv *kv, const uint8_t hash[SHA256_SIZE], bool is_added)
{
	for (int i = 0; i < 4; i++) {
		uint64_t word = 0;

		for (int k = 0; k < 8; k++)
			word |= (uint64_t)hash[8 * i + k] << (8 * k);
		kv->hash.words[i] += is_added ? word : -word;
	}
}

/* Of an item that is new here; it goes by the same hash until it is dropped. */
static void hash_make(const struct kv *kv, const char *path, struct kv_item *item)
{
	autobuf part = BUF_INIT;

	if (!kv->is_hashed)
		return;
	buf_add_u8(&part, 1);
	buf_add_u64(&part, item->version);
	buf_add(&part, path, strlen(path) + 1);
	buf_add(&part, item->data, item->size);
	digest_sha256(part.data, part.size, item->hash);
}

static void hash_item(struct kv *kv, const struct kv_item *item, bool is_added)
{
	if (kv->is_hashed && item)
		hash_add(kv, item->hash, is_added);
}

static void hash_request(struct kv *kv, const struct kv_request *request, bool is_added)
{
	autobuf part = BUF_INIT;
	uint8_t hash[SHA256_SIZE];

	if (!kv->is_hashed)
		return;
	buf_add_u8(&part, 2);
	buf_add(&part, request->id.bytes, sizeof(request->id.bytes));
	buf_add_u64(&part, request->index);
	buf_add(&part, request->payload_hash, SHA256_SIZE);
	buf_add_u8(&part, (uint8_t)request->outcome);
	buf_add_u32(&part, request->failed);
	digest_sha256(part.data, part.size, hash);
	hash_add(kv, hash, is_added);
}

const struct kv_item *kv_item_ref(const struct kv_item *item)
{
	((struct kv_item *)item)->refs++;
	return item;
}

void kv_item_unref(const struct kv_item *item)
{
	if (item && --((struct kv_item *)item)->refs == 0)
		free((struct kv_item *)item);
}

static void unref(void *item)
{
	kv_item_unref(item);
}

void kv_free(struct kv *kv)
{
	if (!kv)
		return;
	map_free(kv->items, unref);
	outcomes_free(kv->requests);
	free(kv);
}

const struct kv_item *kv_get(const struct kv *kv, const char *path)
{
	return map_get(kv->items, path);
}

size_t kv_bytes(const struct kv *kv)
{
	return kv->bytes;
}

size_t kv_count(const struct kv *kv)
{
	return map_size(kv->items);
}

const struct kv_item *kv_next(const struct kv *kv, const char *prefix, const char *after,
			      const char **ret_path)
{
	const char *path = NULL;
	const struct kv_item *item =
		after ? map_next(kv->items, after, &path) : map_first(kv->items, prefix, &path);

	if (!item || !str_starts(path, prefix))
		return NULL;
	*ret_path = path;
	return item;
}

static struct kv_item *item_new(uint64_t version, const void *data, size_t size)
{
	struct kv_item *item = xmalloc(sizeof(*item) + size + 1);

	*item = (struct kv_item){.version = version, .size = size, .refs = 1};
	if (size)
		memcpy(item->data, data, size);
	item->data[size] = '\0';
	return item;
}

static size_t item_cost(const char *path, const struct kv_item *item)
{
	return item ? strlen(path) + item->size : 0;
}

/* Puts (or removes, item NULL) and remembers what was there. */
static void step_do(struct kv *kv, struct steps *steps, const char *path, struct kv_item *item)
{
	struct kv_item *before;

	if (item)
		hash_make(kv, path, item);
	before = item ? map_put(kv->items, path, item) : map_remove(kv->items, path);
	kv->bytes += item_cost(path, item);
	kv->bytes -= item_cost(path, before);
	hash_item(kv, item, true);
	hash_item(kv, before, false);
	steps->items[steps->count++] = (struct step){.path = path, .before = before};
}

static void steps_undo(struct kv *kv, struct steps *steps)
{
	while (steps->count > 0) {
		struct step *s = &steps->items[--steps->count];
		struct kv_item *now = s->before ? map_put(kv->items, s->path, s->before)
						: map_remove(kv->items, s->path);

		kv->bytes += item_cost(s->path, s->before);
		kv->bytes -= item_cost(s->path, now);
		hash_item(kv, s->before, true);
		hash_item(kv, now, false);
		kv_item_unref(now);
	}
}

/* Several steps on one path are one change: first `before`, last `now`. */
static void steps_report(struct kv *kv, struct steps *steps, kv_change_fn each, void *ctx)
{
	for (size_t i = 0; i < steps->count; i++) {
		struct step *s = &steps->items[i];
		bool is_first = true;

		for (size_t k = 0; k < i && is_first; k++)
			is_first = !str_eq(steps->items[k].path, s->path);
		if (is_first && each) {
			struct kv_change change = {
				.path = s->path, .before = s->before, .now = kv_get(kv, s->path)};

			if (change.before || change.now)
				each(&change, ctx);
		}
	}
	for (size_t i = 0; i < steps->count; i++)
		kv_item_unref(steps->items[i].before);
}

static int rename_do(struct kv *kv, struct steps *steps, uint64_t index, const struct store_op *op,
		     struct err *err)
{
	const struct kv_item *from = kv_get(kv, op->path);
	struct kv_item *moved;

	if (!from)
		return err_set(err, ERR_NOT_FOUND, "%s does not exist", op->path);
	if (kv_get(kv, op->to))
		return err_set(err, ERR_EXISTS, "%s already exists", op->to);
	moved = item_new(index, from->data, from->size);
	step_do(kv, steps, op->path, NULL);
	step_do(kv, steps, op->to, moved);
	return 0;
}

static int op_do(struct kv *kv, struct steps *steps, uint64_t index, const struct store_op *op,
		 struct err *err)
{
	if (op->kind == STORE_RENAME)
		return rename_do(kv, steps, index, op, err);
	if (op->kind == STORE_DELETE) {
		if (kv_get(kv, op->path))
			step_do(kv, steps, op->path, NULL);
		return 0;
	}
	step_do(kv, steps, op->path, item_new(index, op->value, op->size));
	if (kv->bytes > STORE_TOTAL_MAX)
		return err_set(err, ERR_LIMIT, "the store is full (%u MiB)",
			       STORE_TOTAL_MAX / (1024 * 1024));
	return 0;
}

static int preconditions_check(const struct kv *kv, const struct txn *txn, uint32_t *ret_failed,
			       struct err *err)
{
	for (size_t i = 0; i < txn->precondition_count; i++) {
		const struct store_precondition *p = &txn->preconditions[i];
		const struct kv_item *item = kv_get(kv, p->path);
		uint64_t version = item ? item->version : 0;

		if (version == p->version)
			continue;
		*ret_failed = (uint32_t)i;
		if (p->version == 0)
			return err_set(err, ERR_CONFLICT, "%s already exists", p->path);
		return err_set(err, ERR_CONFLICT, "%s %s", p->path,
			       item ? "was changed by somebody else" : "does not exist any more");
	}
	return 0;
}

bool kv_load_request(struct kv *kv, const struct kv_request *request)
{
	if (!outcomes_add(kv->requests, request))
		return false;
	hash_request(kv, request, true);
	return true;
}

static void requests_forget(struct kv *kv, uint64_t index)
{
	const struct kv_request *old;

	while ((old = outcomes_after(kv->requests, 0)) && old->index + kv->requests_kept < index) {
		hash_request(kv, old, false);
		outcomes_drop_oldest(kv->requests);
	}
}

static void answer_repeat(const struct kv_request *known, const uint8_t payload_hash[SHA256_SIZE],
			  struct store_result *ret)
{
	*ret = (struct store_result){.outcome = known->outcome,
				     .version = known->index,
				     .failed_precondition = known->failed};
	if (memcmp(known->payload_hash, payload_hash, SHA256_SIZE) != 0) {
		ret->outcome = STORE_REFUSED;
		err_set(&ret->err, ERR_INVALID,
			"request id was used before for another transaction");
	} else if (known->outcome == STORE_REFUSED) {
		err_set(&ret->err, ERR_CONFLICT, "a precondition of the transaction did not hold");
	}
}

void kv_apply(struct kv *kv, uint64_t index, const struct txn *txn,
	      const uint8_t payload_hash[SHA256_SIZE], kv_change_fn each, void *ctx,
	      struct store_result *ret, struct kv_request *ret_request, bool *ret_is_repeat)
{
	const struct kv_request *known = outcomes_find(kv->requests, &txn->id);
	struct steps steps; /* large: what is used of it is written first */
	struct store_result result = {.outcome = STORE_DONE, .version = index};
	uint32_t failed = NO_PRECONDITION;
	int r;

	steps.count = 0;
	*ret_is_repeat = known != NULL;
	if (known) {
		answer_repeat(known, payload_hash, ret);
		return;
	}
	r = preconditions_check(kv, txn, &failed, &result.err);
	for (size_t i = 0; r == 0 && i < txn->op_count; i++)
		r = op_do(kv, &steps, index, &txn->ops[i], &result.err);
	if (r < 0) {
		steps_undo(kv, &steps);
		result.outcome = STORE_REFUSED;
		result.failed_precondition = failed;
	} else {
		steps_report(kv, &steps, each, ctx);
	}
	*ret_request = (struct kv_request){
		.id = txn->id, .index = index, .outcome = result.outcome, .failed = failed};
	memcpy(ret_request->payload_hash, payload_hash, SHA256_SIZE);
	kv_load_request(kv, ret_request);
	requests_forget(kv, index);
	*ret = result;
}

static void take_in(struct kv *kv, const char *path, const struct kv_item *item)
{
	kv->bytes += item_cost(path, item);
	hash_item(kv, item, true);
	kv_item_unref(map_put(kv->items, path, (struct kv_item *)item));
}

void kv_load(struct kv *kv, const char *path, uint64_t version, const void *data, size_t size)
{
	struct kv_item *item = item_new(version, data, size);

	hash_make(kv, path, item);
	take_in(kv, path, item);
}

void kv_share(struct kv *kv, const char *path, const struct kv_item *item)
{
	take_in(kv, path, kv_item_ref(item));
}

void kv_keep_requests(struct kv *kv, uint64_t count)
{
	kv->requests_kept = count;
}

uint64_t kv_requests_kept(const struct kv *kv)
{
	return kv->requests_kept;
}

const struct kv_request *kv_request(const struct kv *kv, const struct store_request_id *id)
{
	return outcomes_find(kv->requests, id);
}

const struct kv_request *kv_request_next(const struct kv *kv, uint64_t after)
{
	return outcomes_after(kv->requests, after);
}

void kv_hash_start(struct kv *kv)
{
	const char *path = NULL;
	const struct kv_item *item;
	const struct kv_request *request = NULL;

	if (kv->is_hashed)
		return;
	kv->is_hashed = true;
	while ((item = kv_next(kv, "", path, &path))) {
		hash_make(kv, path, (struct kv_item *)item);
		hash_item(kv, item, true);
	}
	while ((request = kv_request_next(kv, request ? request->index : 0)))
		hash_request(kv, request, true);
}

struct kv_hash kv_hash(const struct kv *kv)
{
	return kv->hash;
}
