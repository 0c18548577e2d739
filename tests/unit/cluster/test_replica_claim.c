/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of a member that claims, leads and stops leading (S2, L2, L3). */
#include "tests/unit/cluster/scenes.h"

static void claims_with_a_majority_of_promises(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_claim(&p, &c, NULL);
	assert_false(puppet_says(&p, MSG_CLAIM)); /* it promises itself first, on disk */
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_CLAIM, &m));
	assert_int_equal(m.claim.epoch, 2);
	puppet_hear(&p, 3, say_promise(3)); /* of another epoch */
	assert_int_equal(replica_leads(p.r), 0);
	puppet_hear(&p, 4, say_promise(2)); /* a learner's */
	assert_int_equal(replica_leads(p.r), 0);
	puppet_hear(&p, 3, say_promise(2));
	assert_int_equal(replica_leads(p.r), 2);
	assert_true(puppet_said(&p, MSG_APPEND, &m)); /* the barrier, while it is being synced */
	assert_int_equal(m.append.entry_count, 1);
	puppet_end(&p, &c);
}

/* Node 4 is no voter here, but its log is longer and may hold a list that makes it one. It is let go first; should it not
 * claim, this one does. */
static void who_is_ahead_goes_first_whatever_the_list(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	puppet_start(&p, &c, 3);
	puppet_view(&p, 6, 4);
	puppet_hear(&p, 4, puppet_state(&p, (struct position){2, 2}, 0));
	puppet_hear(&p, 2, puppet_state(&p, (struct position){1, 1}, 0));
	puppet_hear(&p, 3, puppet_state(&p, (struct position){1, 1}, 0));
	assert_rule(RANK_BY_OWN_LIST, replica_role(p.r) == ROLE_SEEKING);
	for (int i = 0; i < 3 && replica_role(p.r) == ROLE_SEEKING; i++)
		puppet_tick(&p);
	assert_int_equal(replica_role(p.r), ROLE_CLAIMING);
	puppet_end(&p, &c);
}

/* Node 2 is ahead and should claim, answers every round, and does nothing. */
static void who_is_behind_claims_in_the_end(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	puppet_start(&p, &c, 3);
	for (int i = 0; i < 10 && replica_role(p.r) == ROLE_SEEKING; i++) {
		puppet_hear(&p, 2, puppet_state(&p, (struct position){1, 2}, 0));
		puppet_hear(&p, 3, puppet_state(&p, (struct position){1, 1}, 0));
		puppet_tick(&p);
	}
	assert_rule(CLAIM_PUT_OFF, replica_role(p.r) == ROLE_CLAIMING);
	puppet_end(&p, &c);
}

/* Nobody answers. Between rounds it may wait longer and longer, but who says STATE wants the answers in one time-out:
 * members whose rounds last differently keep starting each other's anew. */
static void a_round_does_not_wait_longer_for_having_failed(void **state)
{
	struct puppet p;
	struct chain c;
	int rounds = 0;

	(void)state;
	puppet_start(&p, &c, 3);
	for (int i = 0; i < 12; i++) {
		puppet_tick(&p);
		if (!puppet_says(&p, MSG_STATE))
			continue;
		rounds++;
		assert_rule(ROUND_DOUBLED, replica_deadline(p.r) <= p.now + p.options.timeout);
	}
	assert_true(rounds > 2);
	puppet_end(&p, &c);
}

/* The process before this one claimed the same epoch; the answer to it comes late. */
static void a_promise_to_an_earlier_process_is_void(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	puppet_start(&p, &c, 3);
	puppet_restart(&p, false);
	puppet_synced(&p);
	puppet_view(&p, 6, 3);
	puppet_hear(&p, 2, puppet_state(&p, (struct position){1, 1}, 0));
	puppet_hear(&p, 3, puppet_state(&p, (struct position){1, 1}, 0));
	puppet_synced(&p);
	assert_true(puppet_says(&p, MSG_CLAIM));
	puppet_hear(&p, 2, say_promise(2)); /* to start 1, this is 2 */
	assert_rule(PROMISE_OF_BEFORE, replica_leads(p.r) == 0);
	puppet_end(&p, &c);
}

static void a_higher_promise_stops_it_and_starts_a_round(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m = {.type = MSG_REFUSE, .refuse = {.to = 1, .epoch = 2, .promised = 7}};

	(void)state;
	scene_lead_well(&p, &c);
	puppet_hear(&p, 3, m);
	assert_rule(CLAIM_ABOVE_AT_ONCE, replica_role(p.r) == ROLE_SEEKING);
	assert_true(puppet_says(&p, MSG_STATE));
	puppet_hear(&p, 2, puppet_state(&p, (struct position){2, 2}, 0));
	puppet_hear(&p, 3, puppet_state(&p, (struct position){1, 1}, 0));
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_CLAIM, &m));
	assert_int_equal(m.claim.epoch, 8);
	puppet_end(&p, &c);
}

