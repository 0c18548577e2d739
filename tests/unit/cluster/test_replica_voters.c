/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of the list of voters and the level of the rules (S5, S8). */
#include "tests/unit/cluster/scenes.h"

static void voters_change_once_the_barrier_is_committed(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_lead(&p, &c);
	puppet_synced(&p);
	m = puppet_state(&p, (struct position){1, 1}, 0); /* the list itself is committed */
	m.state.committed = (struct position){1, 1};
	memcpy(m.state.committed_hash, log_at(&c.log, 1)->hash, SHA256_SIZE);
	m.state.committed_epoch = 1;
	puppet_hear(&p, 3, m);
	assert_int_equal(replica_committed(p.r), 1);
	scene_ask_change(&p, REQUEST_REMOVE_VOTER, 3, false);
	assert_rule(CHANGE_BEFORE_BARRIER, replica_voters(p.r)->count == 3);
	puppet_hear(&p, 2, say_ack(2, 2));
	assert_int_equal(replica_voters(p.r)->count, 2);
	puppet_end(&p, &c);
}

static void voters_change_one_at_a_time(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_lead_well(&p, &c);
	scene_ask_change(&p, REQUEST_REMOVE_VOTER, 3, false);
	assert_int_equal(replica_voters(p.r)->count, 2);
	scene_ask_change(&p, REQUEST_REMOVE_VOTER, 2, false); /* one disk would remain */
	assert_int_equal(puppet_answered(&p), STORE_NOT_SENT);
	scene_ask_change(&p, REQUEST_REMOVE_VOTER, 2, true);
	/* the list before is not committed */
	assert_rule(TWO_CHANGES, replica_voters(p.r)->count == 2);
	puppet_synced(&p);
	puppet_hear(&p, 2, say_ack(2, 3));
	assert_int_equal(replica_voters(p.r)->count, 1);
	puppet_end(&p, &c);
}

static void a_leader_that_removed_itself_does_not_count_itself(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_lead_well(&p, &c);
	scene_ask_change(&p, REQUEST_REMOVE_VOTER, 1, false);
	puppet_synced(&p);
	puppet_hear(&p, 2, say_ack(2, 3));
	assert_rule(REMOVED_COUNTS, replica_committed(p.r) == 2);
	puppet_hear(&p, 3, say_ack(2, 3));
	assert_int_equal(replica_committed(p.r), 3);
	assert_int_equal(replica_role(p.r), ROLE_SEEKING); /* its work is done */
	puppet_end(&p, &c);
}

/* ---- the level of the rules ---- */

static void tell_level(struct puppet *p, uint32_t node, struct position position, uint32_t level)
{
	struct message m = puppet_state(p, position, 0);

	m.state.level = level;
	m.state.promised = m.state.measure.promised = 2;
	puppet_hear(p, node, m);
}

static void ask_level(struct puppet *p, uint32_t level)
{
	autobuf payload = BUF_INIT;

	buf_add_u32(&payload, level);
	puppet_step(p, (struct event){.type = EV_PROPOSE,
				      .propose = {.kind = REQUEST_LEVEL,
						  .id.bytes = {0x1e},
						  .payload = payload.data,
						  .payload_size = payload.size}});
}

/* Its program knows level 2, it leads epoch 2 with nodes 2 and 3, of which level 1 is known. Of four in view. */
static void lead_level_two(struct puppet *p, struct chain *c)
{
	struct replica_options options = replica_options_default;

	options.level = 2;
	scene_claim(p, c, &options);
	puppet_synced(p);
	puppet_hear(p, 2, say_promise(2));
	puppet_synced(p);
	puppet_hear(p, 2, say_ack(2, 2));
	puppet_view(p, 6, 4);
	for (uint32_t node = 2; node <= 4; node++)
		tell_level(p, node, (struct position){2, 2}, 1);
	assert_int_equal(replica_leads(p->r), 2);
}

static void rules_are_raised_once_all_voters_know_them(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	lead_level_two(&p, &c);
	ask_level(&p, 2);
	assert_rule(LEVEL_UNCHECKED, log_last(replica_log(p.r)).index == 2);
	tell_level(&p, 2, (struct position){2, 2}, 2);
	assert_int_equal(log_last(replica_log(p.r)).index, 2);
	tell_level(&p, 3, (struct position){2, 2}, 2); /* node 4 is no voter */
	assert_int_equal(log_last(replica_log(p.r)).index, 3);
	puppet_end(&p, &c);
}

static void who_does_not_know_the_rules_becomes_no_voter(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	lead_level_two(&p, &c);
	tell_level(&p, 2, (struct position){2, 2}, 2);
	tell_level(&p, 3, (struct position){2, 2}, 2);
	ask_level(&p, 2);
	puppet_synced(&p);
	puppet_hear(&p, 2, say_ack(2, 3));
	assert_int_equal(replica_state(p.r)->level, 2);
	puppet_hear(&p, 4, say_ack(2, 3)); /* it has all, but its program is old */
	scene_ask_change(&p, REQUEST_ADD_VOTER, 4, false);
	assert_rule(ADMIT_ANY_LEVEL, replica_voters(p.r)->count == 3);
	tell_level(&p, 4, (struct position){2, 3}, 2);
	assert_int_equal(replica_voters(p.r)->count, 4);
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(voters_change_once_the_barrier_is_committed),
		cmocka_unit_test(voters_change_one_at_a_time),
		cmocka_unit_test(a_leader_that_removed_itself_does_not_count_itself),
		cmocka_unit_test(rules_are_raised_once_all_voters_know_them),
		cmocka_unit_test(who_does_not_know_the_rules_becomes_no_voter),
	};

	puppet_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
