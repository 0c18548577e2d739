/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S9, the member's side: chunks are staged, put together with what is here if they are a difference, checked by the
 * digest of the state that must come out, and swapped in with one transaction. Pure. */
#include "cluster/core/changes.h"
#include "cluster/core/replica_private.h"

#define SNAPSHOT_MAX (2ull * STORE_TOTAL_MAX)

void staging_drop(struct replica *r)
{
	buf_fini(&r->staging.data);
	r->staging = (struct staging){0};
}

void listing_drop(struct replica *r)
{
	buf_fini(&r->listing.data);
	r->listing = (struct listing){0};
}

/* ---- what is here ---- */

static void listing_make(struct replica *r)
{
	struct listing *l = &r->listing;
	uint8_t hash[SHA256_SIZE];

	listing_drop(r);
	list_encode(r->state->kv, &l->data);
	digest_sha256(l->data.data, l->data.size, hash);
	for (int i = 0; i < 8; i++)
		l->id |= (uint64_t)hash[i] << (8 * i);
	l->id |= 1; /* never 0 */
	l->index = r->state->at.index;
}

static size_t send_list_chunk(struct replica *r, size_t offset)
{
	const struct listing *l = &r->listing;
	struct message m = {.type = MSG_LIST,
			    .list = {.to = r->leader,
				     .epoch = r->leader_epoch,
				     .list = l->id,
				     .total = l->data.size,
				     .offset = offset,
				     .data = l->data.data + offset,
				     .size = list_chunk(&l->data, offset, r->options.chunk_bytes)}};

	replica_send(r, &m);
	return m.list.size;
}

void inquiry_message(struct replica *r, struct peer *peer, const struct message *m)
{
	const struct msg_inquiry *q = &m->inquiry;
	size_t offset;

	if (q->epoch < replica_floor(r)) {
		if (q->to == r->options.node)
			refuse(r, peer, q->epoch);
		return;
	}
	replica_follow(r, peer, q->epoch);
	if (q->to != r->options.node || !r->is_fetching || r->installing || r->wants_whole ||
	    kv_count(r->state->kv) == 0)
		return;
	if (!r->listing.id ||
	    (r->listing.index != r->state->at.index && !MUTANT(r, DIFFERENCE_OTHER_BASE)))
		listing_make(r);
	r->fetched_at = r->now;
	offset = q->list == r->listing.id && q->offset < r->listing.data.size ? q->offset : 0;
	for (size_t i = 0; i < r->options.chunk_window && offset < r->listing.data.size; i++)
		offset += send_list_chunk(r, offset);
}

/* ---- swapping it in ---- */

#ifdef LODGE_MUTANTS
static void mutate(struct replica *r, struct state *s)
{
	const struct kv_item *item;
	const char *path = NULL;

	if (MUTANT(r, SNAPSHOT_WITHOUT_VOTERS))
		s->voters = r->state->voters;
	if (MUTANT(r, SNAPSHOT_WITHOUT_REQUESTS))
		state_forget_requests(s);
	while (MUTANT(r, DIFFERENCE_WITHOUT_DELETIONS) && r->staging.list &&
	       (item = kv_next(r->state->kv, "", path, &path)))
		if (!kv_get(s->kv, path))
			kv_share(s->kv, path, item);
}
#endif

static bool is_promised(const struct replica *r, const struct state *s)
{
	const struct staging *st = &r->staging;
	uint8_t digest[SHA256_SIZE];

	state_digest(s, digest);
	return position_compare(s->at, st->at) == 0 &&
	       memcmp(s->hash, st->hash, SHA256_SIZE) == 0 &&
	       (memcmp(digest, st->digest, SHA256_SIZE) == 0 || MUTANT(r, DIFFERENCE_UNCHECKED) ||
		MUTANT(r, DIFFERENCE_OTHER_BASE));
}