/* Node 2 claims whenever node 1 leads and the other way round: each has the higher log in turn, by its barrier. */
static void who_is_deposed_before_its_first_commit_lets_others_try(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_lead(&p, &c);
	puppet_hear(&p, 2,
		    (struct message){.type = MSG_REFUSE,
				     .refuse = {.to = 1, .epoch = 2, .promised = 3}});
	assert_true(puppet_says(&p, MSG_STATE));
	for (uint32_t node = 2; node <= 3; node++) {
		m = puppet_state(&p, (struct position){1, 1}, 0);
		m.state.promised = m.state.measure.promised = 3;
		puppet_hear(&p, node, m);
	}
	/* although its log is the highest */
	assert_rule(DEPOSED_AT_ONCE, replica_role(p.r) == ROLE_SEEKING);
	puppet_tick(&p);
	assert_int_equal(replica_role(p.r), ROLE_CLAIMING);
	puppet_end(&p, &c);
}

static void a_restarted_leader_makes_no_entries_in_its_old_epoch(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_lead_well(&p, &c);
	puppet_restart(&p, false);
	puppet_synced(&p);
	assert_rule(EPOCH_RESUMED, replica_leads(p.r) == 0);
	puppet_view(&p, 6, 3);
	assert_false(puppet_says(&p, MSG_APPEND));
	puppet_hear(&p, 2, puppet_state(&p, (struct position){2, 2}, 0));
	puppet_hear(&p, 3, puppet_state(&p, (struct position){2, 2}, 0));
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_CLAIM, &m));
	assert_int_equal(m.claim.epoch, 3);
	puppet_end(&p, &c);
}

/* Node 1 removed itself from a list of two, and was cut off: its entry is here alone. Node 2 needs its promise and does
 * not get it, because the log here is longer. So node 1 claims although its own list is without it. */
static void who_removed_itself_may_still_claim(void **state)
{
	struct voters other = {.count = 1, .items = {puppet_member(2)}};
	struct puppet p;
	struct chain c = {0};
	autobuf payload = BUF_INIT;

	(void)state;
	chain_voters(&c, 1, 2);
	voters_payload_encode(&(struct uuid){0}, &other, &payload);
	chain_add(&c, 1, ENTRY_VOTERS, payload.data, payload.size);
	puppet_prepare(&p, &c, 1, 1, NULL);
	puppet_open(&p);
	puppet_synced(&p);
	puppet_view(&p, 5, 2);
	puppet_hear(&p, 2, puppet_state(&p, (struct position){1, 1}, 0));
	puppet_synced(&p);
	assert_rule(ELIGIBLE_BY_NEWEST, puppet_says(&p, MSG_CLAIM));
	puppet_end(&p, &c);
}

static void a_thaw_stops_it_until_a_round_is_over(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_lead_well(&p, &c);
	assert_true(replica_is_current(p.r));
	puppet_step(&p, (struct event){.type = EV_THAW});
	assert_rule(THAW_IGNORED, replica_leads(p.r) == 0);
	assert_false(replica_is_current(p.r));
	assert_true(puppet_says(&p, MSG_STATE));
	puppet_end(&p, &c);
}

/* The barrier was lost on its way to everybody. */
static void what_is_lost_is_sent_again(void **state)
{
	struct puppet p;
	struct chain c;
	bool again = false;

	(void)state;
	scene_lead(&p, &c);
	puppet_synced(&p);
	for (int i = 0; i < 3 && replica_deadline(p.r) && !again; i++) {
		puppet_tick(&p);
		again = puppet_says(&p, MSG_APPEND);
	}
	assert_rule(NO_TIMER, again);
	puppet_end(&p, &c);
}

/* A lost CLAIM too; and a claim that nobody answers comes to an end. */
static void a_claim_is_repeated_and_fails(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_claim(&p, &c, NULL);
	puppet_synced(&p);
	puppet_tick(&p);
	assert_true(puppet_said(&p, MSG_CLAIM, &m));
	assert_int_equal(m.claim.epoch, 2);
	puppet_tick(&p);
	assert_int_equal(replica_role(p.r), ROLE_SEEKING);
	assert_true(replica_deadline(p.r) > p.now); /* it will ask the others again */
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_with_a_majority_of_promises),
		cmocka_unit_test(who_is_ahead_goes_first_whatever_the_list),
		cmocka_unit_test(who_is_behind_claims_in_the_end),
		cmocka_unit_test(a_round_does_not_wait_longer_for_having_failed),
		cmocka_unit_test(a_promise_to_an_earlier_process_is_void),
		cmocka_unit_test(a_higher_promise_stops_it_and_starts_a_round),
		cmocka_unit_test(who_is_deposed_before_its_first_commit_lets_others_try),
		cmocka_unit_test(a_restarted_leader_makes_no_entries_in_its_old_epoch),
		cmocka_unit_test(who_removed_itself_may_still_claim),
		cmocka_unit_test(a_thaw_stops_it_until_a_round_is_over),
		cmocka_unit_test(what_is_lost_is_sent_again),
		cmocka_unit_test(a_claim_is_repeated_and_fails),
	};

	puppet_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
