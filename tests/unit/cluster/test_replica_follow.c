/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of a member that follows: promises, appends, acknowledgements, commits, snapshots. */
#include "tests/unit/cluster/puppet.h"

/* Node 2 leads epoch 2 with a barrier at index 2; node 1 has accepted it, not yet on disk. */
static void follow(struct puppet *p, struct chain *c)
{
	struct message m;

	puppet_start(p, c, 3);
	puppet_hear(p, 3, puppet_state(p, (struct position){1, 1}, 0));
	puppet_hear(p, 2, puppet_state(p, (struct position){2, 2}, 2));
	assert_int_equal(replica_role(p->r), ROLE_FOLLOWING);
	assert_true(puppet_said(p, MSG_FETCH, &m));
	chain_add(c, 2, ENTRY_BARRIER, NULL, 0);
	m = chain_append(c, 2, 2, 2);
	m.append.to = 1; /* the answer */
	puppet_hear(p, 2, m);
}

static struct message claim(uint64_t epoch, uint64_t last_epoch, uint64_t last)
{
	return (struct message){.type = MSG_CLAIM,
				.claim = {.epoch = epoch, .position = {last_epoch, last}}};
}

static struct message ack(uint64_t epoch, uint64_t index)
{
	return (struct message){.type = MSG_ACK, .ack = {epoch, index}};
}

static void acknowledges_once_it_is_on_disk(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	follow(&p, &c);
	assert_non_null(puppet_effect(&p, EFFECT_PERSIST));
	assert_false(puppet_said(&p, MSG_ACK, &m));
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_ACK, &m));
	assert_int_equal(m.ack.epoch, 2);
	assert_int_equal(m.ack.index, 2);
	puppet_end(&p, &c);
}

static void accepting_raises_the_promise_in_the_same_transaction(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	follow(&p, &c);
	assert_int_equal(puppet_effect(&p, EFFECT_PERSIST)->persist->meta.promised, 2);
	assert_int_equal(puppet_effect(&p, EFFECT_PERSIST)->persist->entry_count, 1);
	puppet_end(&p, &c);
}

static void an_acknowledgement_is_dropped_behind_a_higher_promise(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;
	uint64_t ticket;

	(void)state;
	follow(&p, &c);
	ticket = p.ticket;
	puppet_hear(&p, 3, claim(3, 2, 2));
	puppet_step(&p, (struct event){.type = EV_PERSISTED, .persisted = ticket});
	assert_false(puppet_said(&p, MSG_ACK, &m));
	assert_false(puppet_said(&p, MSG_PROMISE, &m)); /* that one is not yet on disk */
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_PROMISE, &m));
	assert_int_equal(m.promise.epoch, 3);
	puppet_end(&p, &c);
}

static void a_promise_is_given_once(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	follow(&p, &c);
	puppet_synced(&p);
	puppet_hear(&p, 3, claim(3, 2, 2));
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_PROMISE, &m));
	puppet_hear(&p, 2, claim(3, 2, 2)); /* somebody else, the same epoch */
	assert_false(puppet_said(&p, MSG_PROMISE, &m));
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	assert_int_equal(m.refuse.promised, 3);
	puppet_hear(&p, 3, claim(3, 2, 2)); /* the same again */
	assert_true(puppet_said(&p, MSG_PROMISE, &m));
	puppet_hear(&p, 3, claim(3, 2, 3)); /* with another position */
	assert_false(puppet_said(&p, MSG_PROMISE, &m));
	m = claim(3, 2, 2);
	m.from = (struct claimant){.member = puppet_member(3), .start = 2}; /* another process */
	puppet_hear(&p, 3, m);
	assert_false(puppet_said(&p, MSG_PROMISE, &m));
	puppet_end(&p, &c);
}

static void a_lower_position_is_promised_nothing(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	follow(&p, &c); /* entry 2 is queued to the disk: that counts */
	puppet_hear(&p, 3, claim(9, 1, 40));
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	assert_int_equal(m.refuse.position.index, 2);
	puppet_end(&p, &c);
}

static void what_is_below_the_promise_is_refused(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	follow(&p, &c);
	puppet_hear(&p, 3, claim(3, 2, 2));
	chain_add(&c, 2, ENTRY_BARRIER, NULL, 0);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	assert_int_equal(m.refuse.epoch, 2);
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	m = (struct message){
		.type = MSG_SNAPSHOT,
		.snapshot = {
			.to = 1, .epoch = 2, .at = {2, 9}, .total = 3, .data = "abc", .size = 3}};
	puppet_hear(&p, 2, m);
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	puppet_end(&p, &c);
}

