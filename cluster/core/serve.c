/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S9, the leader's side: members whose log cannot be continued get the state, as many chunks for each FETCH as the
 * window allows; writes go on between them. A member that has something is asked for a list first, and gets what
 * differs. Whatever is lost, the member asks again: nothing here waits. Pure. */
#include "cluster/core/replica_private.h"

#define KEPT	   10u /* time-outs, after the last sign of a member */
#define ITEM_GUESS 64u /* bytes of an item of a list */

static void serving_free(struct replica *r, struct serving *s)
{
	(void)r;
	list_remove(&s->node);
	comparison_free(s->comparison);
	frozen_unref(s->frozen);
	free(s);
}

static struct serving *serving_find(struct replica *r, uint32_t node)
{
	LIST_FOREACH (&r->served, s, struct serving, node)
		if (s->to == node)
			return s;
	return NULL;
}

void serve_end(struct replica *r, uint32_t node)
{
	struct serving *s = serving_find(r, node);

	if (s)
		serving_free(r, s);
}

void serve_drop(struct replica *r)
{
	LIST_FOREACH (&r->served, s, struct serving, node)
		serving_free(r, s);
	offers_expire(r);
}

/* It has what was served, or it asks no more. */
static bool is_over(struct replica *r, const struct serving *s)
{
	const struct peer *p = peer_find(r, s->to);

	if (p && p->ack.epoch == r->leader_epoch && p->ack.index >= s->frozen->at.index)
		return true;
	return !p || r->now > s->used_at + KEPT * r->options.timeout;
}

void serve_expire(struct replica *r)
{
	LIST_FOREACH (&r->served, s, struct serving, node)
		if (is_over(r, s))
			serving_free(r, s);
	offers_expire(r);
}

uint64_t serve_floor(const struct replica *r)
{
	uint64_t lowest = UINT64_MAX;

	LIST_FOREACH (&r->served, s, struct serving, node)
		if (s->frozen->at.index < lowest)
			lowest = s->frozen->at.index;
	return lowest;
}

/* The one that there is, if it brings the member on; else a new one. NULL: not now. */
static struct serving *serving_get(struct replica *r, uint32_t node, const struct msg_fetch *f)
{
	struct serving *s = serving_find(r, node);
	struct frozen *frozen;

	if (s && s->frozen->at.index > f->committed.index)
		return s;
	if (s)
		serving_free(r, s);
	frozen = f->snapshot > f->committed.index ? offer_find(r, f->snapshot) : NULL;
	if (!frozen)
		frozen = offer_choose(r, f->committed.index);
	if (!frozen)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	list_init(&s->node);
	s->to = node;
	s->frozen = frozen;
	list_append(&r->served, &s->node);
	return s;
}

static size_t compared(const struct replica *r)
{
	size_t n = 0;

	LIST_FOREACH (&r->served, s, struct serving, node)
		n += s->comparison != NULL;
	return n;
}

/* By size; what fits one chunk is not worth a question. */
static bool wants_list(const struct replica *r, const struct serving *s, const struct msg_fetch *f)
{
	uint64_t whole = s->frozen->whole.total, list = (uint64_t)f->values * ITEM_GUESS;

	return !s->wants_whole && f->values > 0 && whole > r->options.chunk_bytes && list < whole &&
	       list <= LIST_MAX && compared(r) < COMPARED_MAX;
}

static size_t send_chunk(struct replica *r, const struct serving *s, const struct portion *portion,
			 uint64_t offset)
{
	autobuf data = BUF_INIT;
	struct message m = {.type = MSG_SNAPSHOT,
			    .snapshot = {.to = s->to,
					 .epoch = r->leader_epoch,
					 .at = s->frozen->at,
					 .list = s->is_compared ? s->list : 0,
					 .total = portion->total,
					 .offset = offset}};

	m.snapshot.size = portion_read(s->frozen, portion, offset, r->options.chunk_bytes, &data);
	m.snapshot.data = data.data;
	memcpy(m.snapshot.hash, s->frozen->hash, SHA256_SIZE);
	memcpy(m.snapshot.digest, s->frozen->digest, SHA256_SIZE);
	replica_send(r, &m);
	return m.snapshot.size;
}

