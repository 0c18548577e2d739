/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The invariants. The oracle sees every disk and every memory at once; it looks after each step, at what changed. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/sim.h"

static const char *const names[INV_COUNT] = {
	[INV_NONE] = "NONE",	       [INV_LOG] = "LOG",
	[INV_EPOCH] = "EPOCH",	       [INV_PROMISE] = "PROMISE",
	[INV_COMMITTED] = "COMMITTED", [INV_MAJORITY] = "MAJORITY",
	[INV_STATE] = "STATE",	       [INV_LINEAR] = "LINEAR",
	[INV_ONCE] = "ONCE",	       [INV_ANSWER] = "ANSWER",
	[INV_READS] = "READS",	       [INV_FORK] = "FORK",
	[INV_MEASURE] = "MEASURE",     [INV_LEFT] = "LEFT",
	[INV_LIVENESS] = "LIVENESS",   [INV_IDLE] = "IDLE",
};

const char *invariant_name(enum invariant invariant)
{
	return names[invariant];
}

void oracle_fail(struct world *w, enum invariant invariant, const char *fmt, ...)
{
	struct oracle *o = &w->oracle;
	va_list ap;

	if (o->broken)
		return;
	o->broken = invariant;
	va_start(ap, fmt);
	vsnprintf(o->what, sizeof(o->what), fmt, ap);
	va_end(ap);
	world_say(w, "BROKEN %s: %s", names[invariant], o->what);
}

struct history *oracle_history(struct world *w, const struct uuid *fork)
{
	struct oracle *o = &w->oracle;

	for (size_t i = 0; i < o->fork_count; i++)
		if (uuid_equal(&o->histories[i].fork, fork))
			return &o->histories[i];
	return &o->histories[0];
}

struct model *oracle_model(struct world *w, const struct history *h)
{
	return &w->oracle.models[h - w->oracle.histories];
}

/* ---- positions ---- */

static void position_check(struct world *w, const struct uuid *fork, const struct log_entry *e)
{
	struct oracle *o = &w->oracle;
	uint64_t h = (e->at.epoch * 0x9e3779b97f4a7c15u) ^ (e->at.index * 0xff51afd7ed558ccdu);

	for (size_t i = 0; i < ARRAY_SIZE(o->positions); i++) {
		struct position_record *p = &o->positions[(h + i) % ARRAY_SIZE(o->positions)];

		if (p->at.index == 0) {
			*p = (struct position_record){.at = e->at, .fork = *fork};
			memcpy(p->hash, e->hash, SHA256_SIZE);
			return;
		}
		if (position_compare(p->at, e->at) != 0 || !uuid_equal(&p->fork, fork))
			continue;
		if (memcmp(p->hash, e->hash, SHA256_SIZE) != 0)
			oracle_fail(w, INV_LOG, "position (%llu, %llu) has two contents",
				    (unsigned long long)e->at.epoch,
				    (unsigned long long)e->at.index);
		return;
	}
}

static bool is_listed(const struct buf *paths, const char *path)
{
	for (size_t at = 0; at < paths->size; at += strlen(paths->data + at) + 1)
		if (strcmp(paths->data + at, path) == 0)
			return true;
	return false;
}

static bool is_same(const struct kv_item *a, const struct kv_item *b)
{
	return a == b || (a && b && memcmp(a->hash, b->hash, SHA256_SIZE) == 0);
}

/* A driver may leave alone in its tables what a difference does not name. */
static void changed_check(struct world *w, struct node *n, const struct persist *p)
{
	const struct kv *before = replica_state(n->replica)->kv;
	struct state *now;

	if (!p->has_changed)
		return;
	if (state_decode(p->snapshot.data, p->snapshot.size, &now, NULL) < 0) {
		oracle_fail(w, INV_STATE, "n%u writes a snapshot that cannot be read", n->id);
		return;
	}
	for (int i = 0; i < SIM_KEYS; i++) {
		char path[] = {'/', 'k', (char)('0' + i), '\0'};

		if (!is_same(kv_get(before, path), kv_get(now->kv, path)) &&
		    !is_listed(&p->changed, path))
			oracle_fail(w, INV_STATE, "n%u does not say that %s changes", n->id, path);
	}
	state_free(now);
}