static void a_shorter_or_repeated_append_cuts_nothing(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	follow(&p, &c);
	chain_add(&c, 2, ENTRY_BARRIER, NULL, 0);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	puppet_synced(&p);
	puppet_hear(&p, 2, chain_append(&c, 2, 2, 2));
	assert_int_equal(log_last(replica_log(p.r)).index, 3);
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	assert_true(puppet_said(&p, MSG_ACK, &m)); /* the current one */
	assert_int_equal(m.ack.index, 3);
	puppet_end(&p, &c);
}

static void a_conflict_cuts_and_restores_the_voters(void **state)
{
	struct puppet p;
	struct chain c, other = {0};

	(void)state;
	follow(&p, &c);
	chain_voters(&c, 2, 2);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	assert_int_equal(replica_voters(p.r)->count, 2);
	chain_voters(&other, 1, 3); /* the same first entry */
	chain_add(&other, 2, ENTRY_BARRIER, NULL, 0);
	chain_add(&other, 3, ENTRY_BARRIER, NULL, 0);
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
	follow(&p, &c);
	chain_add(&c, 2, ENTRY_BARRIER, NULL, 0);
	chain_add(&c, 2, ENTRY_BARRIER, NULL, 0);
	puppet_hear(&p, 2, chain_append(&c, 2, 4, 4));
	assert_true(puppet_said(&p, MSG_FETCH, &m));
	assert_int_equal(m.fetch.position.index, 2);
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	puppet_end(&p, &c);
}

static void commits_by_a_majority_of_its_epoch_only(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	follow(&p, &c);
	puppet_synced(&p);
	puppet_hear(&p, 2, ack(1, 2)); /* of another epoch */
	assert_int_equal(replica_committed(p.r), 0);
	puppet_hear(&p, 2, ack(2, 1)); /* entry 1 was made in epoch 1 */
	assert_int_equal(replica_committed(p.r), 0);
	puppet_hear(&p, 2, ack(2, 2));
	assert_int_equal(replica_committed(p.r), 2);
	assert_int_equal(replica_state(p.r)->at.index, 2);
	puppet_end(&p, &c);
}

static void applies_what_is_on_its_own_disk_only(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	follow(&p, &c);
	puppet_hear(&p, 2, ack(2, 2));
	puppet_hear(&p, 3, ack(2, 2));
	assert_int_equal(replica_committed(p.r), 2);
	assert_int_equal(replica_state(p.r)->at.index, 1);
	puppet_synced(&p);
	assert_int_equal(replica_state(p.r)->at.index, 2);
	puppet_end(&p, &c);
}

static void an_old_incarnation_does_not_count(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m = ack(2, 2);

	(void)state;
	follow(&p, &c);
	puppet_synced(&p);
	m.from = (struct claimant){.member = {.node = 2, .incarnation.bytes = {77}}, .start = 1};
	puppet_hear(&p, 2, m);
	assert_int_equal(replica_committed(p.r), 0);
	puppet_end(&p, &c);
}

static void contradicting_what_is_committed_ends_it(void **state)
{
	struct puppet p;
	struct chain c, other = {0};

	(void)state;
	follow(&p, &c);
	puppet_synced(&p);
	puppet_hear(&p, 2, ack(2, 2));
	chain_voters(&other, 1, 3);
	chain_add(&other, 3, ENTRY_BARRIER, NULL, 0);
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
	struct chain c, other = {0};
	struct message m;

	(void)state;
	follow(&p, &c);
	puppet_synced(&p);
	m = puppet_state(&p, (struct position){5, 3}, 0);
	m.state.committed = (struct position){2, 2};
	memcpy(m.state.committed_hash, log_at(&c.log, 2)->hash, SHA256_SIZE);
	m.state.committed_epoch = 5;
	puppet_hear(&p, 3, m);
	assert_int_equal(replica_committed(p.r), 2);
	chain_voters(&other, 1, 3);
	chain_add(&other, 4, ENTRY_BARRIER, NULL, 0);
	puppet_hear(&p, 2, chain_append(&other, 4, 2, 2));
	assert_null(puppet_effect(&p, EFFECT_LEAVE));
	assert_true(puppet_said(&p, MSG_REFUSE, &m));
	log_fini(&other.log);
	puppet_end(&p, &c);
}

static void an_entry_of_the_future_ends_it(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	follow(&p, &c);
	chain_add(&c, 2, ENTRY_FORK + 1, NULL, 0);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	assert_non_null(puppet_effect(&p, EFFECT_LEAVE));
	puppet_end(&p, &c);
}

