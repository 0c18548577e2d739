/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proposals, from submission to their answer. Those that the replica does not take yet wait here. */
#include "cluster/driver/driver.h"

#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "cluster/core/txn.h"

#define DEFAULT_TIMEOUT (30 * USEC_PER_SEC)
#define WAITING_MAX	8192
#define WAITING_BYTES	(64u * 1024 * 1024)
#define OUTBOX_CROWDED	256 /* datagrams: the group does not keep up */

static void proposal_answer(struct proposal *p, const struct store_result *result)
{
	list_remove(&p->node); /* first: the callback may submit */
	p->done(result, p->ctx);
	buf_fini(&p->payload);
	free(p);
}

void store_proposals_drop(struct list *proposals)
{
	LIST_FOREACH (proposals, p, struct proposal, node) {
		buf_fini(&p->payload);
		free(p);
	}
}

void store_fail_all(struct list *proposals, enum store_outcome outcome, const struct err *why)
{
	struct store_result result = {.outcome = outcome, .err = *why};

	while (!list_is_empty(proposals))
		proposal_answer(CONTAINER_OF(proposals->next, struct proposal, node), &result);
}

/* Those that the callbacks add are not among them. */
void store_fail_waiting(struct store *store, const struct err *why)
{
	struct list failed;

	list_init(&failed);
	LIST_FOREACH (&store->waiting, p, struct proposal, node) {
		list_remove(&p->node);
		list_append(&failed, &p->node);
	}
	store->waiting_count = store->waiting_bytes = 0;
	store_fail_all(&failed, STORE_NOT_SENT, why);
}

static void forget_waiting(struct store *store, struct proposal *p)
{
	list_remove(&p->node);
	store->waiting_count--;
	store->waiting_bytes -= p->payload.size;
}

static int check_room(const struct store *store, struct err *err)
{
	if (store->read_only && !store->is_down)
		return err_set(err, ERR_UNAVAILABLE, "%s", store->read_only);
	if (store->waiting_count >= WAITING_MAX || store->waiting_bytes > WAITING_BYTES ||
	    store->outbox_count > OUTBOX_CROWDED)
		return err_set(err, ERR_BUSY, "too many changes wait for the disk; try again");
	return 0;
}

/* What has waited longest goes first. */
static void enqueue(struct store *store, struct proposal *p)
{
	if (uuid_is_zero(&p->id))
		random_bytes(p->id.bytes, sizeof(p->id.bytes));
	if (!p->deadline)
		p->deadline = clock_monotonic() + DEFAULT_TIMEOUT;
	list_append(&store->waiting, &p->node);
	store->waiting_count++;
	store->waiting_bytes += p->payload.size;
	store_wake(store);
}

int store_submit(struct store *store, const struct store_txn *txn, store_done_fn done, void *ctx,
		 struct err *err)
{
	struct store_txn copy = *txn;
	struct proposal *p;
	int r = txn_check(txn, err);

	if (r < 0 || (r = check_room(store, err)) < 0)
		return r;
	p = xcalloc(1, sizeof(*p));
	memcpy(p->id.bytes, txn->id.bytes, sizeof(p->id.bytes));
	if (uuid_is_zero(&p->id))
		random_bytes(p->id.bytes, sizeof(p->id.bytes));
	memcpy(copy.id.bytes, p->id.bytes, sizeof(p->id.bytes));
	txn_encode(&copy, &p->payload);
	str_copy(p->who, sizeof(p->who), txn->who ? txn->who : "");
	p->kind = REQUEST_TXN;
	p->first = txn->first;
	p->deadline = txn->deadline;
	p->done = done;
	p->ctx = ctx;
	enqueue(store, p);
	return 0;
}

int store_ask(struct store *store, enum request_kind kind, struct buf *payload, store_done_fn done,
	      void *ctx, struct err *err)
{
	struct proposal *p;
	int r = check_room(store, err);

	if (r < 0)
		return r;
	p = xcalloc(1, sizeof(*p));
	p->kind = kind;
	p->payload = *payload;
	*payload = BUF_INIT;
	p->done = done;
	p->ctx = ctx;
	enqueue(store, p);
	return 0;
}

static void propose(struct store *store, struct proposal *p)
{
	struct event ev = {.type = EV_PROPOSE,
			   .propose = {.handle = (uint64_t)(uintptr_t)p,
				       .kind = p->kind,
				       .id = p->id,
				       .first = p->first,
				       .deadline = p->deadline,
				       .when = clock_wall(),
				       .who = p->who,
				       .payload = p->payload.data,
				       .payload_size = p->payload.size}};

	forget_waiting(store, p);
	list_append(&store->asked, &p->node);
	store->asked_count++;
	store_step(store, &ev);
}

void store_propose_waiting(struct store *store)
{
	while (!list_is_empty(&store->waiting) && !store->is_down &&
	       store->asked_count < REPLICA_REQUESTS_MAX)
		propose(store, CONTAINER_OF(store->waiting.next, struct proposal, node));
}

void store_answered(struct store *store, const struct answer *answer)
{
	struct proposal *p = (struct proposal *)(uintptr_t)answer->handle;
	struct store_result result = answer->result;

	result.first = answer->first;
	store->asked_count--;
	proposal_answer(p, &result);
}

/* The replica has its own deadlines for those that it was given. */
void store_proposals_expire(struct store *store, usec_t now)
{
	struct list expired;
	struct err err = ERR_INIT;

	list_init(&expired);
	LIST_FOREACH (&store->waiting, p, struct proposal, node) {
		if (p->deadline > now)
			continue;
		forget_waiting(store, p);
		list_append(&expired, &p->node);
	}
	err_set(&err, ERR_TIMEOUT, "the store did not get to this change in time; it was not made");
	store_fail_all(&expired, STORE_NOT_SENT, &err);
}

usec_t store_proposals_earliest(const struct store *store, usec_t so_far)
{
	LIST_FOREACH (&store->waiting, p, struct proposal, node)
		if (so_far == 0 || p->deadline < so_far)
			so_far = p->deadline;
	return so_far;
}
