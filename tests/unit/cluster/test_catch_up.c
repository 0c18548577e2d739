/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Catching up by state while others write, in virtual time: real replicas, a link that has a speed, disks that take
 * their time. The writers must hardly notice, and it must come to an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "cluster/core/replica.h"

#define NODES	    40
#define WRITERS	    64
#define SYNC_TIME   (8 * USEC_PER_MSEC)
#define LATENCY	    200u
#define WRITTEN_TO  0 /* writers are at the first node, which leads */
#define VALUE_SIZE  200
#define FIRST_INDEX 20000u /* of the leader's log */

struct blob {
	unsigned refs;
	size_t size;
	char data[];
};

enum kind { DELIVER = 1, SYNCED, TICK };
struct happening {
	usec_t at;
	uint64_t order;
	enum kind kind;
	unsigned node, from;
	uint64_t ticket;
	struct blob *blob;
};

struct node {
	struct replica *replica;
	struct effects effects;
	bool is_syncing;
	uint64_t ticket; /* of the last transaction that was asked for */
	usec_t tick;
	bool is_here;
};

struct setup {
	unsigned values, changed, writers;
	uint64_t link_speed; /* bytes a second */
	uint64_t log_kept, log_served;
};

struct world {
	struct setup setup;
	usec_t now, link_free;
	uint64_t order;
	struct happening *heap;
	size_t count, capacity;
	struct node nodes[NODES];
	unsigned node_count;
	uint64_t ring, writes, done, said[MSG_COUNT]; /* bytes */
	usec_t asked[WRITERS], slowest;
	uint64_t epoch; /* that is led from the beginning to the end */
	bool is_over;	/* nobody writes any more */
};

/* ---- what is to happen ---- */

