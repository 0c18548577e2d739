/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The transactions that the disk writer owes, and what became true with each. What may only be said once
 * something is on disk looks at `durable` alone. Pure. */
#include "cluster/core/replica_private.h"

struct persist *write_new(struct replica *r)
{
	(void)r;
	return xcalloc(1, sizeof(struct persist));
}

bool write_is_full(const struct replica *r)
{
	return r->write_count + 16 > WRITES_MAX;
}

static struct write *write_at(struct replica *r, size_t i)
{
	return &r->writes[(r->write_first + i) % WRITES_MAX];
}

void write_queue(struct replica *r, struct persist *p)
{
	if (r->write_count == WRITES_MAX) {
		persist_free(p);
		replica_leave(r, false, "the disk has fallen far behind");
		return;
	}
	p->ticket = ++r->ticket;
	p->meta = r->meta;
	*write_at(r, r->write_count++) =
		(struct write){.ticket = p->ticket,
			       .last = log_last(&r->log).index,
			       .promised = r->meta.promised,
			       .accepted = r->meta.accepted,
			       .is_snapshot = p->snapshot.size > 0,
			       .is_mine = p->entry_count > 0 && r->role == ROLE_LEADING};
	effects_add(r->out, EFFECT_PERSIST)->persist = p;
}

/* What earlier transactions bring to disk counts only up to the cut. */
static void forget_durable(struct replica *r, uint64_t from)
{
	if (r->durable_index >= from)
		r->durable_index = from - 1;
	for (size_t i = 0; i < r->write_count; i++)
		if (write_at(r, i)->last >= from)
			write_at(r, i)->last = from - 1;
}

void write_cut(struct replica *r, struct persist *p, uint64_t from)
{
	log_cut(&r->log, from);
	p->cut_from = from;
	forget_durable(r, from);
}

void write_append(struct replica *r, struct persist *p, struct log_entry *e)
{
	p->entries = xrealloc(p->entries, p->entry_count + 1, sizeof(p->entries[0]));
	p->entries[p->entry_count++] = log_entry_ref(e);
	log_append(&r->log, e);
}

static void opened(struct replica *r)
{
	r->is_opened = true;
	r->role = uuid_is_zero(&r->meta.cluster) ? ROLE_WAITING : ROLE_SEEKING;
	r->peers[0].is_known = true;
	if (r->role == ROLE_SEEKING)
		round_start(r);
}

void on_persisted(struct replica *r, const struct event *event)
{
	while (r->write_count > 0 && write_at(r, 0)->ticket <= event->persisted) {
		struct write w = *write_at(r, 0);

		r->write_first = (r->write_first + 1) % WRITES_MAX;
		r->write_count--;
		if (w.last > r->durable_index)
			r->durable_index = w.last;
		r->durable = (struct measure){
			.start = r->meta.start, .promised = w.promised, .accepted = w.accepted};
		if (w.is_snapshot)
			snapshot_installed(r);
		if (!r->is_opened)
			opened(r);
	}
}

void on_persist_failed(struct replica *r, const struct event *event)
{
	if (MUTANT(r, MUTE_AFTER_FAILED_SYNC)) {
		struct event done = {.type = EV_PERSISTED, .persisted = event->failed.ticket};

		on_persisted(r, &done);
		return;
	}
	if (event->failed.is_full && !r->options.has_group)
		requests_rolled_back(r);
	if (event->failed.is_full)
		replica_leave(r, false, "the disk is full");
	else
		replica_leave(r, true, "the disk failed to sync: nobody knows what it holds");
}
