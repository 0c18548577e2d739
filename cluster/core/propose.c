/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S6: requests of this node, from asking to the answer. A request is proposed to each leader that comes, always
 * with the same id; application sees to it that it happens once. Pure. */
#include "cluster/core/replica_private.h"

void request_answer(struct replica *r, struct request *q, const struct store_result *result)
{
	struct answer *a = xcalloc(1, sizeof(*a));

	a->handle = q->handle;
	a->id = q->id;
	a->first = q->first;
	a->result = *result;
	effects_add(r->out, EFFECT_ANSWER)->answer = a;
	list_remove(&q->node);
	list_remove(&q->by_id);
	if (--r->request_count == 0)
		r->request_deadline = 0;
	free(q);
}

/* Certainly not done only if it was never sent, now or in an earlier attempt. */
void request_give_up(struct replica *r, struct request *q, const char *why)
{
	struct store_result result = {.outcome = STORE_NOT_SENT};
	bool is_unknown = q->is_sent && !MUTANT(r, NO_QUORUM_AFTER_SEND);

	if (!MUTANT(r, GIVEN_UP_APPENDED))
		gather_forget(r, &q->id);
	if (is_unknown || q->is_repeat) {
		result.outcome = STORE_UNKNOWN;
		err_set(&result.err, ERR_UNKNOWN, "%s: whether it was done is not known", why);
	} else {
		err_set(&result.err, ERR_UNAVAILABLE, "%s: not done", why);
	}
	request_answer(r, q, &result);
}

void requests_leave(struct replica *r, const char *why)
{
	LIST_FOREACH (&r->requests, q, struct request, node)
		request_give_up(r, q, why);
}

/* A node alone whose disk took nothing back: what it appended was heard by nobody. */
void requests_rolled_back(struct replica *r)
{
	LIST_FOREACH (&r->requests, q, struct request, node)
		q->is_sent = false;
}

static void request_send(struct replica *r, struct request *q)
{
	struct message m = {.type = MSG_PROPOSE};
	struct msg_propose *p = &m.propose;

	if (r->role == ROLE_LEADING) {
		gather_request(r, q);
		return;
	}
	if (r->role != ROLE_FOLLOWING || !replica_has_company(r))
		return;
	p->epoch = r->leader_epoch;
	p->kind = (uint8_t)q->kind;
	p->id = q->id;
	p->first = MUTANT(r, FIRST_RENEWED) ? r->state->at.index : q->first;
	p->when = q->when;
	memcpy(p->origin, r->name, sizeof(p->origin));
	memcpy(p->who, q->who, sizeof(p->who));
	p->payload = q->payload;
	p->payload_size = q->payload_size;
	q->is_sent = true;
	replica_send(r, &m);
}

void requests_send(struct replica *r)
{
	LIST_FOREACH (&r->requests, q, struct request, node)
		request_send(r, q);
}

static bool is_over(const struct replica *r, const struct request *q)
{
	return q->deadline && r->now >= q->deadline;
}

static void note_deadline(struct replica *r, usec_t deadline)
{
	if (deadline && (!r->request_deadline || deadline < r->request_deadline))
		r->request_deadline = deadline;
}

void requests_check(struct replica *r)
{
	bool is_hopeless =
		r->role != ROLE_FOLLOWING && r->role != ROLE_OPENING && !claim_is_possible(r);

	if (!is_hopeless && (!r->request_deadline || r->now < r->request_deadline))
		return;
	r->request_deadline = 0;
	LIST_FOREACH (&r->requests, q, struct request, node) {
		if (is_over(r, q))
			request_give_up(r, q, "no answer in time");
		else if (is_hopeless && !q->is_sent)
			request_give_up(r, q, "no quorum");
		else
			note_deadline(r, q->deadline);
	}
}

static struct request *request_new(struct replica *r, const struct event_propose *p)
{
	struct request *q = xcalloc(1, sizeof(*q) + p->payload_size);
	size_t n = p->who ? strlen(p->who) : 0;

	q->handle = p->handle;
	q->kind = p->kind;
	q->id = p->id;
	q->is_repeat = p->first != 0;
	/* Never 0, which means a first asking; index 1 of a cluster is its list of voters. */
	q->first = q->is_repeat ? p->first : r->state->at.index ? r->state->at.index : 1;
	q->when = p->when;
	q->deadline = p->deadline;
	if (n >= sizeof(q->who))
		n = sizeof(q->who) - 1;
	if (n)
		memcpy(q->who, p->who, n);
	q->payload_size = p->payload_size;
	if (p->payload_size)
		memcpy(q->payload, p->payload, p->payload_size);
	list_append(&r->requests, &q->node);
	list_append(by_id_list(&r->requests_by_id, &q->id), &q->by_id);
	r->request_count++;
	note_deadline(r, q->deadline);
	return q;
}

/* What an admin asks for and can be judged here at once: NULL, or why not. */
static const char *voters_objection(const struct replica *r, const struct event_propose *p)
{
	struct cursor c = cursor_on(p->payload, p->payload_size);
	const struct member *same_node;
	struct member member = {0};

	if (p->kind != REQUEST_ADD_VOTER && p->kind != REQUEST_REMOVE_VOTER)
		return NULL;
	member_decode(&c, &member);
	if (c.failed || cursor_left(&c) != 0 || member.node == 0)
		return "not a member";
	same_node = voters_node(&r->voters, member.node);
	if (p->kind == REQUEST_ADD_VOTER) {
		if (same_node && !member_equal(same_node, &member))
			return "the node's old database must be removed from the voters first";
		return r->voters.count == VOTERS_MAX && !same_node ? "too many voters" : NULL;
	}
	if (r->voters.count == 1 && same_node)
		return "the last voter cannot be removed";
	if (r->voters.count == 2 && same_node && !p->insists)
		return "one disk alone would hold the cluster's state";
	return NULL;
}

void on_propose(struct replica *r, const struct event *event)
{
	const struct event_propose *p = &event->propose;
	struct request *q = request_new(r, p);
	const char *objection = voters_objection(r, p);

	if (r->role == ROLE_LEFT || r->role == ROLE_WAITING) {
		request_give_up(r, q,
				r->role == ROLE_LEFT ? "the store has stopped here"
						     : "this node belongs to no cluster");
		return;
	}
	if (r->request_count > REPLICA_REQUESTS_MAX) {
		request_give_up(r, q, "too many requests wait");
		return;
	}
	if (objection) {
		request_give_up(r, q, objection);
		return;
	}
	if (MUTANT(r, NO_REQUESTS) || !apply_answer_known(r, q))
		request_send(r, q);
}
