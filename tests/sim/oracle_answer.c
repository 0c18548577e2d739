/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients were told: done is there, refused was rightly said, not sent was never done. */
#include <string.h>

#include "tests/sim/sim.h"

static bool has_id(const struct committed *c, const struct op *op)
{
	struct entry e;

	if (!c->entry)
		return false;
	e = log_entry_decode(c->entry);
	return e.kind == ENTRY_TXN && e.payload_size > 17 &&
	       memcmp((const char *)e.payload + 1, op->id.bytes, 16) == 0;
}

static const struct committed *first_of(const struct history *h, const struct op *op)
{
	for (uint64_t i = 1; i <= h->count; i++)
		if (has_id(&h->items[i], op))
			return &h->items[i];
	return NULL;
}

static void check_done(struct world *w, struct node *n, struct op *op, const struct history *h)
{
	if (op->version == 0 || op->version > h->count) {
		oracle_fail(w, INV_ANSWER, "done at entry %llu, which is not committed",
			    (unsigned long long)op->version);
		return;
	}
	if (op->kind == REQUEST_TXN &&
	    (!has_id(&h->items[op->version], op) || h->items[op->version].outcome != STORE_DONE))
		oracle_fail(w, INV_ANSWER, "done at entry %llu, which is something else",
			    (unsigned long long)op->version);
	if (op->version <= op->asked_after)
		oracle_fail(w, INV_LINEAR, "done at entry %llu, asked after %llu was answered",
			    (unsigned long long)op->version, (unsigned long long)op->asked_after);
	if (replica_state(n->replica)->at.index < op->version)
		oracle_fail(w, INV_READS, "n%u does not see its own write", n->id);
	if (op->version > w->oracle.answered)
		w->oracle.answered = op->version;
}

static void check_refused(struct world *w, struct op *op, struct history *h,
			  const struct store_result *result)
{
	const struct committed *first = first_of(h, op);
	uint32_t failed;

	if (!first || first->outcome != STORE_REFUSED) {
		oracle_fail(w, INV_ANSWER, "refused, which nobody did");
		return;
	}
	if (first->at.index <= op->asked_after)
		oracle_fail(w, INV_LINEAR, "refused at entry %llu, asked after %llu",
			    (unsigned long long)first->at.index,
			    (unsigned long long)op->asked_after);
	if (!model_failed(oracle_model(w, h), &op->id, &failed) ||
	    failed != result->failed_precondition)
		oracle_fail(w, INV_ANSWER, "refused at entry %llu for another precondition",
			    (unsigned long long)first->at.index);
	if (first->at.index > w->oracle.answered)
		w->oracle.answered = first->at.index;
}

void oracle_answer(struct world *w, struct node *n, struct op *op, const struct answer *answer)
{
	struct history *h = oracle_history(w, &replica_meta(n->replica)->fork);

	if (w->oracle.broken)
		return;
	op->was_not_sent = op->outcome == STORE_NOT_SENT;
	if (op->outcome == STORE_DONE)
		check_done(w, n, op, h);
	if (op->outcome == STORE_REFUSED && op->kind == REQUEST_TXN)
		check_refused(w, op, h, &answer->result);
	if (op->outcome == STORE_NOT_SENT && op->unknowns > 0)
		oracle_fail(w, INV_ANSWER, "not sent, after unknown");
}

void oracle_answers_end(struct world *w)
{
	for (size_t i = 0; i < w->op_count; i++) {
		struct op *op = &w->ops[i];

		if (op->state != OP_ENDED || !op->was_not_sent || op->unknowns > 0)
			continue;
		for (size_t k = 0; k < w->oracle.fork_count; k++)
			if (op->kind == REQUEST_TXN && first_of(&w->oracle.histories[k], op))
				oracle_fail(w, INV_ANSWER, "not sent, but it was done");
	}
}
