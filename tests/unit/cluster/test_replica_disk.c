/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of disks that fail (S10), that went back in time (S11), and of forks (S12). */
#include "tests/unit/cluster/scenes.h"

static void a_failed_sync_is_the_end_and_says_so_first(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_lead_well(&p, &c);
	scene_ask(&p, 1, 0);
	puppet_step(&p, (struct event){.type = EV_PERSIST_FAILED, .failed = {.ticket = p.ticket}});
	assert_rule(MUTE_AFTER_FAILED_SYNC, puppet_effect(&p, EFFECT_LEAVE));
	assert_int_equal(p.out.items[0].type, EFFECT_READ_ONLY);
	assert_int_equal(puppet_answered(&p), STORE_UNKNOWN);
	scene_ask(&p, 2, 0);
	assert_int_equal(puppet_answered(&p), STORE_NOT_SENT);
	puppet_end(&p, &c);
}

static void a_full_disk_ends_it_until_there_is_room(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_follow(&p, &c);
	puppet_step(&p, (struct event){.type = EV_PERSIST_FAILED,
				       .failed = {.ticket = p.ticket, .is_full = true}});
	assert_non_null(puppet_effect(&p, EFFECT_LEAVE));
	assert_null(puppet_effect(&p, EFFECT_READ_ONLY));
	puppet_end(&p, &c);
}

static void nothing_is_said_before_the_opening_sync(void **state)
{
	struct puppet p;
	struct chain c = {0};

	(void)state;
	chain_voters(&c, 1, 3);
	puppet_prepare(&p, &c, 1, 1, NULL);
	puppet_open(&p);
	puppet_view(&p, 5, 3);
	assert_rule(SPEAK_BEFORE_OPENING, !puppet_effect(&p, EFFECT_SEND));
	puppet_hear(&p, 2, say_claim(7, 1, 1));
	assert_null(puppet_effect(&p, EFFECT_SEND));
	puppet_synced(&p);
	assert_true(puppet_says(&p, MSG_STATE));
	puppet_end(&p, &c);
}

static void a_disk_gone_back_in_time_is_found_out(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	puppet_start(&p, &c, 3);
	m = puppet_state(&p, (struct position){1, 1}, 0);
	m.state.seen_count = 1;
	m.state.seen[0] = (struct seen){.incarnation = puppet_member(1).incarnation,
					.measure = {.start = 1, .promised = 9}};
	puppet_hear(&p, 2, m);
	assert_rule(ROLLED_BACK_ACCEPTED, puppet_effect(&p, EFFECT_READ_ONLY));
	puppet_end(&p, &c);
}

/* Its disk may be of the day when it was the only voter. */
static void one_voter_in_a_group_asks_first(void **state)
{
	struct puppet p;
	struct chain c = {0};

	(void)state;
	chain_voters(&c, 1, 1);
	puppet_prepare(&p, &c, 1, 1, NULL);
	puppet_open(&p);
	puppet_synced(&p);
	assert_rule(ALONE_UNASKED, replica_role(p.r) == ROLE_SEEKING);
	puppet_view(&p, 5, 2);
	assert_int_equal(replica_role(p.r), ROLE_SEEKING);
	puppet_hear(&p, 2,
		    puppet_state(&p, (struct position){0, 0}, 0)); /* no voter, but it might know */
	assert_int_equal(replica_role(p.r), ROLE_CLAIMING);
	puppet_end(&p, &c);
}

static void a_disk_of_an_earlier_start_is_found_out(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	puppet_start(&p, &c, 3);
	m = (struct message){.type = MSG_GONE,
			     .gone = {.to = 1,
				      .seen = {.incarnation = puppet_member(1).incarnation,
					       .measure = {.start = 2, .promised = 1}}}};
	puppet_hear(&p, 2, m);
	assert_rule(START_UNSEEN, puppet_effect(&p, EFFECT_READ_ONLY));
	puppet_end(&p, &c);
}

static void a_copy_of_the_database_is_found_out(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	puppet_start(&p, &c, 3);
	m = puppet_state(&p, (struct position){1, 1}, 0);
	m.from = (struct claimant){
		.member = {.node = 2, .incarnation = puppet_member(1).incarnation}, .start = 1};
	puppet_hear(&p, 2, m);
	assert_rule(COPY_IGNORED, puppet_effect(&p, EFFECT_LEAVE));
	puppet_end(&p, &c);
}

static void a_suspect_is_asked_and_does_not_count(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m, low;

	(void)state;
	scene_lead_well(&p, &c);
	puppet_step(&p, (struct event){.type = EV_THAW});
	low = puppet_state(&p, (struct position){1, 1}, 0);
	low.state.measure = (struct measure){.start = 1}; /* it has acknowledged (2, 2) */
	puppet_hear(&p, 2, low);
	assert_true(puppet_said(&p, MSG_GONE, &m));
	assert_int_equal(m.gone.to, 2);
	assert_int_equal(m.gone.seen.measure.accepted.index, 2);
	puppet_end(&p, &c);
}

