/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of a member that is caught up by state: the whole, differences, and what goes wrong with them. */
#include "tests/unit/cluster/history.h"

/* Entries of the leader, committed; on the own disk as well. */
static void hear_entries(struct puppet *p, struct chain *c, uint64_t epoch, uint64_t from)
{
	struct message m = chain_append(c, epoch, from, last(c));

	m.append.to = 1;
	m.append.committed = last(c);
	puppet_hear(p, 2, m);
	puppet_synced(p);
	assert_int_equal(replica_state(p->r)->at.index, last(c));
}

/* Node 2 leads epoch 2; /a, /b and /c are here. Then it goes far ahead, and changes some of them. */
static void lag(struct puppet *p, struct chain *c)
{
	static const char *const paths[] = {"/a", "/b", "/c"};
	struct message m;

	puppet_start(p, c, 3);
	puppet_hear(p, 3, puppet_state(p, (struct position){1, 1}, 0));
	puppet_hear(p, 2, puppet_state(p, (struct position){2, 2}, 2));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		put(c, 2, paths[i], "old");
	hear_entries(p, c, 2, 2);
	delete (c, 2, "/b");
	put(c, 2, "/c", "new");
	put(c, 2, "/d", "new");
	put(c, 2, "/e", "new");
	m = chain_append(c, 2, last(c), last(c));
	puppet_hear(p, 2, m); /* a gap */
	assert_true(puppet_said(p, MSG_FETCH, &m));
	assert_int_equal(m.fetch.values, 3);
}

static void inquire(struct puppet *p, uint64_t list, uint64_t offset)
{
	puppet_hear(
		p, 2,
		(struct message){.type = MSG_INQUIRY,
				 .inquiry = {.to = 1, .epoch = 2, .list = list, .offset = offset}});
}

/* A chunk of a portion of that state, as node 2 says it. list 0: of the whole. */
static struct message chunk(const struct frozen *f, const struct portion *s, uint64_t list,
			    uint64_t offset, size_t max)
{
	static char bytes[64 * 1024];
	autobuf data = BUF_INIT;
	struct message m = {.type = MSG_SNAPSHOT,
			    .snapshot = {.to = 1,
					 .epoch = 2,
					 .at = f->at,
					 .list = list,
					 .total = s->total,
					 .offset = offset,
					 .data = bytes}};

	m.snapshot.size = portion_read(f, s, offset, max, &data);
	memcpy(bytes, data.data, data.size);
	memcpy(m.snapshot.hash, f->hash, SHA256_SIZE);
	memcpy(m.snapshot.digest, f->digest, SHA256_SIZE);
	return m;
}

static void tells_what_it_has_when_it_is_asked(void **state)
{
	struct state *held;
	struct puppet p;
	struct chain c;
	struct message m;
	autobuf list = BUF_INIT;

	(void)state;
	lag(&p, &c);
	held = state_of(&c, 4);
	inquire(&p, 0, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	list_encode(held->kv, &list);
	assert_int_equal(m.list.to, 2);
	assert_int_equal(m.list.total, list.size);
	assert_int_equal(m.list.size, list.size);
	assert_memory_equal(m.list.data, list.data, list.size);
	inquire(&p, m.list.list, list.size / 3); /* the rest of it */
	assert_true(puppet_said(&p, MSG_LIST, &m));
	assert_int_equal(m.list.offset, list.size / 3);
	state_free(held);
	puppet_end(&p, &c);
}

/* Nobody else must be answered, and nobody who does not ask. */
static void tells_its_leader_alone(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m = {.type = MSG_INQUIRY, .inquiry = {.to = 3, .epoch = 2}};

	(void)state;
	lag(&p, &c);
	puppet_hear(&p, 2, m);
	assert_false(puppet_said(&p, MSG_LIST, &m));
	m = (struct message){.type = MSG_INQUIRY, .inquiry = {.to = 1, .epoch = 1}};
	puppet_hear(&p, 3, m);
	assert_false(puppet_said(&p, MSG_LIST, &m));
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	puppet_end(&p, &c);
}

static void a_difference_is_put_together_with_what_is_here(void **state)
{
	static const char changed[] = "/b\0/c\0/d\0/e";
	const struct persist *persist;
	struct comparison *difference;
	struct state *leaders;
	autobuf whole = BUF_INIT;
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	lag(&p, &c);
	leaders = state_of(&c, last(&c));
	inquire(&p, 0, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	difference = compare(leaders, m.list.data, m.list.size);
	assert_int_equal(difference->deleted, 1);
	assert_int_equal(difference->portion.count, 3);
	puppet_hear(&p, 2,
		    chunk(difference->frozen, &difference->portion, m.list.list, 0, 64 * 1024));
	assert_non_null(puppet_effect(&p, EFFECT_PERSIST));
	persist = puppet_effect(&p, EFFECT_PERSIST)->persist;
	state_encode(leaders, &whole);
	assert_rule(DIFFERENCE_WITHOUT_DELETIONS, persist->snapshot.size == whole.size);
	assert_memory_equal(persist->snapshot.data, whole.data, whole.size);
	assert_true(persist->has_changed);
	assert_int_equal(persist->changed.size, sizeof(changed));
	assert_memory_equal(persist->changed.data, changed, sizeof(changed));
	assert_false(puppet_said(&p, MSG_ACK, &m)); /* not before it is on disk */
	assert_int_equal(replica_state(p.r)->at.index, 4);
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_ACK, &m));
	assert_int_equal(m.ack.index, last(&c));
	assert_state(p.r, leaders);
	assert_int_equal(replica_caught_up(p.r)->differences, 1);
	comparison_free(difference);
	state_free(leaders);
	puppet_end(&p, &c);
}

