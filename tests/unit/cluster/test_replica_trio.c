/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripted schedules of several real replicas: what a broken rule comes to in the end, an acknowledged write that is
 * lost, or one epoch with two histories. */
#include "tests/unit/cluster/trio.h"

static const struct log *log_of(struct trio *t, uint32_t node)
{
	return replica_log(trio_node(t, node)->r);
}

static bool holds(struct trio *t, uint32_t node, struct position at)
{
	const struct log_entry *e = log_at(log_of(t, node), at.index);

	return e && e->at.epoch == at.epoch;
}

static bool leads(struct trio *t, uint32_t node, uint64_t epoch)
{
	return replica_leads(trio_node(t, node)->r) == epoch;
}

static bool has_committed(struct trio *t, uint32_t node, uint64_t index)
{
	return replica_committed(trio_node(t, node)->r) >= index;
}

/* A client's transaction on that node. */
static void ask(struct trio *t, uint32_t node, uint8_t id)
{
	struct store_op op = {.kind = STORE_PUT, .path = "/a", .value = "x", .size = 1};
	struct store_txn txn = {.id.bytes = {id}, .ops = &op, .op_count = 1};
	autobuf data = BUF_INIT;

	txn_encode(&txn, &data);
	trio_step(t, node,
		  (struct event){.type = EV_PROPOSE,
				 .propose = {.kind = REQUEST_TXN,
					     .id.bytes = {id},
					     .payload = data.data,
					     .payload_size = data.size}});
}

static void change(struct trio *t, uint32_t node, enum request_kind kind, uint32_t whom)
{
	struct member member = puppet_member(whom);
	autobuf data = BUF_INIT;

	member_encode(&member, &data);
	trio_step(t, node,
		  (struct event){.type = EV_PROPOSE,
				 .propose = {.kind = kind,
					     .id.bytes = {0xad, (uint8_t)whom},
					     .payload = data.data,
					     .payload_size = data.size,
					     .insists = true}});
}

/* Nodes `a` and `b` are alone with each other, and `a` has heard where `b` stands, and the reverse. */
static void meet(struct trio *t, uint32_t a, uint32_t b)
{
	trio_lose(t, a);
	trio_lose(t, b);
	trio_view(t, 1u << a | 1u << b);
	trio_pass(t, b, a, MSG_STATE);
	trio_pass(t, a, b, MSG_STATE);
}

/* What `a` claims is promised by `b`; nothing of what it appends has been delivered. */
static void let_lead(struct trio *t, uint32_t a, uint32_t b)
{
	trio_sync(t, a);
	trio_pass(t, a, b, MSG_CLAIM);
	trio_sync(t, b);
	trio_pass(t, b, a, MSG_PROMISE);
	assert_true(replica_leads(trio_node(t, a)->r) > 0);
}

/* Node 1 leads epoch 2 with the promise of node 2, but its barrier reaches nobody, not even its own disk, before the power
 * goes. Its next process finds the promise to itself, and node 3 is still free to promise the epoch. */
static void an_epoch_is_led_by_one_process(void **state)
{
	struct trio *t = trio_new(3, 3);

	(void)state;
	for (uint32_t from = 1; from <= 3; from++)
		for (uint32_t to = 1; to <= 2; to++)
			if (from != to)
				trio_pass(t, from, to, MSG_STATE);
	let_lead(t, 1, 2);
	assert_true(leads(t, 1, 2));
	trio_power_cut(t, 1);
	trio_lose(t, 1);
	trio_power_on(t, 1);
	trio_view(t, TRIO_ALL);
	trio_run(t, TRIO_ALL);
	assert_rule(CLAIM_RESUMED, !leads(t, 1, 2)); /* with another entry (2, 2) */
	assert_true(leads(t, 1, 3));
	assert_true(has_committed(t, 3, log_last(log_of(t, 1)).index));
	trio_free(t);
}

/* Entry (2, 3) stays on node 1, entry (3, 3) on node 2. Node 1 comes back, leads epoch 4 and brings (2, 3) to node 3, but
 * not its barrier (4, 4): a majority holds (2, 3) now. Then node 2 comes back without node 1, and may lead. */
static void what_is_committed_is_in_every_later_leaders_log(void **state)
{
	static const struct position old = {2, 3};
	struct trio *t = trio_new(3, 3);
	bool was_committed;

	(void)state;
	trio_run(t, TRIO_ALL);
	assert_true(leads(t, 1, 2));
	ask(t, 1, 1);
	trio_sync(t, 1);
	trio_power_cut(t, 1);
	meet(t, 2, 3);
	let_lead(t, 2, 3);
	trio_sync(t, 2);
	assert_true(holds(t, 2, (struct position){3, 3}));
	trio_power_cut(t, 2);
	trio_power_on(t, 1);
	meet(t, 1, 3);
	let_lead(t, 1, 3);
	assert_true(leads(t, 1, 4));
	trio_sync(t, 1);
	trio_pass(t, 1, 3, MSG_APPEND); /* the barrier; it does not join the log */
	trio_pass(t, 3, 1, MSG_FETCH);
	trio_pass(t, 1, 3, MSG_APPEND); /* of (2, 3) */
	trio_sync(t, 3);
	trio_pass(t, 3, 1, MSG_ACK);
	assert_true(holds(t, 3, old));
	was_committed = has_committed(t, 1, old.index);
	trio_power_cut(t, 1);
	trio_power_on(t, 2);
	meet(t, 2, 3);
	let_lead(t, 2, 3);
	assert_rule(COMMIT_OLD_EPOCH, !was_committed || holds(t, 2, old));
	assert_true(leads(t, 2, 5));
	trio_run(t, TRIO_ALL);
	assert_true(holds(t, 3, (struct position){3, 3}));
	trio_free(t);
}

