/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of a member that claims and leads, of requests, admins, and of a disk that fails. */
#include "tests/unit/cluster/puppet.h"

static struct message ack(uint64_t epoch, uint64_t index)
{
	return (struct message){.type = MSG_ACK, .ack = {epoch, index}};
}

/* All have answered the first round, nobody leads: node 1 claims. */
static void claim(struct puppet *p, struct chain *c)
{
	struct message m;

	puppet_start(p, c, 3);
	puppet_hear(p, 2, puppet_state(p, (struct position){1, 1}, 0));
	puppet_hear(p, 3, puppet_state(p, (struct position){1, 1}, 0));
	assert_int_equal(replica_role(p->r), ROLE_CLAIMING);
	assert_false(puppet_said(p, MSG_CLAIM, &m)); /* it promises itself first, on disk */
}

static void hear_promise(struct puppet *p, uint32_t node, uint64_t epoch)
{
	struct message m = {.type = MSG_PROMISE,
			    .promise = {.epoch = epoch,
					.to = {.member = puppet_member(1), .start = 1},
					.position = {1, 1}}};

	puppet_hear(p, node, m);
}

static void lead(struct puppet *p, struct chain *c)
{
	claim(p, c);
	puppet_synced(p);
	hear_promise(p, 2, 2);
	assert_int_equal(replica_leads(p->r), 2);
}

/* The barrier is committed. */
static void lead_well(struct puppet *p, struct chain *c)
{
	lead(p, c);
	puppet_synced(p);
	puppet_hear(p, 2, ack(2, 2));
	assert_int_equal(replica_committed(p->r), 2);
}

static void ask(struct puppet *p, uint64_t handle, uint8_t id)
{
	struct store_op op = {.kind = STORE_PUT, .path = "/a", .value = "x", .size = 1};
	struct store_txn txn = {.id.bytes = {id}, .ops = &op, .op_count = 1};
	autobuf data = BUF_INIT;

	txn_encode(&txn, &data);
	puppet_step(p, (struct event){.type = EV_PROPOSE,
				      .propose = {.handle = handle,
						  .kind = REQUEST_TXN,
						  .id.bytes = {id},
						  .deadline = p->now + 5 * USEC_PER_SEC,
						  .payload = data.data,
						  .payload_size = data.size}});
}

static enum store_outcome answered(struct puppet *p)
{
	struct effect *e = puppet_effect(p, EFFECT_ANSWER);

	return e ? e->answer->result.outcome : 0;
}

static void claims_with_a_majority_of_promises(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	claim(&p, &c);
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_CLAIM, &m));
	assert_int_equal(m.claim.epoch, 2);
	hear_promise(&p, 3, 3); /* of another epoch */
	assert_int_equal(replica_leads(p.r), 0);
	hear_promise(&p, 4, 2); /* a learner's */
	assert_int_equal(replica_leads(p.r), 0);
	hear_promise(&p, 3, 2);
	assert_int_equal(replica_leads(p.r), 2);
	assert_true(puppet_said(&p, MSG_APPEND, &m)); /* the barrier, while it is being synced */
	assert_int_equal(m.append.entry_count, 1);
	puppet_end(&p, &c);
}

static void proposals_gather_while_a_sync_runs(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	lead(&p, &c);
	ask(&p, 1, 1);
	assert_false(puppet_said(&p, MSG_APPEND, &m));
	ask(&p, 2, 2);
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_APPEND, &m));
	assert_int_equal(m.append.entry_count, 2);
	puppet_end(&p, &c);
}

static void answers_once_a_majority_has_it(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	lead_well(&p, &c);
	ask(&p, 1, 1);
	puppet_synced(&p);
	assert_int_equal(answered(&p), 0);
	puppet_hear(&p, 4, ack(2, 3)); /* a learner */
	assert_int_equal(answered(&p), 0);
	puppet_hear(&p, 3, ack(2, 3));
	assert_int_equal(answered(&p), STORE_DONE);
	puppet_end(&p, &c);
}

static void a_higher_promise_stops_it_and_starts_a_round(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m = {.type = MSG_REFUSE, .refuse = {.to = 1, .epoch = 2, .promised = 7}};

	(void)state;
	lead_well(&p, &c);
	puppet_hear(&p, 3, m);
	assert_int_equal(replica_role(p.r), ROLE_SEEKING);
	assert_true(puppet_said(&p, MSG_STATE, &m));
	assert_false(puppet_said(&p, MSG_CLAIM, &m)); /* not above it at once */
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
	lead(&p, &c);
	puppet_hear(&p, 2,
		    (struct message){.type = MSG_REFUSE,
				     .refuse = {.to = 1, .epoch = 2, .promised = 3}});
	assert_true(puppet_said(&p, MSG_STATE, &m));
	for (uint32_t node = 2; node <= 3; node++) {
		m = puppet_state(&p, (struct position){1, 1}, 0);
		m.state.promised = m.state.measure.promised = 3;
		puppet_hear(&p, node, m);
	}
	assert_int_equal(replica_role(p.r), ROLE_SEEKING); /* although its log is the highest */
	p.now = replica_deadline(p.r);
	puppet_step(&p, (struct event){.type = EV_TICK});
	assert_int_equal(replica_role(p.r), ROLE_CLAIMING);
	puppet_end(&p, &c);
}

