/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S9: catching up by state. The leader encodes its state once and sends it in chunks, as many as the window
 * allows for each FETCH; the member stages them and swaps them in with one transaction. Pure. */
#include "cluster/core/difference.h"
#include "cluster/core/replica_private.h"

#define SNAPSHOT_MAX (2ull * STORE_TOTAL_MAX)

static void take(struct replica *r)
{
	buf_clear(&r->snapshot);
	state_encode(r->state, &r->snapshot);
	r->snapshot_at = r->state->at;
	memcpy(r->snapshot_hash, r->state->hash, SHA256_SIZE);
}

static size_t send_chunk(struct replica *r, uint32_t to, uint64_t offset)
{
	size_t left = r->snapshot.size - (size_t)offset;
	struct message m = {.type = MSG_SNAPSHOT,
			    .snapshot = {.to = to,
					 .epoch = r->leader_epoch,
					 .at = r->snapshot_at,
					 .total = r->snapshot.size,
					 .offset = offset,
					 .data = r->snapshot.data + offset,
					 .size = left < r->options.chunk_bytes
							 ? left
							 : r->options.chunk_bytes}};

	memcpy(m.snapshot.hash, r->snapshot_hash, SHA256_SIZE);
	replica_send(r, &m);
	return m.snapshot.size;
}

void snapshot_send(struct replica *r, struct peer *peer, const struct msg_fetch *fetch)
{
	uint64_t offset = fetch->offset;

	if (r->snapshot.size == 0 || fetch->snapshot != r->snapshot_at.index ||
	    offset >= r->snapshot.size) {
		offset = 0;
		/* what lies below the log could not be continued from */
		if (r->snapshot.size == 0 || r->snapshot_at.index < r->log.base.index ||
		    r->snapshot_at.index <= fetch->committed.index)
			take(r);
	}
	for (size_t i = 0; i < r->options.chunk_window && offset < r->snapshot.size; i++)
		offset += send_chunk(r, peer->node, offset);
}

void staging_drop(struct replica *r)
{
	buf_fini(&r->staging.data);
	r->staging = (struct staging){0};
}

#ifdef LODGE_MUTANTS
static void mutate(struct replica *r, struct state *s)
{
	if (MUTANT(r, SNAPSHOT_WITHOUT_VOTERS))
		s->voters = r->state->voters;
	if (MUTANT(r, SNAPSHOT_WITHOUT_REQUESTS))
		state_forget_requests(s);
}
#endif

/* Swapped in on disk with one transaction; the own state follows once that is confirmed. */
static void install(struct replica *r, const struct message *m)
{
	struct persist *p;
	struct state *s;

	if (state_decode(r->staging.data.data, r->staging.data.size, &s, NULL) < 0) {
		staging_drop(r);
		return;
	}
	if (position_compare(s->at, m->snapshot.at) != 0 ||
	    memcmp(s->hash, m->snapshot.hash, SHA256_SIZE) != 0) {
		state_free(s);
		staging_drop(r);
		return;
	}
#ifdef LODGE_MUTANTS
	mutate(r, s);
#endif
	kv_keep_requests(s->kv, r->options.requests_kept);
	kv_hash_start(s->kv);
	p = write_new(r);
	p->snapshot = r->staging.data;
	r->staging.data = BUF_INIT;
	staging_drop(r);
	write_cut(r, p, 1);
	p->cut_from = 0; /* the snapshot replaces the log */
	log_reset(&r->log, s->at, s->hash);
	r->installing = s;
	if (m->snapshot.epoch > r->meta.promised) {
		r->meta.promised = m->snapshot.epoch;
		r->meta.promised_to = m->from;
		r->meta.promised_at = (struct position){0};
	}
	r->meta.accepted = (struct position){.epoch = m->snapshot.epoch, .index = s->at.index};
	replica_commit_raise(r, s->at.index, m->snapshot.epoch);
	voters_refresh(r);
	write_queue(r, p);
	if (MUTANT(r, EARLY_INSTALL))
		r->durable.accepted = r->meta.accepted;
}

void snapshot_installed(struct replica *r)
{
	struct applied *a;

	if (!r->installing)
		return;
	a = xcalloc(1, sizeof(*a));
	a->index = r->installing->at.index;
	difference_each(r->state->kv, r->installing->kv, apply_collect, a);
	state_free(r->state);
	r->state = TAKE(r->installing);
	r->is_fetching = false;
	effects_add(r->out, EFFECT_APPLIED)->applied = a;
	apply_answer_all_known(r);
	fetch_send(r);
}

/* false: this chunk does not continue what is staged */
static bool stage(struct replica *r, const struct msg_snapshot *s)
{
	struct staging *st = &r->staging;

	if (s->offset == 0) {
		staging_drop(r);
		*st = (struct staging){.epoch = s->epoch, .at = s->at, .total = s->total};
		memcpy(st->hash, s->hash, SHA256_SIZE);
	}
	if (position_compare(st->at, s->at) != 0 || st->total != s->total ||
	    s->offset != st->data.size || s->size == 0 || s->total > SNAPSHOT_MAX ||
	    s->size > s->total - s->offset)
		return false;
	buf_add(&st->data, s->data, s->size);
	return true;
}

static void ask_on(struct replica *r)
{
	r->is_fetching = false;
	fetch_send(r);
	r->staging.asked_at = r->staging.data.size;
}

void snapshot_message(struct replica *r, struct peer *peer, const struct message *m)
{
	const struct msg_snapshot *s = &m->snapshot;
	const uint8_t *own;

	if (s->epoch < replica_floor(r) && !MUTANT(r, LATE_SNAPSHOT)) {
		if (s->to == r->options.node)
			refuse(r, peer, s->epoch);
		return;
	}
	if (!MUTANT(r, LATE_SNAPSHOT) || s->epoch >= replica_floor(r))
		replica_follow(r, peer, s->epoch);
	if (s->to != r->options.node || r->installing || write_is_full(r))
		return;
	own = log_hash_of(&r->log, s->at);
	if (own && memcmp(own, s->hash, SHA256_SIZE) == 0 && !MUTANT(r, LATE_SNAPSHOT))
		replica_commit_raise(r, s->at.index, s->epoch);
	if (s->at.index <= r->commit && !MUTANT(r, OLD_SNAPSHOT)) {
		staging_drop(r);
		return;
	}
	if (!stage(r, s))
		return;
	r->fetched_at = r->now;
	if (r->staging.data.size == r->staging.total)
		install(r, m);
	else if (r->staging.data.size - r->staging.asked_at >=
		 r->options.chunk_bytes * r->options.chunk_window)
		ask_on(r);
}