/* Epoch 3 leaves entries up to (3, 5) behind here, and STATE tells so. The leader of epoch 4 replaces them in several
 * messages, so that the log goes from (3, 5) to (2, 2). Node 3 repeats what it has seen: that is no disk gone back. */
static void a_log_that_gets_shorter_has_not_gone_back(void **state)
{
	struct puppet p;
	struct chain c, other = {0};
	struct message m;
	struct measure told;

	(void)state;
	puppet_start(&p, &c, 3);
	puppet_hear(&p, 3, puppet_state(&p, (struct position){1, 1}, 0));
	puppet_hear(&p, 2, puppet_state(&p, (struct position){3, 5}, 3));
	chain_barriers(&c, 3, 4);
	puppet_hear(&p, 2, chain_append(&c, 3, 2, 5));
	puppet_synced(&p);
	puppet_view(&p, 6, 3);
	assert_true(puppet_said(&p, MSG_STATE, &m));
	told = m.state.measure;
	assert_int_equal(told.accepted.index, 5);
	chain_voters(&other, 1, 3);
	chain_barriers(&other, 2, 1);
	m = chain_append(&other, 4, 2, 2);
	m.append.last = 3;
	puppet_hear(&p, 3, m);
	assert_int_equal(log_last(replica_log(p.r)).epoch, 2);
	puppet_synced(&p);
	m = (struct message){
		.type = MSG_GONE,
		.gone = {.to = 1, .seen = {puppet_member(1).incarnation, .measure = told}}};
	puppet_hear(&p, 3, m);
	assert_rule(MEASURE_BY_POSITION, !puppet_effect(&p, EFFECT_LEAVE));
	log_fini(&other.log);
	puppet_end(&p, &c);
}

static void forks_and_clusters_do_not_mix(void **state)
{
	struct puppet p;
	struct chain c;
	int ret = 1;

	(void)state;
	scene_lead_well(&p, &c);
	puppet_step(&p,
		    (struct event){.type = EV_FORCE, .force = {.fork.bytes = {9}, .ret = &ret}});
	assert_int_equal(ret, 0);
	assert_int_equal(replica_voters(p.r)->count, 1);
	puppet_synced(&p);
	puppet_synced(&p); /* it claims, alone */
	puppet_synced(&p);
	assert_true(replica_leads(p.r) > 2);
	puppet_hear(&p, 2,
		    (struct message){.type = MSG_REFUSE, .refuse = {.to = 1, .promised = 99}});
	assert_rule(FORK_IGNORED, replica_leads(p.r) > 2); /* the others are another fork now */
	puppet_end(&p, &c);
}

/* Rules of level 2 stand in the log, not committed, when the majority is lost: the only voter would stop at them. */
static void who_goes_on_alone_knows_the_rules(void **state)
{
	struct puppet p;
	struct chain c;
	autobuf payload = BUF_INIT;
	int ret = 1;

	(void)state;
	scene_follow(&p, &c);
	uuid_encode(&(struct uuid){{1}}, &payload);
	buf_add_u32(&payload, 2);
	chain_add(&c, 2, ENTRY_LEVEL, payload.data, payload.size);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	puppet_synced(&p);
	puppet_step(&p, (struct event){.type = EV_FORCE,
				       .force = {.fork.bytes = {9}, .insists = true, .ret = &ret}});
	assert_int_equal(ret, -ERR_UNSUPPORTED);
	assert_null(puppet_effect(&p, EFFECT_PERSIST)); /* and changes nothing */
	p.options.level = 2;				/* upgraded */
	puppet_restart(&p, false);
	puppet_synced(&p);
	puppet_step(&p, (struct event){.type = EV_FORCE,
				       .force = {.fork.bytes = {9}, .insists = true, .ret = &ret}});
	assert_int_equal(ret, 0);
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_sync_is_the_end_and_says_so_first),
		cmocka_unit_test(a_full_disk_ends_it_until_there_is_room),
		cmocka_unit_test(nothing_is_said_before_the_opening_sync),
		cmocka_unit_test(a_disk_gone_back_in_time_is_found_out),
		cmocka_unit_test(one_voter_in_a_group_asks_first),
		cmocka_unit_test(a_disk_of_an_earlier_start_is_found_out),
		cmocka_unit_test(a_copy_of_the_database_is_found_out),
		cmocka_unit_test(a_suspect_is_asked_and_does_not_count),
		cmocka_unit_test(a_log_that_gets_shorter_has_not_gone_back),
		cmocka_unit_test(forks_and_clusters_do_not_mix),
		cmocka_unit_test(who_goes_on_alone_knows_the_rules),
	};

	puppet_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
