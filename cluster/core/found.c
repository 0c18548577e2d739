/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Acts of an admin on one node: founding, joining, and S12, going on without the majority. Pure. */
#include "cluster/core/replica_private.h"

static void append_own(struct replica *r, enum entry_kind kind, const struct uuid *id)
{
	struct voters self = {.count = 1, .items = {replica_self(r).member}};
	struct position last = log_last(&r->log);
	struct entry e = {.kind = kind,
			  .at = {.epoch = r->meta.promised, .index = last.index + 1},
			  .previous = last};
	struct persist *p = write_new(r);
	autobuf payload = BUF_INIT, data = BUF_INIT;

	voters_payload_encode(id, &self, &payload);
	e.payload = payload.data;
	e.payload_size = payload.size;
	memcpy(e.origin, r->name, sizeof(e.origin));
	entry_encode(&e, log_last_hash(&r->log), &data);
	write_append(r, p, log_entry_new(&e, data.data, data.size));
	r->meta.accepted = e.at;
	voters_refresh(r);
	write_queue(r, p);
}

static void promise_self(struct replica *r, uint64_t epoch)
{
	r->meta.promised = epoch;
	r->meta.promised_to = replica_self(r);
	r->meta.promised_at = log_last(&r->log);
}

void on_found(struct replica *r, const struct event *event)
{
	if (r->role != ROLE_WAITING)
		return;
	r->meta.cluster = event->cluster;
	promise_self(r, 1);
	append_own(r, ENTRY_VOTERS, &(struct uuid){0});
	r->role = ROLE_SEEKING;
	r->is_vetted = true; /* nobody can have seen anything of it */
}

void on_join(struct replica *r, const struct event *event)
{
	if (r->role != ROLE_WAITING)
		return;
	r->meta.cluster = event->join.cluster;
	r->meta.fork = event->join.fork;
	write_queue(r, write_new(r));
	r->role = ROLE_SEEKING;
	round_start(r);
}

/* The highest position that a reachable survivor told of. */
static struct position highest_of_others(const struct replica *r)
{
	struct position highest = {0};

	for (size_t i = 1; i < r->peer_count; i++)
		if (r->peers[i].is_in_view && position_compare(r->peers[i].position, highest) > 0)
			highest = r->peers[i].position;
	return highest;
}

/* All that is in the log will be applied: a program too old for it would stop right behind the fork. */
static bool knows_log(const struct replica *r)
{
	for (size_t i = 0; i < r->log.count; i++)
		if (!state_knows(r->log.items[i], r->options.level))
			return false;
	return true;
}

/* Everything in the log is the base of the new fork; this node is its only voter. The epoch is above all that was
 * heard of, so that no entry of the old fork shares a position with one of the new. */
void on_force(struct replica *r, const struct event *event)
{
	struct position highest = highest_of_others(r);

	*event->force.ret = -ERR_BUSY;
	if (!r->is_opened || r->role == ROLE_WAITING || r->installing || write_is_full(r) ||
	    log_last(&r->log).index == 0)
		return;
	*event->force.ret = -ERR_CONFLICT;
	if (position_compare(log_last(&r->log), highest) < 0 && !event->force.insists)
		return;
	*event->force.ret = -ERR_UNSUPPORTED;
	if (!knows_log(r))
		return;
	*event->force.ret = 0;
	lead_stop(r);
	r->role = ROLE_SEEKING;
	r->is_vetted = true; /* the admin has looked */
	r->leader = 0;
	r->is_fetching = false;
	r->round_is_open = false;
	r->owed_promise = 0;
	staging_drop(r);
	promise_self(r, replica_floor(r) + 1);
	r->meta.fork = event->force.fork;
	append_own(r, ENTRY_FORK, &event->force.fork);
}
