/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of a member that lags: FETCH, what answers it, and snapshots (S9). */
#include "tests/unit/cluster/scenes.h"

/* The state after the first `index` entries of the chain, encoded. */
static struct state *state_of(const struct chain *c, uint64_t index, struct buf *out)
{
	struct state *s = state_new(KV_REQUESTS_KEPT);
	struct state_result result;

	for (uint64_t i = 1; i <= index; i++)
		state_apply(s, log_at(&c->log, i), 1, NULL, NULL, &result, NULL);
	state_encode(s, out);
	return s;
}

/* The snapshot of `s` in `parts` chunks, by the leader of that epoch. */
static void hear_snapshot(struct puppet *p, uint32_t node, uint64_t epoch, const struct state *s,
			  const struct buf *data, size_t parts)
{
	for (size_t i = 0; i < parts; i++) {
		size_t from = i * (data->size / parts),
		       to = i + 1 == parts ? data->size : from + data->size / parts;
		struct message m = {.type = MSG_SNAPSHOT,
				    .snapshot = {.to = 1,
						 .epoch = epoch,
						 .at = s->at,
						 .total = data->size,
						 .offset = from,
						 .data = data->data + from,
						 .size = to - from}};

		memcpy(m.snapshot.hash, s->hash, SHA256_SIZE);
		state_digest(s, m.snapshot.digest);
		puppet_hear(p, node, m);
	}
}

static bool installs(struct puppet *p)
{
	const struct effect *e = puppet_effect(p, EFFECT_PERSIST);

	return e && e->persist->snapshot.size > 0;
}

static void a_snapshot_is_acknowledged_once_it_is_on_disk(void **state)
{
	struct puppet p;
	struct chain c;
	struct message m;
	struct state *s;
	autobuf data = BUF_INIT;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	chain_barriers(&c, 2, 3);
	s = state_of(&c, 5, &data);
	hear_snapshot(&p, 2, 2, s, &data, 2);
	assert_true(installs(&p));
	assert_rule(EARLY_INSTALL, !puppet_says(&p, MSG_ACK));
	assert_int_equal(replica_state(p.r)->at.index, 0);
	puppet_synced(&p);
	assert_true(puppet_said(&p, MSG_ACK, &m));
	assert_int_equal(m.ack.index, 5);
	assert_int_equal(replica_state(p.r)->at.index, 5);
	state_free(s);
	puppet_end(&p, &c);
}

static void a_chunk_out_of_order_is_dropped(void **state)
{
	struct puppet p;
	struct chain c;
	struct state *s;
	autobuf data = BUF_INIT;
	struct message m;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	chain_barriers(&c, 2, 3);
	s = state_of(&c, 5, &data);
	m = (struct message){.type = MSG_SNAPSHOT,
			     .snapshot = {.to = 1,
					  .epoch = 2,
					  .at = s->at,
					  .total = data.size,
					  .offset = 7,
					  .data = data.data + 7,
					  .size = data.size - 7}};
	puppet_hear(&p, 2, m);
	assert_false(installs(&p));
	assert_int_equal(log_last(replica_log(p.r)).index, 2);
	state_free(s);
	puppet_end(&p, &c);
}

static void a_snapshot_of_a_lower_epoch_is_refused(void **state)
{
	struct puppet p;
	struct chain c;
	struct state *s;
	autobuf data = BUF_INIT;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	puppet_hear(&p, 3, say_claim(3, 2, 2));
	chain_barriers(&c, 2, 3);
	s = state_of(&c, 5, &data);
	hear_snapshot(&p, 2, 2, s, &data, 1);
	assert_rule(LATE_SNAPSHOT, !installs(&p));
	assert_true(puppet_says(&p, MSG_REFUSE));
	state_free(s);
	puppet_end(&p, &c);
}

static void a_snapshot_below_what_is_committed_is_dropped(void **state)
{
	struct puppet p;
	struct chain c;
	struct state *s;
	autobuf data = BUF_INIT;

	(void)state;
	scene_follow(&p, &c);
	chain_barriers(&c, 2, 1);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 3));
	puppet_synced(&p);
	puppet_hear(&p, 2, say_ack(2, 3));
	assert_int_equal(replica_state(p.r)->at.index, 3);
	s = state_of(&c, 2, &data);
	hear_snapshot(&p, 2, 2, s, &data, 1);
	assert_rule(OLD_SNAPSHOT, !installs(&p));
	state_free(s);
	puppet_end(&p, &c);
}

