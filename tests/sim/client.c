/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Load: transactions with preconditions on a few keys, asked again after `unknown`; and an admin. */
#include <stdio.h>
#include <string.h>

#include "cluster/core/txn.h"
#include "tests/sim/sim.h"

static const char *const keys[SIM_KEYS] = {"/k0", "/k1", "/k2", "/k3"};

static struct node *random_node(struct world *w)
{
	for (int i = 0; i < 12; i++) {
		struct node *n = &w->nodes[rng_below(&w->rng, w->node_count)];

		if (n->replica && !n->is_paused && replica_role(n->replica) != ROLE_WAITING)
			return n;
	}
	return NULL;
}

static void ask(struct world *w, struct node *n, size_t i)
{
	usec_t patience = w->ops[i].kind == REQUEST_TXN ? 9000 * MS : CLIENT_ADMIN_PATIENCE;
	struct op *op = &w->ops[i];
	struct event ev = {
		.type = EV_PROPOSE,
		.propose = {.handle = i,
			    .kind = op->kind,
			    .id = op->id,
			    .first = op->first,
			    .deadline = w->now + rng_between(&w->rng, 1500 * MS, patience),
			    .who = "client",
			    .payload = op->payload->data,
			    .payload_size = op->payload->size,
			    .insists = true}};

	op->state = OP_WAITING;
	op->node = n->at;
	op->pid = n->pid;
	op->attempts++;
	node_step(w, n, &ev);
}

static struct op *op_new(struct world *w, enum request_kind kind)
{
	struct op *op;

	if (w->op_count == SIM_OPS)
		return NULL;
	op = &w->ops[w->op_count++];
	*op = (struct op){.kind = kind, .asked_after = w->oracle.answered};
	rng_uuid(&w->rng, &op->id);
	return op;
}

static void make_txn(struct world *w, struct node *n, struct op *op, bool is_plain)
{
	struct store_precondition pre[2];
	struct store_op ops[2];
	char value[2][48];
	struct store_txn txn = {.preconditions = pre, .ops = ops, .who = "client"};
	autobuf data = BUF_INIT;

	memcpy(txn.id.bytes, op->id.bytes, sizeof(txn.id.bytes));
	while (!is_plain && txn.precondition_count < 2 && rng_chance(&w->rng, 40)) {
		const char *key = keys[rng_below(&w->rng, SIM_KEYS)];
		const struct kv_item *item = kv_get(replica_state(n->replica)->kv, key);

		pre[txn.precondition_count++] = (struct store_precondition){
			.path = key, .version = item ? item->version : 0};
	}
	do {
		size_t i = txn.op_count++;
		unsigned what = is_plain ? 0 : (unsigned)rng_below(&w->rng, 10);

		ops[i] = (struct store_op){.kind = STORE_PUT,
					   .path = keys[rng_below(&w->rng, SIM_KEYS)]};
		if (what == 8) {
			ops[i].kind = STORE_DELETE;
		} else if (what == 9) {
			ops[i].kind = STORE_RENAME;
			ops[i].to = keys[rng_below(&w->rng, SIM_KEYS)];
		} else {
			snprintf(value[i], sizeof(value[i]), "%zu.%zu %016llx", w->op_count, i,
				 (unsigned long long)rng_next(&w->rng));
			ops[i].value = value[i];
			ops[i].size = strlen(value[i]);
		}
	} while (txn.op_count < 2 && rng_chance(&w->rng, 25));
	txn_encode(&txn, &data);
	op->payload = blob_new(data.data, data.size);
}

void client_write(struct world *w, bool is_probe)
{
	struct node *n = random_node(w);

	if (n)
		client_write_at(w, n, is_probe);
}

void client_write_at(struct world *w, struct node *n, bool is_probe)
{
	struct op *op = op_new(w, REQUEST_TXN);

	if (!op)
		return;
	op->is_probe = is_probe;
	if (!is_probe && rng_chance(&w->rng, 4)) {
		op->kind = REQUEST_BARRIER;
		op->payload = blob_new(NULL, 0);
	} else if (!is_probe && rng_chance(&w->rng, 2)) {
		static const uint8_t level[4] = {SIM_LEVEL};

		op->kind = REQUEST_LEVEL;
		op->payload = blob_new(level, sizeof(level));
	} else {
		make_txn(w, n, op, is_probe);
	}
	ask(w, n, (size_t)(op - w->ops));
}

bool client_admin(struct world *w, enum request_kind kind, const struct member *member)
{
	struct node *n = random_node(w);

	return n && client_admin_at(w, n, kind, member);
}

bool client_admin_at(struct world *w, struct node *n, enum request_kind kind,
		     const struct member *member)
{
	struct op *op = op_new(w, kind);
	autobuf data = BUF_INIT;

	if (!op)
		return false;
	member_encode(member, &data);
	op->payload = blob_new(data.data, data.size);
	ask(w, n, (size_t)(op - w->ops));
	return true;
}

void client_retry(struct world *w, size_t i)
{
	struct node *n = random_node(w);

	if (n && w->ops[i].state == OP_ENDED)
		ask(w, n, i);
}

void client_answered(struct world *w, struct node *n, const struct answer *answer)
{
	struct op *op = &w->ops[answer->handle];
	enum store_outcome outcome = answer->result.outcome;
	bool again = false;

	op->state = OP_ENDED;
	op->outcome = outcome;
	op->version = answer->result.version;
	if (w->coverage)
		w->coverage->outcomes[outcome]++;
	oracle_answer(w, n, op, answer);
	world_say(w, "n%u answers %llu: %d, version %llu %s", n->id,
		  (unsigned long long)answer->handle, outcome,
		  (unsigned long long)answer->result.version, answer->result.err.message);
	if (outcome == STORE_UNKNOWN) {
		op->unknowns++;
		op->first = answer->first;
		again = rng_chance(&w->rng, 70);
	} else if (outcome == STORE_NOT_SENT) {
		again = rng_chance(&w->rng, 30);
	}
	if (again && op->attempts < 4 && !w->is_ending && op->kind == REQUEST_TXN)
		world_add(w, (struct happening){.at = w->now + rng_between(&w->rng, 1, 4000) * MS,
						.kind = HAPPEN_RETRY,
						.number = answer->handle});
}

void client_lost(struct world *w, const struct node *n)
{
	for (size_t i = 0; i < w->op_count; i++)
		if (w->ops[i].state == OP_WAITING && w->ops[i].pid == n->pid)
			w->ops[i].state = OP_LOST;
}