static void a_wrong_difference_is_dropped_and_the_whole_asked_for(void **state)
{
	struct comparison *difference;
	autobuf list = BUF_INIT;
	struct state *leaders;
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	lag(&p, &c);
	leaders = state_of(&c, last(&c));
	inquire(&p, 0, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	list_encode(leaders->kv, &list); /* as if all were here */
	difference = compare(leaders, list.data, list.size);
	puppet_hear(&p, 2,
		    chunk(difference->frozen, &difference->portion, m.list.list, 0, 64 * 1024));
	assert_rule(DIFFERENCE_UNCHECKED, !puppet_effect(&p, EFFECT_PERSIST));
	assert_true(puppet_said(&p, MSG_FETCH, &m));
	assert_int_equal(m.fetch.values, 0);
	assert_int_equal(m.fetch.snapshot, 0);
	assert_int_equal(replica_caught_up(p.r)->fallbacks, 1);
	inquire(&p, 0, 0); /* late: it does not start over */
	assert_false(puppet_said(&p, MSG_LIST, &m));
	puppet_hear(&p, 2, chunk(difference->frozen, &difference->frozen->whole, 0, 0, 64 * 1024));
	puppet_synced(&p);
	assert_state(p.r, leaders);
	assert_int_equal(replica_caught_up(p.r)->whole, 1);
	comparison_free(difference);
	state_free(leaders);
	puppet_end(&p, &c);
}

/* Its state goes on between two questions: the answer to the first list is no answer any more. */
static void a_list_is_made_anew_when_the_state_has_changed(void **state)
{
	struct comparison *old;
	struct state *leaders;
	struct puppet p;
	struct chain c;
	struct message m;
	uint64_t first;

	(void)state;
	lag(&p, &c);
	inquire(&p, 0, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	first = m.list.list;
	leaders = state_of(&c, last(&c));
	old = compare(leaders, m.list.data, m.list.size);
	hear_entries(&p, &c, 2, 5); /* after all */
	put(&c, 2, "/f", "new");
	put(&c, 2, "/g", "new");
	puppet_hear(&p, 2, chain_append(&c, 2, last(&c), last(&c)));
	assert_true(puppet_said(&p, MSG_FETCH, &m));
	inquire(&p, first, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	assert_rule(DIFFERENCE_OTHER_BASE, m.list.list != first);
	assert_int_equal(m.list.offset, 0);
	puppet_hear(&p, 2, chunk(old->frozen, &old->portion, first, 0, 64 * 1024));
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	comparison_free(old);
	state_free(leaders);
	puppet_end(&p, &c);
}

/* Lost, repeated, late, and of an older state. */
static void chunks_may_come_in_any_way(void **state)
{
	struct state *older, *leaders;
	struct frozen *f, *f_older;
	struct puppet p;
	struct chain c;
	struct message m;
	size_t third;

	(void)state;
	lag(&p, &c);
	older = state_of(&c, last(&c) - 1);
	leaders = state_of(&c, last(&c));
	f = frozen_new(leaders);
	f_older = frozen_new(older);
	third = (size_t)f->whole.total / 3;
	puppet_hear(&p, 2, chunk(f_older, &f_older->whole, 0, 0, third)); /* another from now on */
	puppet_hear(&p, 2, chunk(f, &f->whole, 0, 0, third));
	puppet_hear(&p, 2, chunk(f, &f->whole, 0, 2 * third, 64 * 1024));
	puppet_hear(&p, 2, chunk(f, &f->whole, 0, 0, third));
	puppet_hear(&p, 2, chunk(f_older, &f_older->whole, 0, 0, third));
	p.now += 3 * USEC_PER_SEC;
	puppet_step(&p, (struct event){.type = EV_TICK});
	assert_true(puppet_said(&p, MSG_FETCH, &m));
	assert_int_equal(m.fetch.snapshot, f->at.index);
	assert_int_equal(m.fetch.list, 0);
	assert_int_equal(m.fetch.offset, third); /* nothing of that was lost again */
	puppet_hear(&p, 2, chunk(f, &f->whole, 0, third, third));
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	puppet_hear(&p, 2, chunk(f, &f->whole, 0, 2 * third, 64 * 1024));
	puppet_synced(&p);
	assert_state(p.r, leaders);
	frozen_unref(f);
	frozen_unref(f_older);
	state_free(older);
	state_free(leaders);
	puppet_end(&p, &c);
}

static void promises_go_on_while_chunks_come(void **state)
{
	struct comparison *difference;
	struct state *leaders;
	struct puppet p;
	struct chain c;
	struct message m;
	uint64_t list;

	(void)state;
	lag(&p, &c);
	leaders = state_of(&c, last(&c));
	inquire(&p, 0, 0);
	assert_true(puppet_said(&p, MSG_LIST, &m));
	list = m.list.list;
	difference = compare(leaders, m.list.data, m.list.size);
	puppet_hear(&p, 2, chunk(difference->frozen, &difference->portion, list, 0, 40));
	puppet_hear(&p, 3,
		    (struct message){.type = MSG_CLAIM, .claim = {.epoch = 3, .position = {2, 9}}});
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_PROMISE, &m));
	puppet_hear(&p, 2, chunk(difference->frozen, &difference->portion, list, 40, 64 * 1024));
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	comparison_free(difference);
	state_free(leaders);
	puppet_end(&p, &c);
}

/* Chunks of the whole that are sent for another member do for an empty one as well. */
static void a_whole_for_another_is_as_good(void **state)
{
	struct state *leaders;
	struct frozen *f;
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	puppet_start(&p, &c, 3);
	puppet_hear(&p, 3, puppet_state(&p, (struct position){1, 1}, 0));
	puppet_hear(&p, 2, puppet_state(&p, (struct position){2, 2}, 2));
	put(&c, 2, "/a", "x");
	put(&c, 2, "/b", "x");
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	leaders = state_of(&c, last(&c));
	f = frozen_new(leaders);
	m = chunk(f, &f->whole, 0, 0, 50);
	m.snapshot.to = 3;
	puppet_hear(&p, 2, m);
	m = chunk(f, &f->whole, 0, 50, 64 * 1024);
	m.snapshot.to = 3;
	puppet_hear(&p, 2, m);
	puppet_synced(&p);
	assert_state(p.r, leaders);
	frozen_unref(f);
	state_free(leaders);
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_it_has_when_it_is_asked),
		cmocka_unit_test(tells_its_leader_alone),
		cmocka_unit_test(a_difference_is_put_together_with_what_is_here),
		cmocka_unit_test(a_wrong_difference_is_dropped_and_the_whole_asked_for),
		cmocka_unit_test(a_list_is_made_anew_when_the_state_has_changed),
		cmocka_unit_test(chunks_may_come_in_any_way),
		cmocka_unit_test(promises_go_on_while_chunks_come),
		cmocka_unit_test(a_whole_for_another_is_as_good),
	};

	puppet_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