static void not_sent_and_unknown(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	lead(&p, &c); /* its disk is busy with the barrier */
	ask(&p, 1, 1);
	puppet_view(&p, 6, 1);
	assert_int_equal(replica_role(p.r), ROLE_SEEKING);
	ask(&p, 2, 2); /* there is no majority any more */
	assert_int_equal(answered(&p), STORE_NOT_SENT);
	puppet_end(&p, &c);

	lead_well(&p, &c);
	ask(&p, 1, 1); /* appended at once */
	p.now += 6 * USEC_PER_SEC;
	puppet_step(&p, (struct event){.type = EV_TICK});
	assert_int_equal(answered(&p), STORE_UNKNOWN);
	assert_int_equal(puppet_effect(&p, EFFECT_ANSWER)->answer->first, 2);
	puppet_end(&p, &c);
}

static void a_given_up_request_is_not_appended_later(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	lead(&p, &c); /* its disk is busy with the barrier */
	ask(&p, 1, 1);
	p.now += 6 * USEC_PER_SEC;
	puppet_step(&p, (struct event){.type = EV_TICK});
	assert_int_equal(answered(&p), STORE_NOT_SENT);
	puppet_synced(&p);
	if (puppet_said(&p, MSG_APPEND, &m))
		assert_int_equal(m.append.entry_count, 0);
	assert_int_equal(log_last(replica_log(p.r)).index, 2);
	puppet_end(&p, &c);
}

static void voters_change_one_at_a_time(void **state)
{
	struct puppet p;
	struct chain c;
	struct event ev = {.type = EV_PROPOSE,
			   .propose = {.kind = REQUEST_REMOVE_VOTER, .id.bytes = {1}}};
	autobuf two = BUF_INIT, three = BUF_INIT;
	struct member member = puppet_member(2);

	(void)state;
	lead(&p, &c);
	member_encode(&member, &two);
	member = puppet_member(3);
	member_encode(&member, &three);
	ev.propose.payload = three.data;
	ev.propose.payload_size = three.size;
	puppet_step(&p, ev); /* the barrier is not committed */
	assert_int_equal(replica_voters(p.r)->count, 3);
	puppet_synced(&p);
	puppet_hear(&p, 2, ack(2, 2));
	assert_int_equal(replica_voters(p.r)->count, 2);
	ev.propose.payload = two.data;
	ev.propose.id.bytes[0] = 2;
	puppet_step(&p, ev); /* one disk would remain */
	assert_int_equal(answered(&p), STORE_NOT_SENT);
	ev.propose.insists = true;
	puppet_step(&p, ev); /* the list before is not committed */
	assert_int_equal(replica_voters(p.r)->count, 2);
	puppet_synced(&p);
	puppet_hear(&p, 2, ack(2, 3));
	assert_int_equal(replica_voters(p.r)->count, 1);
	puppet_end(&p, &c);
}

/* Node 1 removed itself from a list of two, and was cut off: its entry is here alone. Node 2 needs its promise and does
 * not get it, because the log here is longer. So node 1 claims although its own list is without it. */
static void who_removed_itself_may_still_claim(void **state)
{
	struct replica_options options = replica_options_default;
	struct voters other = {.count = 1, .items = {puppet_member(2)}};
	struct replica_disk disk = {.meta = {.cluster.bytes = {1},
					     .incarnation = puppet_member(1).incarnation,
					     .promised = 1,
					     .accepted = {1, 2}}};
	struct log_entry *entries[2];
	struct puppet p = {.now = USEC_PER_SEC, .cluster = 1};
	struct chain c = {0};
	autobuf payload = BUF_INIT;
	struct message m;

	(void)state;
	chain_voters(&c, 1, 2);
	voters_payload_encode(&(struct uuid){0}, &other, &payload);
	chain_add(&c, 1, ENTRY_VOTERS, payload.data, payload.size);
	for (uint64_t i = 0; i < 2; i++)
		entries[i] = log_entry_ref(log_at(&c.log, i + 1));
	disk.entries = entries;
	disk.entry_count = 2;
	options.has_group = true;
	p.r = replica_new(&options);
	puppet_step(&p, (struct event){.type = EV_STARTED, .started = &disk});
	puppet_synced(&p);
	puppet_view(&p, 5, 2);
	puppet_hear(&p, 2, puppet_state(&p, (struct position){1, 1}, 0));
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_CLAIM, &m));
	puppet_end(&p, &c);
}