/* The state that is staged, if it is what it must be. */
static struct state *put_together(struct replica *r, struct buf *changed)
{
	const struct staging *st = &r->staging;
	struct state *s;
	int code = st->list ? difference_apply(r->state, st->data.data, st->data.size, &s, changed,
					       NULL)
			    : state_decode(st->data.data, st->data.size, &s, NULL);

	if (code < 0)
		return NULL;
	if (is_promised(r, s))
		return s;
	state_free(s);
	return NULL;
}

/* Something was wrong: what was listed here, or what came. The whole depends on nothing that is here. */
static void fall_back(struct replica *r)
{
	bool was_difference = r->staging.list != 0;

	staging_drop(r);
	listing_drop(r);
	if (!was_difference)
		return; /* it is asked for again when the time is over */
	r->wants_whole = true;
	r->caught_up.fallbacks++;
	r->is_fetching = false;
	fetch_send(r);
}

static struct persist *snapshot_write(struct replica *r, struct state *s, struct buf *changed)
{
	struct persist *p = write_new(r);

	if (r->staging.list) {
		state_encode(s, &p->snapshot);
		p->changed = *changed;
		p->has_changed = true;
		*changed = BUF_INIT;
		r->caught_up.differences++;
	} else {
		p->snapshot = r->staging.data;
		r->staging.data = BUF_INIT;
		r->caught_up.whole++;
	}
	return p;
}

/* Swapped in on disk with one transaction; the own state follows once that is confirmed. */
static void install(struct replica *r, const struct message *m)
{
	autobuf changed = BUF_INIT;
	struct state *s = put_together(r, &changed);
	struct persist *p;

	if (!s) {
		fall_back(r);
		return;
	}
#ifdef LODGE_MUTANTS
	mutate(r, s);
#endif
	kv_keep_requests(s->kv, r->options.requests_kept);
	p = snapshot_write(r, s, &changed);
	staging_drop(r);
	if (!MUTANT(r, DIFFERENCE_OTHER_BASE))
		listing_drop(r);
	r->wants_whole = false;
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
	changes_each(r->state->kv, r->installing->kv, apply_collect, a);
	state_free(r->state);
	r->state = TAKE(r->installing);
	r->is_fetching = false;
	effects_add(r->out, EFFECT_APPLIED)->applied = a;
	apply_answer_all_known(r);
	fetch_send(r);
}

/* ---- chunks ---- */

static bool is_staged(const struct staging *st, const struct msg_snapshot *s)
{
	return st->at.index && st->epoch == s->epoch && position_compare(st->at, s->at) == 0 &&
	       st->list == s->list && st->total == s->total;
}

/* A chunk of the whole that was sent for another member is as good as an own one. */
static bool is_for_here(const struct replica *r, const struct msg_snapshot *s)
{
	bool is_wanted = r->is_fetching && r->staging.at.index == 0 && s->offset == 0 &&
			 (r->wants_whole || kv_count(r->state->kv) == 0);

	if (s->to == r->options.node)
		return s->list == 0 || s->list == r->listing.id || is_staged(&r->staging, s);
	return s->list == 0 && (is_wanted || is_staged(&r->staging, s));
}

/* false: this chunk does not continue what is staged */
static bool stage(struct replica *r, const struct msg_snapshot *s)
{
	struct staging *st = &r->staging;

	if (s->offset == 0 && !is_staged(st, s)) {
		if (st->epoch == s->epoch && s->at.index < st->at.index)
			return false; /* late */
		staging_drop(r);
		*st = (struct staging){
			.epoch = s->epoch, .at = s->at, .list = s->list, .total = s->total};
		memcpy(st->hash, s->hash, SHA256_SIZE);
		memcpy(st->digest, s->digest, SHA256_SIZE);
	}
	if (!is_staged(st, s) || s->offset != st->data.size || s->size == 0 ||
	    s->total > SNAPSHOT_MAX || s->size > s->total - s->offset)
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
	if (!is_for_here(r, s) || r->installing || write_is_full(r))
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
