/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of entries accepted from a leader (S3): what joins the log, what is cut, what ends it. */
#include "tests/unit/cluster/scenes.h"

/* A second history that shares the first entry, and the barrier of epoch 2 if asked for. */
static void fork_chain(struct chain *other, bool has_barrier)
{
	*other = (struct chain){0};
	chain_voters(other, 1, 3);
	chain_barriers(other, 2, has_barrier);
}

static void a_shorter_or_repeated_append_cuts_nothing(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_follow(&p, &c);
	chain_barriers(&c, 2, 1);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	puppet_synced(&p);
	puppet_hear(&p, 2, chain_append(&c, 2, 2, 2));
	assert_rule(CUT_BY_SHORTER, log_last(replica_log(p.r)).index == 3);
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	assert_true(puppet_said(&p, MSG_ACK, &m)); /* the current one */
	assert_int_equal(m.ack.index, 3);
	puppet_end(&p, &c);
}

static void a_conflict_cuts_and_restores_the_voters(void **state)
{
	struct puppet p;
	struct chain c, other;

	(void)state;
	scene_follow(&p, &c);
	chain_voters(&c, 2, 2);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	assert_int_equal(replica_voters(p.r)->count, 2);
	fork_chain(&other, true);
	chain_barriers(&other, 3, 1);
	puppet_hear(&p, 3, chain_append(&other, 3, 3, 3));
	assert_int_equal(puppet_effect(&p, EFFECT_PERSIST)->persist->cut_from, 3);
	assert_int_equal(replica_voters(p.r)->count, 3);
	assert_int_equal(log_last(replica_log(p.r)).epoch, 3);
	log_fini(&other.log);
	puppet_end(&p, &c);
}

static void a_gap_is_asked_for(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	scene_follow(&p, &c);
	chain_barriers(&c, 2, 2);
	puppet_hear(&p, 2, chain_append(&c, 2, 4, 4));
	assert_true(puppet_said(&p, MSG_FETCH, &m));
	assert_int_equal(m.fetch.position.index, 2);
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	puppet_end(&p, &c);
}

/* Index 3 comes next here, but the leader's entry 3 follows another entry 2. */
static void another_previous_entry_is_not_joined(void **state)
{
	struct puppet p;
	struct chain c, other;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	fork_chain(&other, false);
	chain_barriers(&other, 3, 2);
	puppet_hear(&p, 3, chain_append(&other, 3, 3, 3));
	assert_rule(APPEND_UNCHECKED, log_last(replica_log(p.r)).index == 2);
	assert_true(puppet_says(&p, MSG_FETCH));
	log_fini(&other.log);
	puppet_end(&p, &c);
}

static void contradicting_what_is_committed_ends_it(void **state)
{
	struct puppet p;
	struct chain c, other;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	puppet_hear(&p, 2, say_ack(2, 2));
	fork_chain(&other, false);
	chain_barriers(&other, 3, 1);
	puppet_hear(&p, 3, chain_append(&other, 3, 2, 2));
	assert_non_null(puppet_effect(&p, EFFECT_LEAVE));
	assert_int_equal(replica_role(p.r), ROLE_LEFT);
	log_fini(&other.log);
	puppet_end(&p, &c);
}

/* A leader of epoch 2 that is cut off may still want another entry 2, after this member has learned from STATE that
 * its own is committed, by a leader of epoch 5 that it never promised anything. That is no corruption. */
static void a_stale_leader_is_no_contradiction(void **state)
{
	struct puppet p;
	struct chain c, other;
	struct message m;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	m = puppet_state(&p, (struct position){5, 3}, 0);
	m.state.committed = (struct position){2, 2};
	memcpy(m.state.committed_hash, log_at(&c.log, 2)->hash, SHA256_SIZE);
	m.state.committed_epoch = 5;
	puppet_hear(&p, 3, m);
	assert_int_equal(replica_committed(p.r), 2);
	fork_chain(&other, false);
	chain_barriers(&other, 4, 1);
	puppet_hear(&p, 2, chain_append(&other, 4, 2, 2));
	assert_rule(COMMITTED_WITHOUT_EPOCH, !puppet_effect(&p, EFFECT_LEAVE));
	assert_true(puppet_says(&p, MSG_REFUSE));
	log_fini(&other.log);
	puppet_end(&p, &c);
}

static void an_entry_of_the_future_ends_it(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	scene_follow(&p, &c);
	chain_add(&c, 2, ENTRY_FORK + 1, NULL, 0);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	assert_rule(KIND_SKIPPED, puppet_effect(&p, EFFECT_LEAVE));
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shorter_or_repeated_append_cuts_nothing),
		cmocka_unit_test(a_conflict_cuts_and_restores_the_voters),
		cmocka_unit_test(a_gap_is_asked_for),
		cmocka_unit_test(another_previous_entry_is_not_joined),
		cmocka_unit_test(contradicting_what_is_committed_ends_it),
		cmocka_unit_test(a_stale_leader_is_no_contradiction),
		cmocka_unit_test(an_entry_of_the_future_ends_it),
	};

	puppet_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
