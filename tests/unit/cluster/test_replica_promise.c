/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of promises (S1): to whom, when it is said, and what it forbids from then on. */
#include "tests/unit/cluster/scenes.h"

static void accepting_raises_the_promise_in_the_same_transaction(void **state)
{
	struct puppet p;
	struct chain c;
	struct persist *written;

	(void)state;
	scene_follow(&p, &c);
	written = puppet_effect(&p, EFFECT_PERSIST)->persist;
	assert_int_equal(written->entry_count, 1);
	assert_rule(ACCEPT_WITHOUT_PROMISE, written->meta.promised == 2);
	puppet_synced(&p);
	puppet_hear(&p, 3, say_claim(2, 2, 2)); /* so nobody else gets the epoch */
	assert_true(puppet_says(&p, MSG_REFUSE));
	puppet_end(&p, &c);
}

static void a_promise_is_said_once_it_is_on_disk(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	puppet_hear(&p, 3, say_claim(3, 2, 2));
	assert_rule(PROMISE_BEFORE_SYNC, !puppet_says(&p, MSG_PROMISE));
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_PROMISE, &m));
	assert_int_equal(m.promise.epoch, 3);
	puppet_end(&p, &c);
}

/* Epoch 3 is promised to node 3; then the machine loses power. Node 2, which never heard of it, claims the same. */
static void a_promise_outlives_the_process(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	puppet_hear(&p, 3, say_claim(3, 2, 2));
	puppet_synced(&p);
	puppet_restart(&p, true);
	puppet_synced(&p);
	puppet_view(&p, 6, 2);
	puppet_hear(&p, 2, puppet_state(&p, (struct position){2, 3}, 0));
	puppet_hear(&p, 2, say_claim(3, 2, 3));
	puppet_synced(&p);
	assert_rule(PROMISE_IN_MEMORY, replica_meta(p.r)->promised_to.member.node == 3);
	puppet_end(&p, &c);
}

static void an_acknowledgement_is_dropped_behind_a_higher_promise(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;
	uint64_t ticket;

	(void)state;
	scene_follow(&p, &c);
	ticket = p.ticket;
	puppet_hear(&p, 3, say_claim(3, 2, 2));
	puppet_synced_to(&p, ticket);
	assert_false(puppet_says(&p, MSG_ACK));
	assert_false(puppet_says(&p, MSG_PROMISE)); /* that one is not yet on disk */
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_PROMISE, &m));
	assert_int_equal(m.promise.epoch, 3);
	puppet_end(&p, &c);
}

/* Entry (2, 2) is queued to the disk when node 3, which does not have it, claims epoch 3. A promise to it and an
 * acknowledgement of (2, 2) must not both be said: with the one node 3 leads without the entry, with the other node 2
 * answers that it is done. */
static void no_promise_beside_an_acknowledgement(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_follow(&p, &c);
	puppet_hear(&p, 3, say_claim(3, 1, 1));
	puppet_synced(&p);
	assert_rule(ACK_AFTER_PROMISE, !(puppet_says(&p, MSG_PROMISE) && puppet_says(&p, MSG_ACK)));
	assert_true(puppet_says(&p, MSG_ACK)); /* what is queued counts: it was refused */
	puppet_end(&p, &c);
}

static void a_promise_is_given_once(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	puppet_hear(&p, 3, say_claim(3, 2, 2));
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_PROMISE, &m));
	puppet_hear(&p, 2, say_claim(3, 2, 2)); /* somebody else, the same epoch */
	assert_false(puppet_says(&p, MSG_PROMISE));
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	assert_int_equal(m.refuse.promised, 3);
	puppet_hear(&p, 3, say_claim(3, 2, 2)); /* the same again */
	assert_true(puppet_says(&p, MSG_PROMISE));
	puppet_hear(&p, 3, say_claim(3, 2, 3)); /* with another position */
	assert_rule(PROMISE_REPEATED, !puppet_says(&p, MSG_PROMISE));
	m = say_claim(3, 2, 2);
	m.from = (struct claimant){.member = puppet_member(3), .start = 2}; /* another process */
	puppet_hear(&p, 3, m);
	assert_rule(PROMISE_REPEATED, !puppet_says(&p, MSG_PROMISE));
	puppet_end(&p, &c);
}

static void a_shorter_log_is_promised_nothing(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_follow(&p, &c); /* entry 2 is queued to the disk: that counts */
	puppet_hear(&p, 3, say_claim(9, 1, 1));
	assert_rule(PROMISE_LOWER, replica_meta(p.r)->promised == 2);
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	assert_int_equal(m.refuse.position.index, 2);
	puppet_end(&p, &c);
}

static void a_longer_log_of_a_lower_epoch_is_promised_nothing(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	puppet_hear(&p, 3, say_claim(9, 1, 40));
	assert_rule(POSITION_BY_INDEX, replica_meta(p.r)->promised == 2);
	assert_true(puppet_says(&p, MSG_REFUSE));
	puppet_end(&p, &c);
}

static void what_is_below_the_promise_is_refused(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_follow(&p, &c);
	puppet_hear(&p, 3, say_claim(3, 2, 2));
	chain_barriers(&c, 2, 1);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	assert_rule(LOWER_APPEND, log_last(replica_log(p.r)).index == 2);
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	assert_int_equal(m.refuse.epoch, 2);
	puppet_hear(&p, 2, (struct message){.type = MSG_ALIVE, .alive.epoch = 2});
	assert_true(puppet_says(&p, MSG_REFUSE));
	puppet_end(&p, &c);
}

/* Of five, this one has promised epoch 3 to node 3; nodes 2, 4 and 5 promised it to node 2, which leads. */
static void who_was_promised_nothing_may_lead(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_follow_of(&p, &c, 5);
	puppet_synced(&p);
	puppet_hear(&p, 3, say_claim(3, 2, 2));
	puppet_synced(&p);
	chain_barriers(&c, 3, 1);
	puppet_hear(&p, 2, chain_append(&c, 3, 3, 3));
	assert_rule(SAME_EPOCH_STRANGER, log_last(replica_log(p.r)).index == 3);
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepting_raises_the_promise_in_the_same_transaction),
		cmocka_unit_test(a_promise_is_said_once_it_is_on_disk),
		cmocka_unit_test(a_promise_outlives_the_process),
		cmocka_unit_test(an_acknowledgement_is_dropped_behind_a_higher_promise),
		cmocka_unit_test(no_promise_beside_an_acknowledgement),
		cmocka_unit_test(a_promise_is_given_once),
		cmocka_unit_test(a_shorter_log_is_promised_nothing),
		cmocka_unit_test(a_longer_log_of_a_lower_epoch_is_promised_nothing),
		cmocka_unit_test(what_is_below_the_promise_is_refused),
		cmocka_unit_test(who_was_promised_nothing_may_lead),
	};

	puppet_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