static void send_window(struct replica *r, const struct serving *s, uint64_t offset)
{
	const struct portion *portion =
		s->is_compared ? &s->comparison->portion : &s->frozen->whole;

	if (!s->is_compared && !offer_is_due(r, s->frozen, offset))
		return;
	for (size_t i = 0; i < r->options.chunk_window && offset < portion->total; i++)
		offset += send_chunk(r, s, portion, offset);
}

static void inquire(struct replica *r, struct serving *s)
{
	struct message m = {
		.type = MSG_INQUIRY,
		.inquiry = {
			.to = s->to, .epoch = r->leader_epoch, .list = s->list, .offset = s->have}};

	s->chunks = 0;
	replica_send(r, &m);
}

static void comparison_begin(struct serving *s)
{
	comparison_free(s->comparison);
	s->comparison = comparison_new(s->frozen);
	s->is_compared = false;
	s->list = s->total = s->have = 0;
}

static void comparison_give_up(struct serving *s)
{
	comparison_free(s->comparison);
	s->comparison = NULL;
	s->is_compared = false;
	s->wants_whole = true;
}

static void begin(struct replica *r, struct serving *s, const struct msg_fetch *f)
{
	comparison_free(s->comparison);
	s->comparison = NULL;
	s->is_compared = false;
	s->wants_whole = s->wants_whole || f->values == 0;
	if (wants_list(r, s, f)) {
		comparison_begin(s);
		inquire(r, s);
	} else {
		send_window(r, s, 0);
	}
}

/* The chunks under way go on, or, if none has come yet, the answer to that list is made. */
static bool is_continued(const struct serving *s, const struct msg_fetch *f)
{
	uint64_t total = s->is_compared ? s->comparison->portion.total : s->frozen->whole.total;

	if (s->comparison && !s->is_compared)
		return false;
	if (f->list != (s->is_compared ? s->list : 0) || f->offset >= total)
		return false;
	return f->snapshot == s->frozen->at.index || (f->snapshot == 0 && s->is_compared);
}

void serve(struct replica *r, struct peer *peer, const struct msg_fetch *f)
{
	struct serving *s = serving_get(r, peer->node, f);

	if (!s)
		return; /* it asks again */
	s->used_at = r->now;
	if (is_continued(s, f))
		send_window(r, s, f->offset);
	else if (s->comparison && !s->is_compared && f->values > 0)
		inquire(r, s);
	else
		begin(r, s, f);
}

static void compared_all(struct replica *r, struct serving *s)
{
	comparison_end(s->comparison);
	s->is_compared = true;
	if (s->comparison->portion.total >= s->frozen->whole.total)
		comparison_give_up(s);
	send_window(r, s, 0);
}

/* false: this chunk does not continue what has come */
static bool is_next(struct serving *s, const struct msg_list *l)
{
	if (l->offset == 0 && l->list != s->list) { /* a new list */
		comparison_begin(s);
		s->list = l->list;
		s->total = l->total;
	}
	return l->list == s->list && l->total == s->total && l->offset == s->have && l->size > 0 &&
	       l->total <= LIST_MAX && l->size <= l->total - l->offset;
}

void list_message(struct replica *r, struct peer *peer, const struct message *m)
{
	const struct msg_list *l = &m->list;
	struct serving *s;

	if (l->to != r->options.node)
		return;
	if (r->role != ROLE_LEADING || l->epoch != r->leader_epoch) {
		refuse(r, peer, l->epoch);
		return;
	}
	s = serving_find(r, peer->node);
	if (!s || !s->comparison || s->is_compared || l->list == 0 || !is_next(s, l))
		return;
	s->used_at = r->now;
	if (!comparison_take(s->comparison, l->data, l->size)) {
		comparison_give_up(s);
		return;
	}
	s->have += l->size;
	if (s->have == s->total)
		compared_all(r, s);
	else if (++s->chunks == r->options.chunk_window)
		inquire(r, s);
}