static void a_thaw_stops_it_until_a_round_is_over(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;

	(void)state;
	lead_well(&p, &c);
	assert_true(replica_is_current(p.r));
	puppet_step(&p, (struct event){.type = EV_THAW});
	assert_int_equal(replica_leads(p.r), 0);
	assert_false(replica_is_current(p.r));
	assert_true(puppet_said(&p, MSG_STATE, &m));
	puppet_end(&p, &c);
}

static void a_failed_sync_is_the_end_and_says_so_first(void **state)
{
	struct puppet p;
	struct chain c;

	(void)state;
	lead_well(&p, &c);
	ask(&p, 1, 1);
	puppet_step(&p, (struct event){.type = EV_PERSIST_FAILED, .failed = {.ticket = p.ticket}});
	assert_int_equal(p.out.items[0].type, EFFECT_READ_ONLY);
	assert_int_equal(answered(&p), STORE_UNKNOWN);
	assert_non_null(puppet_effect(&p, EFFECT_LEAVE));
	ask(&p, 2, 2);
	assert_int_equal(answered(&p), STORE_NOT_SENT);
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
	assert_non_null(puppet_effect(&p, EFFECT_READ_ONLY));
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
	assert_non_null(puppet_effect(&p, EFFECT_READ_ONLY));
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
	assert_non_null(puppet_effect(&p, EFFECT_LEAVE));
	puppet_end(&p, &c);
}

static void a_suspect_is_asked_and_does_not_count(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m, low;

	(void)state;
	lead_well(&p, &c);
	puppet_step(&p, (struct event){.type = EV_THAW});
	low = puppet_state(&p, (struct position){1, 1}, 0);
	low.state.measure = (struct measure){.start = 1}; /* it has acknowledged (2, 2) */
	puppet_hear(&p, 2, low);
	assert_true(puppet_said(&p, MSG_GONE, &m));
	assert_int_equal(m.gone.to, 2);
	assert_int_equal(m.gone.seen.measure.accepted.index, 2);
	puppet_end(&p, &c);
}

static void a_program_too_old_for_its_log_is_not_forced(void **state)
{
	static const uint8_t level[20] = {[16] = REPLICA_LEVEL + 1};
	struct puppet p;
	struct chain c;
	struct message m;
	int ret = 1;

	(void)state;
	lead(&p, &c);
	chain_add(&c, 3, ENTRY_LEVEL, level, sizeof(level));
	m = chain_append(&c, 3, 2, 2);
	puppet_hear(&p, 2, m);
	puppet_step(&p,
		    (struct event){.type = EV_FORCE, .force = {.fork.bytes = {9}, .ret = &ret}});
	assert_int_equal(ret, -ERR_UNSUPPORTED);
	assert_null(puppet_effect(&p, EFFECT_PERSIST));
	puppet_end(&p, &c);
}

static void forks_and_clusters_do_not_mix(void **state)
{
	struct puppet p;
	struct chain c;
	int ret = 1;

	(void)state;
	lead_well(&p, &c);
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
	assert_true(replica_leads(p.r) > 2); /* the others are another fork now */
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
	ask(&p, 1, 1);
	puppet_synced(&p);
	assert_int_equal(answered(&p), STORE_DONE);
	assert_int_equal(replica_deadline(p.r), 0); /* and nothing is to be done */
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_with_a_majority_of_promises),
		cmocka_unit_test(proposals_gather_while_a_sync_runs),
		cmocka_unit_test(answers_once_a_majority_has_it),
		cmocka_unit_test(a_higher_promise_stops_it_and_starts_a_round),
		cmocka_unit_test(who_is_deposed_before_its_first_commit_lets_others_try),
		cmocka_unit_test(not_sent_and_unknown),
		cmocka_unit_test(a_given_up_request_is_not_appended_later),
		cmocka_unit_test(voters_change_one_at_a_time),
		cmocka_unit_test(who_removed_itself_may_still_claim),
		cmocka_unit_test(a_thaw_stops_it_until_a_round_is_over),
		cmocka_unit_test(a_failed_sync_is_the_end_and_says_so_first),
		cmocka_unit_test(a_disk_gone_back_in_time_is_found_out),
		cmocka_unit_test(a_disk_of_an_earlier_start_is_found_out),
		cmocka_unit_test(a_copy_of_the_database_is_found_out),
		cmocka_unit_test(a_suspect_is_asked_and_does_not_count),
		cmocka_unit_test(a_program_too_old_for_its_log_is_not_forced),
		cmocka_unit_test(forks_and_clusters_do_not_mix),
		cmocka_unit_test(one_voter_needs_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
