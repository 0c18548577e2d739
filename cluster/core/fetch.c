/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Catching up: a member asks its leader for what is missing; the answer is an APPEND from where the logs meet, or
 * a snapshot. Pure. */
#include "cluster/core/replica_private.h"

void fetch_send(struct replica *r)
{
	struct message m = {.type = MSG_FETCH};
	struct msg_fetch *f = &m.fetch;
	const struct log_entry *e = log_at(&r->log, r->commit);
	/* once something is verified, from there: what follows in the log may be another epoch's, and the leader would
	 * answer with the same entries again and again */
	const struct log_entry *verified = r->meta.accepted.epoch == r->leader_epoch
						   ? log_at(&r->log, r->meta.accepted.index)
						   : NULL;

	/* new entries keep the timer from running out: a lost answer has a time of its own */
	if (r->is_fetching &&
	    (r->now < r->fetched_at + r->options.timeout || MUTANT(r, FETCH_ONCE)))
		return;
	if (r->role != ROLE_FOLLOWING || r->installing)
		return;
	r->is_fetching = true;
	r->fetched_at = r->now;
	f->to = r->leader;
	f->epoch = r->leader_epoch;
	f->position = log_last(&r->log);
	memcpy(f->position_hash, log_last_hash(&r->log), SHA256_SIZE);
	if (verified && !MUTANT(r, FETCH_FROM_END)) {
		f->position = verified->at;
		memcpy(f->position_hash, verified->hash, SHA256_SIZE);
	}
	f->committed = e ? e->at : r->log.base;
	memcpy(f->committed_hash, e ? e->hash : r->log.base_hash, SHA256_SIZE);
	f->values = r->wants_whole ? 0 : (uint32_t)kv_count(r->state->kv);
	f->list = r->staging.at.index ? r->staging.list : r->listing.id;
	f->snapshot = r->staging.at.index;
	f->offset = r->staging.data.size;
	replica_send(r, &m);
}

static void answer(struct replica *r, struct peer *peer, uint64_t from)
{
	serve_end(r, peer->node);
	append_send(r, peer->node, from);
}

static bool holds(const struct replica *r, struct position at, const uint8_t hash[SHA256_SIZE])
{
	const uint8_t *own = log_hash_of(&r->log, at);

	return own && memcmp(own, hash, SHA256_SIZE) == 0;
}

void fetch_message(struct replica *r, struct peer *peer, const struct message *m)
{
	const struct msg_fetch *f = &m->fetch;

	if (f->to != r->options.node)
		return;
	if (r->role != ROLE_LEADING || f->epoch != r->leader_epoch) {
		refuse(r, peer, f->epoch);
		return;
	}
	if (holds(r, f->position, f->position_hash))
		answer(r, peer, f->position.index + 1);
	else if (f->snapshot == 0 && holds(r, f->committed, f->committed_hash))
		answer(r, peer, f->committed.index + 1);
	else
		serve(r, peer, f);
}
