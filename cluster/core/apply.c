/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S5: what is committed and on the own disk is applied, in order; origins get their answers. Pure. */
#include "cluster/core/replica_private.h"

void apply_collect(const struct kv_change *change, void *ctx)
{
	struct applied *a = ctx;
	struct applied_row *row;

	a->rows = xrealloc(a->rows, a->row_count + 1, sizeof(a->rows[0]));
	row = &a->rows[a->row_count++];
	*row = (struct applied_row){.path = xstrdup(change->path)};
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
}

static void answer_all(struct replica *r, const struct state_result *result)
{
	if (uuid_is_zero(&result->id))
		return;
	LIST_FOREACH (by_id_list(&r->requests_by_id, &result->id), q, struct request, by_id)
		if (uuid_equal(&q->id, &result->id))
			request_answer(r, q, &result->store);
}

/* false: the replica has left */
static bool apply_one(struct replica *r, struct log_entry *e)
{
	struct applied *a = xcalloc(1, sizeof(*a));
	struct state_result result;
	struct err err = ERR_INIT;
	int code;

	a->entry = log_entry_ref(e);
	a->index = e->at.index;
	effects_add(r->out, EFFECT_APPLIED)->applied = a;
#ifdef LODGE_MUTANTS
	if (MUTANT(r, NO_REQUESTS))
		state_forget_requests(r->state);
#endif
	code = state_apply(r->state, e, r->options.level, apply_collect, a, &result, &err);
	if (code < 0) {
		r->out->count--; /* nothing was applied */
		log_entry_unref(a->entry);
		free(a);
		replica_leave(r, code != -ERR_UNSUPPORTED, "%s", err.message);
		return false;
	}
	a->outcome = result.store.outcome;
	a->has_request = result.has_request;
	a->request = result.request;
	answer_all(r, &result);
	if (e->kind == ENTRY_VOTERS || e->kind == ENTRY_FORK)
		voters_applied(r);
	return true;
}

#define SERVED_BYTES (32u * 1024 * 1024)

/* Of what was applied: up to where, for the bound on entries. */
static uint64_t trim_entries(const struct replica *r)
{
	uint64_t applied = r->state->at.index, kept = r->options.log_kept;

	return r->log.count > 2 * kept && applied > kept ? applied - kept : 0;
}

/* The same for the bound on bytes: down to half of it. */
static uint64_t trim_bytes(const struct replica *r)
{
	size_t bytes = r->log.bytes;
	uint64_t upto = r->log.base.index;

	if (r->options.log_bytes && bytes > r->options.log_bytes)
		while (bytes > r->options.log_bytes / 2 && upto < r->state->at.index)
			bytes -= log_at(&r->log, ++upto)->size;
	return upto;
}

/* Who is caught up by state shall go on from there by entries; what is too much for that comes as another difference,
 * which is smaller than the one before. */
static void trim(struct replica *r)
{
	uint64_t upto = trim_entries(r), by_bytes = trim_bytes(r), served = serve_floor(r);

	if (by_bytes > upto)
		upto = by_bytes;
	if (served < upto && r->log.count <= r->options.log_served && r->log.bytes <= SERVED_BYTES)
		upto = served;
	log_trim(&r->log, upto);
}

void apply_committed(struct replica *r)
{
	uint64_t upto = r->commit < r->durable_index || MUTANT(r, APPLY_BEFORE_SYNC)
				? r->commit
				: r->durable_index;

	while (r->state->at.index < upto && r->role != ROLE_LEFT && !r->installing) {
		struct log_entry *e = log_at(&r->log, r->state->at.index + 1);

		if (!e || !apply_one(r, e))
			return;
	}
	trim(r);
}

bool apply_answer_known(struct replica *r, struct request *q)
{
	struct store_request_id id;
	const struct kv_request *known;
	struct store_result result;

	memcpy(id.bytes, q->id.bytes, sizeof(id.bytes));
	known = q->kind == REQUEST_TXN ? kv_request(r->state->kv, &id) : NULL;
	if (!known)
		return false;
	result = (struct store_result){.outcome = known->outcome,
				       .version = known->index,
				       .failed_precondition = known->failed};
	if (known->outcome == STORE_REFUSED)
		err_set(&result.err, ERR_CONFLICT,
			"a precondition of the transaction did not hold");
	request_answer(r, q, &result);
	return true;
}

/* A snapshot brought outcomes without their entries. Requests that are no transactions are asked again. */
void apply_answer_all_known(struct replica *r)
{
	LIST_FOREACH (&r->requests, q, struct request, node)
		apply_answer_known(r, q);
}