static bool is_before(const struct happening *a, const struct happening *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void plan(struct world *w, struct happening h)
{
	size_t i;

	if (w->count == w->capacity) {
		w->capacity = w->capacity ? 2 * w->capacity : 1024;
		w->heap = xrealloc(w->heap, w->capacity, sizeof(w->heap[0]));
	}
	h.order = ++w->order;
	for (i = w->count++; i > 0 && is_before(&h, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = h;
}

static struct happening take(struct world *w)
{
	struct happening first = w->heap[0], last = w->heap[--w->count];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < w->count && is_before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (child >= w->count || !is_before(&w->heap[child], &last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return first;
}

static void blob_unref(struct blob *b)
{
	if (b && --b->refs == 0)
		free(b);
}

/* ---- effects ---- */

static void step(struct world *w, unsigned node, struct event ev);

/* One link for all, as the token of a ring: what is said takes its time for everybody. */
static void multicast(struct world *w, unsigned from, const struct buf *data)
{
	struct blob *b = xmalloc(sizeof(*b) + data->size);

	*b = (struct blob){.refs = 1, .size = data->size};
	memcpy(b->data, data->data, data->size);
	w->said[(uint8_t)data->data[1]] += data->size;
	if (w->link_free < w->now)
		w->link_free = w->now;
	w->link_free += 1 + data->size * USEC_PER_SEC / w->setup.link_speed;
	for (unsigned i = 0; i < w->node_count; i++) {
		if (i == from || !w->nodes[i].is_here)
			continue;
		b->refs++;
		plan(w, (struct happening){.at = w->link_free + LATENCY,
					   .kind = DELIVER,
					   .node = i,
					   .from = from,
					   .blob = b});
	}
	blob_unref(b);
}

static void ask(struct world *w, unsigned writer)
{
	char path[32], value[VALUE_SIZE];
	struct store_op op = {.kind = STORE_PUT, .path = path, .value = value, .size = VALUE_SIZE};
	struct store_txn txn = {.ops = &op, .op_count = 1};
	struct event ev = {.type = EV_PROPOSE, .propose = {.kind = REQUEST_TXN, .handle = writer}};
	autobuf data = BUF_INIT;

	w->writes++;
	memcpy(txn.id.bytes, &w->writes, sizeof(w->writes));
	memcpy(ev.propose.id.bytes, txn.id.bytes, sizeof(txn.id.bytes));
	snprintf(path, sizeof(path), "/written/%u-%u", writer, (unsigned)(w->writes % 16));
	memset(value, 'w', sizeof(value));
	txn_encode(&txn, &data);
	ev.propose.payload = data.data;
	ev.propose.payload_size = data.size;
	ev.propose.deadline = w->now + 60 * USEC_PER_SEC;
	w->asked[writer] = w->now;
	step(w, WRITTEN_TO, ev);
}

static void answered(struct world *w, const struct answer *a)
{
	usec_t took = w->now - w->asked[a->handle];

	assert_int_equal(a->result.outcome, STORE_DONE);
	w->done++;
	if (took > w->slowest)
		w->slowest = took;
	if (!w->is_over)
		ask(w, (unsigned)a->handle);
}

static void sync_plan(struct world *w, unsigned node)
{
	struct node *n = &w->nodes[node];

	if (n->is_syncing || !n->ticket)
		return;
	n->is_syncing = true;
	plan(w,
	     (struct happening){
		     .at = w->now + SYNC_TIME, .kind = SYNCED, .node = node, .ticket = n->ticket});
	n->ticket = 0;
}

static void run_effect(struct world *w, unsigned node, struct effect *e)
{
	if (e->type == EFFECT_SEND)
		multicast(w, node, &e->send);
	else if (e->type == EFFECT_PERSIST)
		w->nodes[node].ticket = e->persist->ticket;
	else if (e->type == EFFECT_ANSWER)
		answered(w, e->answer);
	else
		assert_int_equal(e->type, EFFECT_APPLIED); /* nobody leaves */
}

static void step(struct world *w, unsigned node, struct event ev)
{
	struct node *n = &w->nodes[node];
	struct effects effects = {0};
	usec_t tick;

	ev.now = w->now;
	replica_step(n->replica, &ev, &effects);
	for (size_t i = 0; i < effects.count; i++)
		run_effect(w, node, &effects.items[i]);
	effects_fini(&effects);
	sync_plan(w, node);
	tick = replica_deadline(n->replica);
	if (tick && (!n->tick || tick < n->tick)) {
		n->tick = tick > w->now ? tick : w->now;
		plan(w, (struct happening){.at = n->tick, .kind = TICK, .node = node});
	}
}

static void happen(struct world *w, struct happening *h)
{
	struct node *n = &w->nodes[h->node];

	if (h->kind == DELIVER) {
		step(w, h->node,
		     (struct event){.type = EV_MESSAGE,
				    .message = {h->from + 1, h->blob->data, h->blob->size}});
		blob_unref(h->blob);
	} else if (h->kind == SYNCED) {
		n->is_syncing = false;
		step(w, h->node, (struct event){.type = EV_PERSISTED, .persisted = h->ticket});
	} else if (h->at == n->tick) {
		n->tick = 0;
		step(w, h->node, (struct event){.type = EV_TICK});
	}
}

static void run_until(struct world *w, usec_t until)
{
	while (w->count > 0 && w->heap[0].at <= until) {
		struct happening h = take(w);

		w->now = h.at > w->now ? h.at : w->now;
		happen(w, &h);
	}
	w->now = until;
}

/* ---- the members ---- */

static struct member member(unsigned node)
{
	return (struct member){.node = node + 1, .incarnation.bytes = {(uint8_t)(node + 1), 0xcc}};
}

/* `count` values; of these the first `changed` are of a later time. */
static struct state *state_at(uint64_t index, unsigned count, unsigned changed)
{
	struct state *s = state_new(replica_options_default.requests_kept);

	s->at = (struct position){1, index};
	memcpy(s->hash, &index, sizeof(index));
	s->voters_index = 1;
	for (unsigned i = 0; i < 2; i++) {
		struct member voter = member(i);

		voters_add(&s->voters, &voter);
	}
	for (unsigned i = 0; i < count; i++) {
		char path[32], value[VALUE_SIZE];

		snprintf(path, sizeof(path), "/nodes/n%u/qemu/%u.conf", i % 32, 100 + i);
		memset(value, i < changed ? 'n' : 'o', sizeof(value));
		kv_load(s->kv, path, i < changed ? 10000 + i : 2 + i, value, sizeof(value));
	}
	return s;
}

/* state NULL: an empty database that belongs to the cluster */
static void start(struct world *w, unsigned node, struct state *state)
{
	struct replica_options options = replica_options_default;
	struct replica_disk disk = {
		.meta = {.cluster.bytes = {1}, .incarnation = member(node).incarnation},
		.state = state};

	options.node = node + 1;
	options.has_group = true;
	options.log_kept = w->setup.log_kept;
	options.log_served = w->setup.log_served;
	if (state) {
		disk.meta.promised = 1;
		disk.meta.accepted = disk.base = state->at;
		memcpy(disk.base_hash, state->hash, SHA256_SIZE);
	}
	w->nodes[node].replica = replica_new(&options);
	step(w, node, (struct event){.type = EV_STARTED, .started = &disk});
}

/* All that have started are in one ring. */
static void form(struct world *w)
{
	struct view_member members[NODES];
	size_t count = 0;

	w->ring++;
	for (unsigned i = 0; i < w->node_count; i++) {
		w->nodes[i].is_here = w->nodes[i].replica != NULL;
		if (w->nodes[i].is_here)
			members[count++] = (struct view_member){.node = i + 1, .pid = 1};
	}
	for (unsigned i = 0; i < w->node_count; i++) {
		if (!w->nodes[i].is_here)
			continue;
		step(w, i, (struct event){.type = EV_QUORUM, .is_quorate = true});
		step(w, i,
		     (struct event){.type = EV_VIEW,
				    .view = {.ring = w->ring, .members = members, .count = count}});
	}
}

/* Two voters, the first of which leads and is written to. */
static struct world *world_new(const struct setup *setup)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->setup = *setup;
	w->now = USEC_PER_SEC;
	w->node_count = 2;
	for (unsigned i = 0; i < 2; i++)
		start(w, i, state_at(FIRST_INDEX, setup->values, setup->changed));
	run_until(w, w->now + USEC_PER_SEC / 10);
	form(w);
	run_until(w, w->now + USEC_PER_SEC);
	w->epoch = replica_leads(w->nodes[WRITTEN_TO].replica);
	assert_true(w->epoch > 0);
	for (unsigned i = 0; i < setup->writers; i++)
		ask(w, i);
	return w;
}

static void world_free(struct world *w)
{
	for (unsigned i = 0; i < w->node_count; i++)
		replica_free(w->nodes[i].replica);
	while (w->count > 0)
		blob_unref(w->heap[--w->count].blob);
	free(w->heap);
	free(w);
}

static uint64_t applied(const struct world *w, unsigned node)
{
	return replica_state(w->nodes[node].replica)->at.index;
}

/* What the leader would ask of a learner before it lets it vote. */
static bool has_caught_up(const struct world *w, unsigned node)
{
	return applied(w, node) + replica_options_default.admit_window >= applied(w, WRITTEN_TO);
}

static usec_t run_until_caught_up(struct world *w, unsigned first, usec_t at_most)
{
	usec_t begin = w->now;
	unsigned behind = first;

	while (w->now < begin + at_most && behind < w->node_count) {
		run_until(w, w->now + 10 * USEC_PER_MSEC);
		for (behind = first; behind < w->node_count && has_caught_up(w, behind); behind++)
			continue;
	}
	assert_int_equal(behind, w->node_count);
	return w->now - begin;
}

/* Writes a second in the time that passes. */
static uint64_t rate_since(const struct world *w, usec_t begin, uint64_t done)
{
	return (w->done - done) * USEC_PER_SEC / (w->now - begin);
}

static void assert_same_state(const struct world *w, unsigned node)
{
	uint8_t a[SHA256_SIZE], b[SHA256_SIZE];

	state_digest(replica_state(w->nodes[WRITTEN_TO].replica), a);
	state_digest(replica_state(w->nodes[node].replica), b);
	assert_memory_equal(a, b, SHA256_SIZE);
}

/* Nobody writes any more: soon all have the same, and then nothing is said. */
static void rest(struct world *w)
{
	uint64_t said[MSG_COUNT];

	w->is_over = true;
	run_until(w, w->now + 20 * USEC_PER_SEC);
	for (unsigned i = 1; i < w->node_count; i++)
		assert_same_state(w, i);
	assert_int_equal(replica_leads(w->nodes[WRITTEN_TO].replica), w->epoch);
	memcpy(said, w->said, sizeof(said));
	run_until(w, w->now + 20 * USEC_PER_SEC);
	assert_memory_equal(said, w->said, sizeof(said));
}

static void a_member_far_behind_joins_while_others_write(void **state)
{
	struct world *w = world_new(&(struct setup){.values = 20000,
						    .changed = 10000,
						    .writers = WRITERS,
						    .link_speed = 100u * 1000 * 1000,
						    .log_kept = 1000,
						    .log_served = 50000});
	uint64_t done = w->done, rate, behind;
	usec_t begin = w->now, took;

	(void)state;
	run_until(w, w->now + USEC_PER_SEC);
	rate = rate_since(w, begin, done);
	w->slowest = 0;
	w->node_count = 3;
	start(w, 2, state_at(10000, 20000, 0));
	form(w);
	begin = w->now;
	done = w->done;
	took = run_until_caught_up(w, 2, 5 * USEC_PER_SEC);
	behind = rate_since(w, begin, done);
	print_message(
		"%llu writes/s before, %llu/s while it catches up in %llu ms, slowest %llu ms; "
		"list %llu kB, snapshot %llu kB\n",
		(unsigned long long)rate, (unsigned long long)behind,
		(unsigned long long)took / 1000, (unsigned long long)w->slowest / 1000,
		(unsigned long long)w->said[MSG_LIST] / 1000,
		(unsigned long long)w->said[MSG_SNAPSHOT] / 1000);
	assert_true(took < 2 * USEC_PER_SEC);
	assert_true(2 * behind > rate);
	assert_true(w->slowest < USEC_PER_SEC / 4);
	assert_int_equal(replica_caught_up(w->nodes[2].replica)->whole, 0);
	assert_int_equal(replica_caught_up(w->nodes[2].replica)->fallbacks, 0);
	/* half of the values, and what says so of all */
	assert_true(w->said[MSG_SNAPSHOT] < 20000 / 2 * (VALUE_SIZE + 60) + 2000000);
	rest(w);
	world_free(w);
}

/* A slow link, and hardly any log: a state is old when it has come, the log does not go on from there. Each difference
 * is smaller than the one before. */
static void what_is_old_when_it_comes_is_followed_by_less(void **state)
{
	struct world *w = world_new(&(struct setup){.values = 20000,
						    .changed = 10000,
						    .writers = WRITERS,
						    .link_speed = 6u * 1000 * 1000,
						    .log_kept = 50,
						    .log_served = 100});
	usec_t took;

	(void)state;
	run_until(w, w->now + USEC_PER_SEC);
	w->node_count = 3;
	start(w, 2, state_at(10000, 20000, 0));
	form(w);
	took = run_until_caught_up(w, 2, 30 * USEC_PER_SEC);
	print_message("caught up in %llu ms by %llu differences\n", (unsigned long long)took / 1000,
		      (unsigned long long)replica_caught_up(w->nodes[2].replica)->differences);
	assert_true(replica_caught_up(w->nodes[2].replica)->differences > 1);
	assert_true(w->slowest < USEC_PER_SEC / 2);
	rest(w);
	world_free(w);
}

static void many_empty_ones_join_at_once(void **state)
{
	struct world *w = world_new(&(struct setup){.values = 4000,
						    .writers = 4,
						    .link_speed = 100u * 1000 * 1000,
						    .log_kept = 1000,
						    .log_served = 50000});
	uint64_t whole = 4000 * (VALUE_SIZE + 60);
	usec_t took;

	(void)state;
	run_until(w, w->now + USEC_PER_SEC / 4);
	w->slowest = 0;
	w->node_count = 34;
	for (unsigned i = 2; i < w->node_count; i++)
		start(w, i, NULL);
	form(w);
	took = run_until_caught_up(w, 2, 10 * USEC_PER_SEC);
	print_message("32 caught up in %llu ms, %llu kB of snapshots, slowest write %llu ms\n",
		      (unsigned long long)took / 1000,
		      (unsigned long long)w->said[MSG_SNAPSHOT] / 1000,
		      (unsigned long long)w->slowest / 1000);
	assert_true(w->said[MSG_SNAPSHOT] < 4 * whole);
	assert_true(w->slowest < USEC_PER_SEC / 2);
	rest(w);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_far_behind_joins_while_others_write),
		cmocka_unit_test(what_is_old_when_it_comes_is_followed_by_less),
		cmocka_unit_test(many_empty_ones_join_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
