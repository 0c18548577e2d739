/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of requests (S6, S7): gathered, given up, asked again, executed once. */
#include "tests/unit/cluster/scenes.h"

static void proposals_gather_while_a_sync_runs(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_lead(&p, &c);
	scene_ask(&p, 1, 0);
	assert_false(puppet_says(&p, MSG_APPEND));
	scene_ask(&p, 2, 0);
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_APPEND, &m));
	assert_int_equal(m.append.entry_count, 2);
	puppet_end(&p, &c);
}

static void without_a_majority_nothing_is_sent(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_lead(&p, &c); /* its disk is busy with the barrier */
	scene_ask(&p, 1, 0);
	puppet_view(&p, 6, 1);
	assert_int_equal(replica_role(p.r), ROLE_SEEKING);
	scene_ask(&p, 2, 0);
	assert_int_equal(puppet_answered(&p), STORE_NOT_SENT);
	puppet_end(&p, &c);
}

static void what_was_appended_is_unknown_until_it_is_applied(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_lead_well(&p, &c);
	scene_ask(&p, 1, 0); /* appended at once */
	p.now += 6 * USEC_PER_SEC;
	puppet_step(&p, (struct event){.type = EV_TICK});
	assert_rule(NO_QUORUM_AFTER_SEND, puppet_answered(&p) == STORE_UNKNOWN);
	assert_int_equal(puppet_effect(&p, EFFECT_ANSWER)->answer->first, 2);
	puppet_end(&p, &c);
}

static void a_given_up_request_is_not_appended_later(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_lead(&p, &c); /* its disk is busy with the barrier */
	scene_ask(&p, 1, 0);
	p.now += 6 * USEC_PER_SEC;
	puppet_step(&p, (struct event){.type = EV_TICK});
	assert_int_equal(puppet_answered(&p), STORE_NOT_SENT);
	puppet_synced(&p);
	assert_rule(GIVEN_UP_APPENDED, log_last(replica_log(p.r)).index == 2);
	puppet_end(&p, &c);
}

/* The same transaction stands in the log twice: its origin asked again before it heard of the first. */
static void a_repeated_request_happens_once(void **state)
{
	struct puppet p;
	struct chain c;
	autobuf txn = BUF_INIT;

	(void)state;
	scene_follow(&p, &c);
	txn_of(7, &txn);
	for (int i = 0; i < 2; i++)
		chain_add(&c, 2, ENTRY_TXN, txn.data, txn.size);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 4));
	puppet_synced(&p);
	puppet_hear(&p, 2, say_ack(2, 4));
	assert_int_equal(replica_state(p.r)->at.index, 4);
	assert_rule(NO_REQUESTS, kv_get(replica_state(p.r)->kv, "/a")->version == 3);
	puppet_end(&p, &c);
}

/* Commits what node 1 has, as the leader of epoch 2. */
static void commit_all(struct puppet *p)
{
	puppet_synced(p);
	puppet_hear(p, 2, say_ack(2, log_last(replica_log(p->r)).index));
	assert_int_equal(replica_committed(p->r), log_last(replica_log(p->r)).index);
}

/* Outcomes are kept for two indices. Request 1 was executed, its outcome is forgotten by now; its origin, which never
 * heard of it, asks again, with the index of the first asking. */
static void what_may_be_forgotten_is_not_executed_again(void **state)
{
	struct replica_options options = replica_options_default;
	struct puppet p;
	struct chain c;
	uint64_t version;

	(void)state;
	options.requests_kept = 2;
	scene_claim(&p, &c, &options);
	puppet_synced(&p);
	puppet_hear(&p, 2, say_promise(2));
	commit_all(&p);
	for (uint8_t id = 1; id <= 5; id++) {
		scene_ask(&p, id, 0);
		commit_all(&p);
	}
	version = kv_get(replica_state(p.r)->kv, "/a")->version;
	scene_ask(&p, 1, 2);
	commit_all(&p);
	assert_rule(FIRST_RENEWED, kv_get(replica_state(p.r)->kv, "/a")->version == version);
	assert_int_equal(puppet_answered(&p), STORE_UNKNOWN);
	puppet_end(&p, &c);
}

static void one_voter_needs_nobody(void **state)
{
	struct replica_options options = replica_options_default;
	struct replica_disk disk = {.meta.incarnation = puppet_member(1).incarnation};
	struct puppet p = {.now = 1};
	struct chain c = {0};

	(void)state;
	p.r = replica_new(&options);
	puppet_step(&p, (struct event){.type = EV_STARTED, .started = &disk});
	puppet_synced(&p);
	assert_int_equal(replica_role(p.r), ROLE_WAITING);
	puppet_step(&p, (struct event){.type = EV_FOUND, .cluster.bytes = {1}});
	puppet_synced(&p);
	puppet_synced(&p);
	assert_int_equal(replica_role(p.r), ROLE_LEADING);
	puppet_synced(&p);
	scene_ask(&p, 1, 0);
	puppet_synced(&p);
	assert_int_equal(puppet_answered(&p), STORE_DONE);
	assert_int_equal(replica_deadline(p.r), 0); /* and nothing is to be done */
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proposals_gather_while_a_sync_runs),
		cmocka_unit_test(without_a_majority_nothing_is_sent),
		cmocka_unit_test(what_was_appended_is_unknown_until_it_is_applied),
		cmocka_unit_test(a_given_up_request_is_not_appended_later),
		cmocka_unit_test(a_repeated_request_happens_once),
		cmocka_unit_test(what_may_be_forgotten_is_not_executed_again),
		cmocka_unit_test(one_voter_needs_nobody),
	};

	puppet_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
