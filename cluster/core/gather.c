/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The leader's side of proposals: what comes while a sync runs gathers and becomes one APPEND and one
 * transaction. Pure. */
#include "cluster/core/replica_private.h"

#include <stdio.h>

static struct gathered *gathered_new(enum request_kind kind, const struct uuid *id, uint64_t first,
				     const void *payload, size_t size)
{
	struct gathered *g = xcalloc(1, sizeof(*g) + size);

	list_init(&g->node);
	list_init(&g->by_id);
	g->kind = kind;
	g->id = *id;
	g->first = first;
	g->payload_size = size;
	if (size)
		memcpy(g->payload, payload, size);
	return g;
}

static bool is_gathered(struct replica *r, const struct uuid *id)
{
	LIST_FOREACH (by_id_list(&r->gathered_by_id, id), g, struct gathered, by_id)
		if (uuid_equal(&g->id, id))
			return true;
	LIST_FOREACH (&r->changes, g, struct gathered, node)
		if (uuid_equal(&g->id, id))
			return true;
	return false;
}

static void gather(struct replica *r, struct gathered *g)
{
	bool is_change = g->kind == REQUEST_ADD_VOTER || g->kind == REQUEST_REMOVE_VOTER ||
			 g->kind == REQUEST_LEVEL;

	if (is_gathered(r, &g->id) || r->gathered_count >= GATHERED_MAX ||
	    r->gathered_bytes > GATHERED_BYTES) {
		free(g); /* its origin asks again */
		return;
	}
	if (is_change) {
		change_add(r, g);
		return;
	}
	list_append(&r->gathered, &g->node);
	list_append(by_id_list(&r->gathered_by_id, &g->id), &g->by_id);
	r->gathered_count++;
	r->gathered_bytes += g->payload_size;
}

void gather_request(struct replica *r, const struct request *q)
{
	uint64_t first = MUTANT(r, FIRST_RENEWED) ? r->state->at.index : q->first;
	struct gathered *g = gathered_new(q->kind, &q->id, first, q->payload, q->payload_size);

	g->when = q->when;
	memcpy(g->origin, r->name, sizeof(g->origin));
	memcpy(g->who, q->who, sizeof(g->who));
	gather(r, g);
}

void propose_message(struct replica *r, struct peer *peer, const struct message *m)
{
	const struct msg_propose *p = &m->propose;
	struct gathered *g;

	(void)peer;
	if (r->role != ROLE_LEADING || p->epoch != r->leader_epoch || p->kind == 0 ||
	    p->kind >= REQUEST_COUNT)
		return;
	g = gathered_new(p->kind, &p->id, p->first, p->payload, p->payload_size);
	g->when = p->when;
	memcpy(g->origin, p->origin, sizeof(g->origin));
	memcpy(g->who, p->who, sizeof(g->who));
	gather(r, g);
}

static void gathered_free(struct gathered *g)
{
	list_remove(&g->node);
	list_remove(&g->by_id);
	free(g);
}

static void drop_list(struct list *list)
{
	LIST_FOREACH (list, g, struct gathered, node)
		gathered_free(g);
}

void gather_drop(struct replica *r)
{
	drop_list(&r->gathered);
	drop_list(&r->changes);
	r->gathered_count = r->gathered_bytes = r->change_count = 0;
}

/* An own request that is given up: what did not get into the log must not get there any more. */
void gather_forget(struct replica *r, const struct uuid *id)
{
	LIST_FOREACH (by_id_list(&r->gathered_by_id, id), g, struct gathered, by_id) {
		if (!uuid_equal(&g->id, id))
			continue;
		r->gathered_count--;
		r->gathered_bytes -= g->payload_size;
		gathered_free(g);
	}
	LIST_FOREACH (&r->changes, g, struct gathered, node) {
		if (!uuid_equal(&g->id, id))
			continue;
		r->change_count--;
		gathered_free(g);
	}
}

static void make_entry(struct replica *r, struct persist *p, struct entry *e)
{
	autobuf data = BUF_INIT;

	e->previous = log_last(&r->log);
	e->at = (struct position){.epoch = r->leader_epoch, .index = e->previous.index + 1};
	entry_encode(e, log_last_hash(&r->log), &data);
	write_append(r, p, log_entry_new(e, data.data, data.size));
}

/* To the disk and to the group at the same time. */
static void lead_write(struct replica *r, struct persist *p)
{
	uint64_t from = p->entries[0]->at.index;

	r->meta.accepted = log_last(&r->log);
	voters_refresh(r);
	write_queue(r, p);
	if (r->role == ROLE_LEADING)
		append_send(r, 0, from);
}

void lead_append_one(struct replica *r, enum entry_kind kind, const void *payload, size_t size)
{
	struct persist *p = write_new(r);
	struct entry e = {.kind = kind, .payload = payload ? payload : "", .payload_size = size};

	snprintf(e.origin, sizeof(e.origin), "%s", r->name);
	make_entry(r, p, &e);
	lead_write(r, p);
}

static void request_mark_sent(struct replica *r, const struct uuid *id)
{
	LIST_FOREACH (by_id_list(&r->requests_by_id, id), q, struct request, by_id)
		if (uuid_equal(&q->id, id))
			q->is_sent = true;
}

static void append_gathered(struct replica *r, struct persist *p, struct gathered *g)
{
	struct entry e = {.kind = ENTRY_TXN,
			  .first = g->first,
			  .when = g->when,
			  .payload = g->payload,
			  .payload_size = g->payload_size};

	if (g->kind == REQUEST_BARRIER) {
		e.kind = ENTRY_BARRIER;
		e.payload = g->id.bytes;
		e.payload_size = sizeof(g->id.bytes);
	}
	memcpy(e.origin, g->origin, sizeof(e.origin));
	memcpy(e.who, g->who, sizeof(e.who));
	make_entry(r, p, &e);
	request_mark_sent(r, &g->id);
}

/* A transaction that would not be understood at application must not get into the log. */
static bool is_sound(const struct gathered *g)
{
	struct txn txn;

	if (g->kind != REQUEST_TXN)
		return true;
	if (txn_decode(g->payload, g->payload_size, &txn, NULL) < 0)
		return false;
	txn_fini(&txn);
	return true;
}

static bool has_own_write(const struct replica *r)
{
	for (size_t i = 0; i < r->write_count; i++)
		if (r->writes[(r->write_first + i) % WRITES_MAX].is_mine)
			return true;
	return false;
}

void gather_flush(struct replica *r)
{
	struct persist *p;
	size_t bytes = 0;

	if (!replica_leads(r) || list_is_empty(&r->gathered) || has_own_write(r) ||
	    write_is_full(r))
		return;
	p = write_new(r);
	LIST_FOREACH (&r->gathered, g, struct gathered, node) {
		bytes += g->payload_size;
		if (p->entry_count > 0 && (p->entry_count == r->options.append_entries ||
					   bytes > r->options.append_bytes))
			break;
		if (is_sound(g))
			append_gathered(r, p, g);
		r->gathered_count--;
		r->gathered_bytes -= g->payload_size;
		gathered_free(g);
	}
	if (p->entry_count > 0)
		lead_write(r, p);
	else
		persist_free(p);
}