void oracle_persist(struct world *w, struct node *n, const struct persist *p)
{
	for (size_t i = 0; i < p->entry_count; i++)
		position_check(w, &p->meta.fork, p->entries[i]);
	if (w->coverage && p->cut_from)
		w->coverage->cuts++;
	changed_check(w, n, p);
}

/* ---- promises ---- */

static void promise_record(struct world *w, const struct member *who, uint64_t epoch,
			   const struct claimant *to)
{
	struct oracle *o = &w->oracle;

	for (size_t i = 0; i < o->promise_count; i++) {
		struct promise_record *p = &o->promises[i];

		if (p->epoch != epoch || !member_equal(&p->who, who))
			continue;
		if (!claimant_equal(&p->to, to))
			oracle_fail(w, INV_PROMISE, "n%u promised epoch %llu twice", who->node,
				    (unsigned long long)epoch);
		return;
	}
	if (o->promise_count < ARRAY_SIZE(o->promises))
		o->promises[o->promise_count++] =
			(struct promise_record){.who = *who, .epoch = epoch, .to = *to};
}

void oracle_sent(struct world *w, struct node *n, const struct blob *blob)
{
	uint8_t type = (uint8_t)blob->data[1];
	struct message m;

	if (w->is_quiet)
		oracle_fail(w, INV_IDLE, "n%u sends %s although nothing is to be done", n->id,
			    message_name(type));
	if (type != MSG_PROMISE && type != MSG_CLAIM)
		return;
	if (message_decode(blob->data, blob->size, &m, NULL) < 0)
		return;
	if (type == MSG_PROMISE)
		promise_record(w, &m.from.member, m.promise.epoch, &m.promise.to);
	else
		promise_record(w, &m.from.member, m.claim.epoch, &m.from);
}

/* ---- leaders ---- */

static void leader_holds(struct world *w, struct node *n, uint64_t epoch, const struct committed *c)
{
	const struct log *log = replica_log(n->replica);
	const struct log_entry *e = log_at(log, c->at.index);

	if (c->at.index <= log->base.index)
		return;
	if (!e || memcmp(e->hash, c->hash, SHA256_SIZE) != 0)
		oracle_fail(w, INV_COMMITTED, "n%u leads epoch %llu without entry %llu", n->id,
			    (unsigned long long)epoch, (unsigned long long)c->at.index);
}

static void leader_check(struct world *w, struct node *n, uint64_t epoch)
{
	struct oracle *o = &w->oracle;
	const struct uuid *fork = &replica_meta(n->replica)->fork;
	struct history *h = oracle_history(w, fork);

	if (w->coverage)
		w->coverage->leaders++;
	for (size_t i = 0; i < o->leader_count; i++)
		if (o->leaders[i].epoch == epoch && uuid_equal(&o->leaders[i].fork, fork) &&
		    o->leaders[i].pid != n->pid)
			oracle_fail(w, INV_EPOCH, "epoch %llu is led by n%u and by n%u",
				    (unsigned long long)epoch, w->nodes[o->leaders[i].node].id,
				    n->id);
	if (o->leader_count < ARRAY_SIZE(o->leaders))
		o->leaders[o->leader_count++] = (struct leader_record){
			.epoch = epoch, .fork = *fork, .node = n->at, .pid = n->pid};
	for (uint64_t i = h->count; i > 0; i--)
		if (h->items[i].epoch < epoch) {
			leader_holds(w, n, epoch, &h->items[i]);
			break;
		}
	world_say(w, "n%u leads epoch %llu", n->id, (unsigned long long)epoch);
}

/* ---- commits ---- */

static bool disk_has(struct world *w, const struct member *voter, const struct committed *c)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		const struct image *image = &w->nodes[i].disk.synced;

		if (w->nodes[i].id == voter->node &&
		    uuid_equal(&image->meta.incarnation, &voter->incarnation) &&
		    image_holds(image, c->at, c->hash))
			return true;
	}
	for (size_t i = 0; i < w->oracle.grave_count; i++) {
		const struct image *image = &w->oracle.graves[i].image;

		if (uuid_equal(&image->meta.incarnation, &voter->incarnation) &&
		    image_holds(image, c->at, c->hash))
			return true;
	}
	return false;
}

static bool is_on_majority(struct world *w, const struct voters *voters, const struct committed *c)
{
	size_t n = 0;

	for (size_t i = 0; i < voters->count; i++)
		n += disk_has(w, &voters->items[i], c);
	return n >= voters_majority(voters);
}