static void a_snapshot_is_acknowledged_once_it_is_on_disk(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;
	struct state *s = state_new(KV_REQUESTS_KEPT);
	struct state_result result;
	autobuf data = BUF_INIT;

	(void)state;
	follow(&p, &c);
	puppet_synced(&p);
	for (int i = 0; i < 3; i++)
		chain_add(&c, 2, ENTRY_BARRIER, NULL, 0);
	for (uint64_t i = 1; i <= 5; i++)
		state_apply(s, log_at(&c.log, i), 1, NULL, NULL, &result, NULL);
	state_encode(s, &data);
	for (size_t half = 0; half < 2; half++) {
		size_t from = half * (data.size / 2);

		m = (struct message){.type = MSG_SNAPSHOT,
				     .snapshot = {.to = 1,
						  .epoch = 2,
						  .at = s->at,
						  .total = data.size,
						  .offset = from,
						  .data = data.data + from,
						  .size = half ? data.size - from : data.size / 2}};
		memcpy(m.snapshot.hash, s->hash, SHA256_SIZE);
		state_digest(s, m.snapshot.digest);
		assert_int_equal(log_last(replica_log(p.r)).index, 2);
		puppet_hear(&p, 2, m);
	}
	assert_true(puppet_effect(&p, EFFECT_PERSIST)->persist->snapshot.size > 0);
	assert_false(puppet_said(&p, MSG_ACK, &m));
	assert_int_equal(replica_state(p.r)->at.index, 0);
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_ACK, &m));
	assert_int_equal(m.ack.index, 5);
	assert_int_equal(replica_state(p.r)->at.index, 5);
	state_free(s);
	puppet_end(&p, &c);
}

static void catch_up_goes_on_from_what_is_verified(void **state)
{
	struct puppet p;
	struct chain c, other = {0};
	struct message m;

	(void)state;
	follow(&p, &c); /* epoch 2 leaves entries 3 to 6 behind here */
	for (int i = 0; i < 4; i++)
		chain_add(&c, 2, ENTRY_BARRIER, NULL, 0);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 6));
	chain_voters(&other, 1, 3);
	chain_add(&other, 2, ENTRY_BARRIER, NULL, 0);
	chain_add(&other, 2, ENTRY_BARRIER, NULL, 0);
	chain_add(&other, 3, ENTRY_BARRIER, NULL, 0);
	m = chain_append(&other, 3, 2, 2); /* one entry, which is here already */
	m.append.to = 1;
	m.append.last = 4;
	puppet_hear(&p, 3, m);
	assert_true(puppet_said(&p, MSG_FETCH, &m));
	assert_int_equal(m.fetch.position.index, 2); /* not 6 */
	log_fini(&other.log);
	puppet_end(&p, &c);
}

/* The answer to FETCH is lost, while entries of the leader keep coming. */
static void a_lost_answer_is_asked_for_again_under_load(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;
	bool again = false;

	(void)state;
	follow(&p, &c);
	for (int i = 0; i < 10; i++)
		chain_add(&c, 2, ENTRY_BARRIER, NULL, 0);
	puppet_hear(&p, 2, chain_append(&c, 2, 4, 4));
	assert_true(puppet_said(&p, MSG_FETCH, &m));
	for (uint64_t i = 5; i < 12 && !again; i++) {
		p.now += 300 * PUPPET_MS;
		puppet_hear(&p, 2, chain_append(&c, 2, i, i));
		again = puppet_said(&p, MSG_FETCH, &m);
	}
	assert_true(again);
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acknowledges_once_it_is_on_disk),
		cmocka_unit_test(accepting_raises_the_promise_in_the_same_transaction),
		cmocka_unit_test(an_acknowledgement_is_dropped_behind_a_higher_promise),
		cmocka_unit_test(a_promise_is_given_once),
		cmocka_unit_test(a_lower_position_is_promised_nothing),
		cmocka_unit_test(what_is_below_the_promise_is_refused),
		cmocka_unit_test(a_shorter_or_repeated_append_cuts_nothing),
		cmocka_unit_test(a_conflict_cuts_and_restores_the_voters),
		cmocka_unit_test(a_gap_is_asked_for),
		cmocka_unit_test(commits_by_a_majority_of_its_epoch_only),
		cmocka_unit_test(applies_what_is_on_its_own_disk_only),
		cmocka_unit_test(an_old_incarnation_does_not_count),
		cmocka_unit_test(contradicting_what_is_committed_ends_it),
		cmocka_unit_test(a_stale_leader_is_no_contradiction),
		cmocka_unit_test(an_entry_of_the_future_ends_it),
		cmocka_unit_test(a_snapshot_is_acknowledged_once_it_is_on_disk),
		cmocka_unit_test(catch_up_goes_on_from_what_is_verified),
		cmocka_unit_test(a_lost_answer_is_asked_for_again_under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