/* What the snapshot jumps over held a transaction, and a change of voters. */
static void a_snapshot_holds_requests_and_voters(void **state)
{
	static const struct store_request_id id = {.bytes = {7}};
	struct puppet p;
	struct chain c;
	struct state *s;
	autobuf data = BUF_INIT, txn = BUF_INIT;
	uint8_t there[SHA256_SIZE], here[SHA256_SIZE];

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	txn_of(7, &txn);
	chain_add(&c, 2, ENTRY_TXN, txn.data, txn.size);
	chain_voters(&c, 2, 4);
	s = state_of(&c, 4, &data);
	hear_snapshot(&p, 2, 2, s, &data, 1);
	puppet_synced(&p);
	assert_non_null(kv_get(replica_state(p.r)->kv, "/a"));
	assert_rule(SNAPSHOT_WITHOUT_REQUESTS, kv_request(replica_state(p.r)->kv, &id));
	assert_rule(SNAPSHOT_WITHOUT_VOTERS, replica_voters(p.r)->count == 4);
	state_digest(s, there);
	state_digest(replica_state(p.r), here);
	assert_memory_equal(there, here, SHA256_SIZE);
	state_free(s);
	puppet_end(&p, &c);
}

static void catch_up_goes_on_from_what_is_verified(void **state)
{
	struct puppet p;
	struct chain c, other = {0};
	struct message m;

	(void)state;
	scene_follow(&p, &c); /* epoch 2 leaves entries 3 to 6 behind here */
	chain_barriers(&c, 2, 4);
	puppet_hear(&p, 2, chain_append(&c, 2, 3, 6));
	chain_voters(&other, 1, 3);
	chain_barriers(&other, 2, 2);
	chain_barriers(&other, 3, 1);
	m = chain_append(&other, 3, 2, 2); /* one entry, which is here already */
	m.append.to = 1;
	m.append.last = 4;
	puppet_hear(&p, 3, m);
	assert_true(puppet_said(&p, MSG_FETCH, &m));
	assert_rule(FETCH_FROM_END, m.fetch.position.index == 2); /* not 6 */
	log_fini(&other.log);
	puppet_end(&p, &c);
}

/* The answer to FETCH is lost, while entries of the leader keep coming. */
static void a_lost_answer_is_asked_for_again_under_load(void **state)
{
	struct puppet p;
	struct chain c;
	bool again = false;

	(void)state;
	scene_follow(&p, &c);
	chain_barriers(&c, 2, 10);
	puppet_hear(&p, 2, chain_append(&c, 2, 4, 4));
	assert_true(puppet_says(&p, MSG_FETCH));
	for (uint64_t i = 5; i < 12 && !again; i++) {
		p.now += 300 * PUPPET_MS;
		puppet_hear(&p, 2, chain_append(&c, 2, i, i));
		again = puppet_says(&p, MSG_FETCH);
	}
	assert_rule(FETCH_ONCE, again);
	puppet_end(&p, &c);
}

/* The leader's last APPEND is lost on its way here, and nothing follows it that would show a gap. */
static void what_others_acknowledge_is_asked_for(void **state)
{
	struct puppet p;
	struct chain c;
	bool asked = false;

	(void)state;
	scene_follow(&p, &c);
	puppet_synced(&p);
	puppet_hear(&p, 2, say_ack(2, 2));
	assert_int_equal(replica_deadline(p.r), 0); /* all is committed */
	puppet_hear(&p, 3, say_ack(2, 3));
	for (int i = 0; i < 3 && replica_deadline(p.r) && !asked; i++) {
		puppet_tick(&p);
		asked = puppet_says(&p, MSG_FETCH);
	}
	assert_rule(HEARD_IGNORED, asked);
	puppet_end(&p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_snapshot_is_acknowledged_once_it_is_on_disk),
		cmocka_unit_test(a_chunk_out_of_order_is_dropped),
		cmocka_unit_test(a_snapshot_of_a_lower_epoch_is_refused),
		cmocka_unit_test(a_snapshot_below_what_is_committed_is_dropped),
		cmocka_unit_test(a_snapshot_holds_requests_and_voters),
		cmocka_unit_test(catch_up_goes_on_from_what_is_verified),
		cmocka_unit_test(what_others_acknowledge_is_asked_for),
		cmocka_unit_test(a_lost_answer_is_asked_for_again_under_load),
	};

	puppet_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
