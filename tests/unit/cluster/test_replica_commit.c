/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of acknowledgements and what they commit (S4), and of application (S5). */
#include "tests/unit/cluster/scenes.h"

static void acknowledges_once_it_is_on_disk(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_follow(&p, &c);
	assert_non_null(puppet_effect(&p, EFFECT_PERSIST));
	assert_rule(ACK_BEFORE_SYNC, !puppet_says(&p, MSG_ACK));
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_ACK, &m));
	assert_int_equal(m.ack.epoch, 2);
	assert_int_equal(m.ack.index, 2);
	puppet_end(&p, &c);
}

static void commits_by_a_majority_of_its_epoch_only(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	puppet_hear(&p, 2, say_ack(1, 2)); /* of another epoch */
	assert_int_equal(replica_committed(p.r), 0);
	puppet_hear(&p, 2, say_ack(2, 1)); /* entry 1 was made in epoch 1 */
	assert_rule(COMMIT_OLD_EPOCH, replica_committed(p.r) == 0);
	puppet_hear(&p, 2, say_ack(2, 2));
	assert_int_equal(replica_committed(p.r), 2);
	assert_int_equal(replica_state(p.r)->at.index, 2);
	puppet_end(&p, &c);
}

/* Epoch 2 left entries 3 and 4 behind here. The leader of epoch 3 has others there; it tells that those are committed,
 * in an APPEND that reaches up to entry 2 only. */
static void what_is_not_verified_is_not_committed(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_follow(&p, &c);
	chain_barriers(&c, 2, 2);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 4));
	puppet_synced(&p);
	m = chain_append(&c, 3, 2, 2);
	m.append.committed = m.append.last = 4;
	puppet_hear(&p, 3, m);
	assert_rule(COMMIT_UNVERIFIED, replica_committed(p.r) <= 2);
	assert_int_equal(replica_committed(p.r), 2);
	puppet_end(&p, &c);
}

static void applies_what_is_on_its_own_disk_only(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_follow(&p, &c);
	puppet_hear(&p, 2, say_ack(2, 2));
	puppet_hear(&p, 3, say_ack(2, 2));
	assert_int_equal(replica_committed(p.r), 2);
	assert_rule(APPLY_BEFORE_SYNC, replica_state(p.r)->at.index == 1);
	puppet_synced(&p);
	assert_int_equal(replica_state(p.r)->at.index, 2);
	puppet_end(&p, &c);
}

static void an_old_incarnation_does_not_count(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m = say_ack(2, 2);

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	m.from = (struct claimant){.member = {.node = 2, .incarnation.bytes = {77}}, .start = 1};
	puppet_hear(&p, 2, m);
	assert_rule(ACK_BY_NODE, replica_committed(p.r) == 0);
	puppet_end(&p, &c);
}

static void answers_once_a_majority_has_it(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_lead_well(&p, &c);
	scene_ask(&p, 1, 0);
	puppet_synced(&p);
	assert_rule(ANSWER_BEFORE_COMMIT, !puppet_answered(&p));
	puppet_hear(&p, 3, say_ack(2, 3));
	assert_int_equal(puppet_answered(&p), STORE_DONE);
	puppet_end(&p, &c);
}

static void a_learner_does_not_count(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_lead_well(&p, &c);
	scene_ask(&p, 1, 0);
	puppet_synced(&p);
	puppet_hear(&p, 4, say_ack(2, 3));
	assert_rule(LEARNER_COUNTED, !puppet_answered(&p));
	puppet_hear(&p, 3, say_ack(2, 3));
	assert_int_equal(puppet_answered(&p), STORE_DONE);
	puppet_end(&p, &c);
}

/* An entry of epoch 1 that reached two disks and was never committed. Nobody writes any more. */
static void the_barrier_brings_in_what_was_left(void **state)
{
	struct puppet p;
	struct chain c = {0};
	struct message m;

	(void)state;
	chain_voters(&c, 1, 3);
	chain_barriers(&c, 1, 1);
	puppet_prepare(&p, &c, 1, 1, NULL);
	puppet_open(&p);
	puppet_synced(&p);
	puppet_view(&p, 5, 3);
	puppet_hear(&p, 2, puppet_state(&p, (struct position){1, 2}, 0));
	puppet_hear(&p, 3, puppet_state(&p, (struct position){1, 1}, 0));
	puppet_synced(&p);
	m = say_promise(2);
	m.promise.position.index = 2;
	puppet_hear(&p, 2, m);
	assert_int_equal(replica_leads(p.r), 2);
	for (int i = 0; i < 20; i++) { /* both acknowledge all that there is */
		puppet_synced(&p);
		puppet_hear(&p, 2, say_ack(2, log_last(replica_log(p.r)).index));
		puppet_hear(&p, 3, say_ack(2, log_last(replica_log(p.r)).index));
		if (replica_deadline(p.r))
			puppet_tick(&p);
	}
	assert_rule(NO_BARRIER, replica_committed(p.r) >= 2);
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acknowledges_once_it_is_on_disk),
		cmocka_unit_test(commits_by_a_majority_of_its_epoch_only),
		cmocka_unit_test(what_is_not_verified_is_not_committed),
		cmocka_unit_test(applies_what_is_on_its_own_disk_only),
		cmocka_unit_test(an_old_incarnation_does_not_count),
		cmocka_unit_test(answers_once_a_majority_has_it),
		cmocka_unit_test(a_learner_does_not_count),
		cmocka_unit_test(the_barrier_brings_in_what_was_left),
	};

	puppet_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