/* The list that was newest at that entry. */
static void voters_of(const struct history *h, uint64_t index, struct voters *ret)
{
	struct uuid id;

	*ret = (struct voters){0};
	for (uint64_t i = index; i > 0; i--) {
		struct entry e;

		if (!h->items[i].entry || (h->items[i].entry->kind != ENTRY_VOTERS &&
					   h->items[i].entry->kind != ENTRY_FORK))
			continue;
		e = log_entry_decode(h->items[i].entry);
		voters_payload_decode(e.payload, e.payload_size, &id, ret);
		return;
	}
}

static void majority_check(struct world *w, struct node *n, const struct history *h,
			   const struct committed *c)
{
	struct voters voters;

	voters_of(h, c->at.index, &voters);
	if (!is_on_majority(w, &voters, c) && !is_on_majority(w, replica_voters(n->replica), c))
		oracle_fail(w, INV_MAJORITY,
			    "n%u takes entry %llu as committed; no majority has it", n->id,
			    (unsigned long long)c->at.index);
}

static void commit_new(struct world *w, struct node *n, struct history *h, struct log_entry *e)
{
	struct committed *c = &h->items[h->count + 1];

	if (h->count + 2 >= SIM_INDICES) {
		oracle_fail(w, INV_LIVENESS, "the log grows without end");
		return;
	}
	*c = (struct committed){.at = e->at,
				.entry = log_entry_ref(e),
				.epoch = replica_committed_epoch(n->replica)};
	memcpy(c->hash, e->hash, SHA256_SIZE);
	h->count++;
	if (w->coverage)
		w->coverage->commits++;
	if (e->kind == ENTRY_FORK) {
		struct entry entry = log_entry_decode(e);

		if (memcmp(entry.payload, &h->fork, sizeof(h->fork)) != 0)
			oracle_fail(w, INV_FORK, "n%u takes over entry %llu of another fork", n->id,
				    (unsigned long long)e->at.index);
	}
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *other = &w->nodes[i];

		if (other->replica && replica_leads(other->replica) > c->epoch &&
		    oracle_history(w, &replica_meta(other->replica)->fork) == h)
			leader_holds(w, other, replica_leads(other->replica), c);
	}
}

/* It may have been applied and trimmed in the same step. */
static struct log_entry *entry_of(const struct node *n, uint64_t index)
{
	struct log_entry *e = log_at(replica_log(n->replica), index);

	for (size_t i = 0; i < n->effects.count && !e; i++)
		if (n->effects.items[i].type == EFFECT_APPLIED &&
		    n->effects.items[i].applied->index == index)
			e = n->effects.items[i].applied->entry;
	return e;
}

static void commit_check(struct world *w, struct node *n, uint64_t upto)
{
	struct history *h = oracle_history(w, &replica_meta(n->replica)->fork);
	uint64_t was = h->count;

	for (uint64_t i = n->committed + 1; i <= upto && !w->oracle.broken; i++) {
		struct log_entry *e = entry_of(n, i);

		if (i > h->count) {
			if (e)
				commit_new(w, n, h, e);
			else
				oracle_fail(w, INV_COMMITTED,
					    "n%u jumps to entry %llu that nobody "
					    "committed",
					    n->id, (unsigned long long)i);
		} else if (e && memcmp(e->hash, h->items[i].hash, SHA256_SIZE) != 0) {
			oracle_fail(w, INV_COMMITTED, "n%u has another entry %llu committed", n->id,
				    (unsigned long long)i);
		}
	}
	if (h->count > was && !w->oracle.broken)
		majority_check(w, n, h, &h->items[h->count]);
	n->committed = upto;
}

static void measure_check(struct world *w, struct node *n)
{
	const struct replica_meta *meta = replica_meta(n->replica);

	if (meta->promised < n->measure.promised ||
	    position_compare(meta->accepted, n->measure.accepted) < 0)
		oracle_fail(w, INV_MEASURE, "n%u goes back from (%llu, %llu) to (%llu, %llu)",
			    n->id, (unsigned long long)n->measure.accepted.epoch,
			    (unsigned long long)n->measure.accepted.index,
			    (unsigned long long)meta->accepted.epoch,
			    (unsigned long long)meta->accepted.index);
	n->measure.promised = meta->promised;
	n->measure.accepted = meta->accepted;
}