/* Entry (2, 3) of node 1 is queued to node 2's disk when node 3, which does not have it, claims epoch 3. */
static void a_promise_takes_no_acknowledgement_along(void **state)
{
	static const struct position late = {2, 3};
	struct trio *t = trio_new(3, 3);

	(void)state;
	trio_run(t, TRIO_ALL);
	ask(t, 1, 1);
	trio_sync(t, 1);
	trio_pass(t, 1, 2, MSG_APPEND);
	trio_lose(t, 3);
	trio_view(t, 1u << 2 | 1u << 3); /* node 1 has not noticed */
	trio_pass(t, 2, 3, MSG_STATE);
	while (replica_role(trio_node(t, 3)->r) != ROLE_CLAIMING)
		trio_tick(t, 3); /* node 2 would be the better one, but says nothing */
	trio_sync(t, 3);
	trio_pass(t, 3, 2, MSG_CLAIM);
	trio_sync(t, 2);
	while (trio_try(t, 2, 1, MSG_ACK))
		;
	trio_try(t, 2, 3, MSG_PROMISE);
	assert_rule(ACK_AFTER_PROMISE, !has_committed(t, 1, 3) || !leads(t, 3, 3));
	assert_true(has_committed(t, 1, 3));
	assert_true(holds(t, 2, late));
	trio_free(t);
}

/* Node 1 wants both 5 and 4 out of five voters, while only node 2 hears it. Were both in its log at once, the two would do
 * for three voters, while the other three do for five. */
static void a_list_waits_for_the_one_before(void **state)
{
	const unsigned others = 1u << 3 | 1u << 4 | 1u << 5;
	struct trio *t = trio_new(5, 5);
	bool was_committed;

	(void)state;
	trio_run(t, TRIO_ALL);
	assert_true(leads(t, 1, 2));
	change(t, 1, REQUEST_REMOVE_VOTER, 5);
	change(t, 1, REQUEST_REMOVE_VOTER, 4);
	trio_run(t, 1u << 1 | 1u << 2);
	was_committed = has_committed(t, 1, 3);
	trio_power_cut(t, 1);
	trio_power_cut(t, 2);
	for (uint32_t node = 3; node <= 5; node++)
		trio_lose(t, node);
	trio_view(t, others);
	trio_run(t, others);
	assert_rule(TWO_CHANGES, !was_committed || replica_leads(trio_node(t, 3)->r) == 0);
	assert_false(was_committed);
	assert_true(leads(t, 3, 3));
	trio_free(t);
}

/* The published flaw of single changes. Four voters. Node 1 adds node 5, which stays with itself. Node 2 leads with the
 * promises of 3 and 4, and removes node 1: were that allowed before its barrier is committed by the four, nodes 2 and 3
 * would do for three. Node 1 then leads with the promises of 4 and 5, a majority of its five, without what was committed. */
static void lists_that_follow_each_other_meet(void **state)
{
	struct trio *t = trio_new(5, 4);
	bool was_committed;

	(void)state;
	trio_run(t, TRIO_ALL);
	assert_true(leads(t, 1, 2));
	change(t, 1, REQUEST_ADD_VOTER, 5);
	trio_sync(t, 1);
	assert_int_equal(replica_voters(trio_node(t, 1)->r)->count, 5);
	trio_power_cut(t, 1);
	for (uint32_t node = 2; node <= 5; node++)
		trio_lose(t, node);
	trio_view(t, 0x1cu); /* 2, 3 and 4 */
	for (uint32_t from = 2; from <= 4; from++)
		for (uint32_t to = 2; to <= 4; to++)
			if (from != to)
				trio_pass(t, from, to, MSG_STATE);
	trio_sync(t, 2);
	trio_pass(t, 2, 4, MSG_CLAIM);
	trio_sync(t, 4);
	trio_pass(t, 4, 2, MSG_PROMISE);
	let_lead(t, 2, 3);
	assert_true(leads(t, 2, 3));
	trio_lose(t, 4);
	change(t, 2, REQUEST_REMOVE_VOTER, 1);
	trio_run(t, 1u << 2 | 1u << 3);
	was_committed = has_committed(t, 2, 4) && holds(t, 2, (struct position){3, 4});
	trio_power_cut(t, 2);
	trio_power_cut(t, 3);
	trio_power_on(t, 1);
	trio_lose(t, 1);
	trio_lose(t, 4);
	trio_lose(t, 5);
	trio_view(t, 0x32u); /* 1, 4 and 5 */
	trio_run(t, 0x32u);
	assert_rule(CHANGE_BEFORE_BARRIER,
		    !was_committed || replica_leads(trio_node(t, 1)->r) == 0);
	assert_false(was_committed);
	assert_true(leads(t, 1, 4));
	trio_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_epoch_is_led_by_one_process),
		cmocka_unit_test(what_is_committed_is_in_every_later_leaders_log),
		cmocka_unit_test(a_promise_takes_no_acknowledgement_along),
		cmocka_unit_test(a_list_waits_for_the_one_before),
		cmocka_unit_test(lists_that_follow_each_other_meet),
	};

	puppet_choose();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
