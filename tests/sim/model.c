/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A second, simple account of what transactions do, sharing nothing with kv.c but the decoder. */
#include <string.h>

#include "cluster/core/txn.h"
#include "tests/sim/sim.h"

static struct model_value *value_of(struct model *m, const char *path)
{
	return &m->values[(path[2] - '0') % SIM_KEYS];
}

static const struct model_request *request_of(const struct model *m, const struct uuid *id)
{
	for (size_t i = m->request_count; i > 0; i--)
		if (uuid_equal(&m->requests[i - 1].id, id))
			return &m->requests[i - 1];
	return NULL;
}

static enum store_outcome execute(struct model *m, const struct txn *txn, uint64_t index,
				  uint32_t *ret_failed)
{
	struct model_value before[SIM_KEYS];

	*ret_failed = UINT32_MAX;
	memcpy(before, m->values, sizeof(before));
	for (size_t i = 0; i < txn->precondition_count; i++) {
		const struct model_value *v = value_of(m, txn->preconditions[i].path);

		if ((v->is_there ? v->version : 0) == txn->preconditions[i].version)
			continue;
		*ret_failed = (uint32_t)i;
		return STORE_REFUSED;
	}
	for (size_t i = 0; i < txn->op_count; i++) {
		const struct store_op *op = &txn->ops[i];
		struct model_value *v = value_of(m, op->path), *to;

		if (op->kind == STORE_PUT) {
			*v = (struct model_value){.is_there = true, .version = index};
			digest_sha256(op->value, op->size, v->digest);
		} else if (op->kind == STORE_DELETE) {
			v->is_there = false;
		} else {
			to = value_of(m, op->to);
			if (!v->is_there || to->is_there) {
				memcpy(m->values, before, sizeof(before));
				return STORE_REFUSED;
			}
			*to = *v;
			to->version = index;
			v->is_there = false;
		}
	}
	return STORE_DONE;
}

enum store_outcome model_apply(struct model *m, const struct entry *entry)
{
	struct uuid id;
	struct txn txn;
	enum store_outcome outcome;
	uint32_t failed;

	if (entry->kind != ENTRY_TXN ||
	    txn_decode(entry->payload, entry->payload_size, &txn, NULL) < 0)
		return STORE_DONE;
	memcpy(id.bytes, txn.id.bytes, sizeof(id.bytes));
	if (request_of(m, &id)) {
		txn_fini(&txn);
		return STORE_UNKNOWN;
	}
	outcome = execute(m, &txn, entry->at.index, &failed);
	m->requests[m->request_count++ % SIM_INDICES] = (struct model_request){
		.id = id, .index = entry->at.index, .outcome = outcome, .failed = failed};
	txn_fini(&txn);
	return outcome;
}

bool model_failed(const struct model *m, const struct uuid *id, uint32_t *ret)
{
	const struct model_request *known = request_of(m, id);

	if (known)
		*ret = known->failed;
	return known;
}

static void check_repeat(struct world *w, struct model *m, const struct entry *e,
			 const struct applied *a)
{
	const struct model_request *known;
	struct uuid id;

	memcpy(id.bytes, (const char *)e->payload + 1, sizeof(id.bytes)); /* behind the version */
	known = request_of(m, &id);
	if (a->outcome == STORE_UNKNOWN) {
		if (e->first + SIM_REQUESTS >= e->at.index)
			oracle_fail(w, INV_LINEAR, "entry %llu was called too old",
				    (unsigned long long)e->at.index);
		return;
	}
	if (!known || known->outcome != a->outcome)
		oracle_fail(w, INV_ONCE, "entry %llu got the outcome of nothing",
			    (unsigned long long)e->at.index);
}

void model_check(struct world *w, struct model *m, const struct log_entry *entry,
		 const struct applied *a)
{
	struct entry e = log_entry_decode(entry);
	enum store_outcome outcome;

	if (e.kind != ENTRY_TXN)
		return;
	if (!a->has_request) {
		check_repeat(w, m, &e, a);
		return;
	}
	outcome = model_apply(m, &e);
	if (outcome == STORE_UNKNOWN)
		oracle_fail(w, INV_ONCE, "entry %llu was executed again",
			    (unsigned long long)e.at.index);
	else if (outcome != a->outcome)
		oracle_fail(w, INV_LINEAR, "entry %llu: outcome %d, the model says %d",
			    (unsigned long long)e.at.index, a->outcome, outcome);
}

void model_compare(struct world *w, const struct model *m, const struct kv *kv)
{
	for (int i = 0; i < SIM_KEYS; i++) {
		char path[] = {'/', 'k', (char)('0' + i), '\0'};
		const struct kv_item *item = kv_get(kv, path);
		uint8_t digest[SHA256_SIZE];

		if (m->values[i].is_there != (item != NULL)) {
			oracle_fail(w, INV_LINEAR, "%s is %s", path, item ? "there" : "gone");
			return;
		}
		if (!item)
			continue;
		digest_sha256(item->data, item->size, digest);
		if (item->version != m->values[i].version ||
		    memcmp(digest, m->values[i].digest, SHA256_SIZE) != 0)
			oracle_fail(w, INV_LINEAR, "%s has another value than in the model", path);
	}
}