void oracle_after_step(struct world *w, struct node *n)
{
	uint64_t leads = replica_leads(n->replica);

	measure_check(w, n);

	if (replica_committed(n->replica) > n->committed)
		commit_check(w, n, replica_committed(n->replica));
	if (leads && leads != n->leads)
		leader_check(w, n, leads);
	n->leads = leads;
}

/* ---- application ---- */

static void digest_check(struct world *w, struct node *n, struct committed *c)
{
	static const uint8_t none[SHA256_SIZE];
	uint8_t digest[SHA256_SIZE];

	state_digest(replica_state(n->replica), digest);
	if (memcmp(c->digest, none, SHA256_SIZE) == 0)
		memcpy(c->digest, digest, SHA256_SIZE);
	else if (memcmp(c->digest, digest, SHA256_SIZE) != 0)
		oracle_fail(w, INV_STATE, "n%u has another state at entry %llu", n->id,
			    (unsigned long long)c->at.index);
}

void oracle_applied(struct world *w, struct node *n, const struct applied *a)
{
	struct history *h = oracle_history(w, &replica_meta(n->replica)->fork);
	struct committed *c = &h->items[a->index];

	if (w->oracle.broken)
		return;
	if (a->index > h->count) {
		oracle_fail(w, INV_COMMITTED, "n%u applies entry %llu that is not committed", n->id,
			    (unsigned long long)a->index);
		return;
	}
	if (n->applied && (a->entry ? a->index != n->applied + 1 : a->index <= n->applied))
		oracle_fail(w, INV_READS, "n%u goes from entry %llu to %llu", n->id,
			    (unsigned long long)n->applied, (unsigned long long)a->index);
	if (!image_holds(&n->disk.synced, c->at, c->hash) && !n->disk.is_lying)
		oracle_fail(w, INV_READS, "n%u shows entry %llu, which is not on its disk", n->id,
			    (unsigned long long)a->index);
	n->applied = a->index;
	if (a->entry && !c->is_applied) {
		c->is_applied = true;
		c->outcome = a->outcome;
		c->has_request = a->has_request;
		model_check(w, oracle_model(w, h), a->entry, a);
	} else if (a->entry && (c->outcome != a->outcome || c->has_request != a->has_request)) {
		oracle_fail(w, INV_STATE, "n%u got another outcome of entry %llu", n->id,
			    (unsigned long long)a->index);
	}
	if (a->index == replica_state(n->replica)->at.index)
		digest_check(w, n, c);
}

/* What reads see moves by what subscribers are told, and by nothing else. */
void oracle_reads(struct world *w, struct node *n)
{
	uint64_t index = replica_state(n->replica)->at.index;

	if (!w->oracle.broken && index != n->applied)
		oracle_fail(w, INV_READS, "n%u shows entry %llu, and told of %llu", n->id,
			    (unsigned long long)index, (unsigned long long)n->applied);
}

void oracle_left(struct world *w, struct node *n, const char *reason)
{
	world_say(w, "n%u leaves: %s", n->id, reason);
	if (!n->may_leave)
		oracle_fail(w, INV_LEFT, "n%u leaves: %s", n->id, reason);
}

void oracle_bury(struct world *w, const struct image *image)
{
	struct oracle *o = &w->oracle;

	if (o->grave_count < ARRAY_SIZE(o->graves))
		image_copy(&o->graves[o->grave_count++].image, image, false);
}

void oracle_end(struct world *w)
{
	oracle_answers_end(w);
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];
		struct history *h;

		if (!n->replica || n->is_paused || replica_role(n->replica) == ROLE_WAITING)
			continue;
		h = oracle_history(w, &replica_meta(n->replica)->fork);
		if (replica_state(n->replica)->at.index == h->count)
			model_compare(w, oracle_model(w, h), replica_state(n->replica)->kv);
	}
}

void oracle_fini(struct oracle *o)
{
	for (size_t k = 0; k < o->fork_count; k++)
		for (uint64_t i = 1; i <= o->histories[k].count; i++)
			log_entry_unref(o->histories[k].items[i].entry);
	for (size_t i = 0; i < o->grave_count; i++)
		image_fini(&o->graves[i].image);
}
