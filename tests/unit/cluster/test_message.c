/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between replicas: every type round trips, every cut and every surplus byte is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "cluster/core/message.h"

static struct message sample(enum message_type type)
{
	struct message m = {.type = type,
			    .cluster.bytes = {1},
			    .fork.bytes = {2},
			    .from = {.member = {.node = 3, .incarnation.bytes = {4}}, .start = 5}};

	if (type == MSG_STATE)
		m.state = (struct msg_state){.view = 7,
					     .round = 8,
					     .promised = 9,
					     .measure = {1, 2, {3, 4}},
					     .position = {5, 6},
					     .committed = {7, 8},
					     .committed_epoch = 9,
					     .leads = 10,
					     .level = 1,
					     .seen = {{.incarnation.bytes = {1}}},
					     .seen_count = 1};
	if (type == MSG_APPEND)
		m.append = (struct msg_append){.epoch = 3,
					       .previous = {1, 2},
					       .last = 9,
					       .entries = {{"ab", 2}, {"", 0}},
					       .entry_count = 2};
	if (type == MSG_PROPOSE)
		m.propose = (struct msg_propose){.epoch = 3,
						 .kind = 1,
						 .origin = "node",
						 .who = "root@pam",
						 .payload = "xyz",
						 .payload_size = 3};
	if (type == MSG_SNAPSHOT)
		m.snapshot = (struct msg_snapshot){
			.to = 1, .epoch = 2, .list = 3, .total = 4, .data = "data", .size = 4};
	if (type == MSG_FETCH)
		m.fetch = (struct msg_fetch){
			.to = 1, .epoch = 2, .values = 3, .list = 4, .snapshot = 5, .offset = 6};
	if (type == MSG_INQUIRY)
		m.inquiry = (struct msg_inquiry){.to = 1, .epoch = 2, .list = 3, .offset = 4};
	if (type == MSG_LIST)
		m.list = (struct msg_list){.to = 1,
					   .epoch = 2,
					   .list = 3,
					   .total = 9,
					   .offset = 5,
					   .data = "list",
					   .size = 4};
	if (type == MSG_CLAIM)
		m.claim = (struct msg_claim){.epoch = 12, .position = {3, 4}};
	return m;
}

static void every_type_comes_back_as_it_was(void **state)
{
	(void)state;
	for (int type = 1; type < MSG_COUNT; type++) {
		struct message m = sample((enum message_type)type), back;
		autobuf data = BUF_INIT, again = BUF_INIT;
		struct err err = ERR_INIT;

		message_encode(&m, &data);
		assert_int_equal(message_decode(data.data, data.size, &back, &err), 0);
		message_encode(&back, &again);
		assert_int_equal(again.size, data.size);
		assert_memory_equal(again.data, data.data, data.size);
	}
}

static void every_cut_and_every_surplus_byte_is_refused(void **state)
{
	(void)state;
	for (int type = 1; type < MSG_COUNT; type++) {
		struct message m = sample((enum message_type)type), back;
		autobuf data = BUF_INIT;
		struct err err = ERR_INIT;

		message_encode(&m, &data);
		for (size_t n = 0; n < data.size; n++) {
			autofree void *cut = xmemdup(data.data, n ? n : 1);

			assert_int_equal(message_decode(cut, n, &back, &err), -ERR_CORRUPT);
		}
		buf_add_u8(&data, 0);
		assert_int_equal(message_decode(data.data, data.size, &back, &err), -ERR_CORRUPT);
	}
}

static void unknown_versions_and_types_are_refused(void **state)
{
	struct message m = sample(MSG_ACK), back;
	autobuf data = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	message_encode(&m, &data);
	data.data[0]++;
	assert_int_equal(message_decode(data.data, data.size, &back, &err), -ERR_CORRUPT);
	data.data[0]--;
	data.data[1] = MSG_COUNT;
	assert_int_equal(message_decode(data.data, data.size, &back, &err), -ERR_CORRUPT);
	data.data[1] = 0;
	assert_int_equal(message_decode(data.data, data.size, &back, &err), -ERR_CORRUPT);
}

static void counts_are_bounded_before_anything_is_read(void **state)
{
	struct message m = sample(MSG_STATE), back;
	autobuf data = BUF_INIT;
	struct err err = ERR_INIT;
	size_t at;

	(void)state;
	m.state.seen_count = 0;
	message_encode(&m, &data);
	at = data.size - 2;
	data.data[at] = (char)0xff;
	data.data[at + 1] = (char)0xff;
	assert_int_equal(message_decode(data.data, data.size, &back, &err), -ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_comes_back_as_it_was),
		cmocka_unit_test(every_cut_and_every_surplus_byte_is_refused),
		cmocka_unit_test(unknown_versions_and_types_are_refused),
		cmocka_unit_test(counts_are_bounded_before_anything_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
