/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames: what is encoded is decoded; what is malformed is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/frame.h"
#include "agent/base/mem.h"

static const char *payload(const struct buf *b)
{
	return b->data + FRAME_HEADER_SIZE;
}

static size_t payload_size(const struct buf *b)
{
	return b->size - FRAME_HEADER_SIZE;
}

static void test_call(void **state)
{
	struct call call = CALL_INIT, back;
	struct frame_header h;
	autobuf b = BUF_INIT;

	(void)state;
	call.op = CALL_API;
	call.deadline_ms = 5000;
	fields_add(&call.head, "verb", "GET");
	fields_add(&call.params, "vmid", "101");
	frame_encode_call(0x1122334455667788, &call, &b);
	assert_int_equal(frame_decode_header(b.data, &h, NULL), 0);
	assert_int_equal(h.type, FRAME_CALL);
	assert_int_equal(h.length, payload_size(&b));
	assert_true(h.id == 0x1122334455667788);
	assert_int_equal(frame_decode_call(payload(&b), h.length, &back, NULL), 0);
	assert_int_equal(back.op, CALL_API);
	assert_int_equal(back.deadline_ms, 5000);
	assert_string_equal(fields_get(&back.head, "verb"), "GET");
	assert_string_equal(fields_get(&back.params, "vmid"), "101");
	call_fini(&back);
	/* every cut, and every byte too many, is refused */
	for (size_t n = 0; n < payload_size(&b); n++)
		assert_int_equal(frame_decode_call(payload(&b), n, &back, NULL), -ERR_CORRUPT);
	buf_add_char(&b, 'x');
	assert_int_equal(frame_decode_call(payload(&b), payload_size(&b), &back, NULL),
			 -ERR_CORRUPT);
	call_fini(&call);
}

static void test_header(void **state)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} cases[] = {{3, 1}, {4, 0}, {4, 5}, {5, 5}, {6, 0}, {6, 2}, {7, 1}};
	struct frame_header h;
	autobuf b = BUF_INIT;

	(void)state;
	frame_encode_cancel(7, &b);
	assert_int_equal(b.size, FRAME_HEADER_SIZE);
	assert_int_equal(frame_decode_header(b.data, &h, NULL), 0);
	assert_int_equal(h.type, FRAME_CANCEL);
	assert_int_equal(h.id, 7);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char bytes[FRAME_HEADER_SIZE];

		memcpy(bytes, b.data, sizeof(bytes));
		bytes[cases[i].at] = (char)cases[i].value;
		assert_int_equal(frame_decode_header(bytes, &h, NULL), -ERR_CORRUPT);
	}
}

static void test_reply_inline(void **state)
{
	struct reply reply = REPLY_INIT, back;
	int fds[FRAME_FDS_MAX];
	unsigned count = 9;
	autobuf b = BUF_INIT;

	(void)state;
	reply.status = 200;
	fields_add(&reply.head, "reason", "OK");
	buf_add_str(&reply.body, "{\"data\":null}");
	assert_int_equal(frame_encode_reply(1, &reply, &b, fds, &count, NULL), 0);
	assert_int_equal(count, 0);
	assert_int_equal(frame_decode_reply(payload(&b), payload_size(&b), NULL, 0, &back, NULL),
			 0);
	assert_int_equal(back.status, 200);
	assert_string_equal(buf_str(&back.body), "{\"data\":null}");
	assert_string_equal(fields_get(&back.head, "reason"), "OK");
	assert_int_equal(back.fd, -1);
	assert_int_equal(back.body_fd, -1);
	reply_fini(&back);
	reply_fini(&reply);
}

static void test_reply_with_descriptors(void **state)
{
	struct reply reply = REPLY_INIT, back;
	int fds[FRAME_FDS_MAX], received[FRAME_FDS_MAX] = {-1, -1, -1, -1};
	unsigned count = 0;
	autobuf b = BUF_INIT, body = BUF_INIT;

	(void)state;
	buf_reserve(&reply.body, 200000);
	memset(reply.body.data, 'y', 200000);
	reply.body.size = 200000;
	reply.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(frame_encode_reply(1, &reply, &b, fds, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_true(b.size < 100);
	for (unsigned i = 0; i < count; i++)
		received[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
	/* not as many as the kind of body needs */
	assert_int_equal(
		frame_decode_reply(payload(&b), payload_size(&b), received, 0, &back, NULL),
		-ERR_CORRUPT);
	assert_int_equal(
		frame_decode_reply(payload(&b), payload_size(&b), received, 3, &back, NULL),
		-ERR_CORRUPT);
	assert_int_equal(
		frame_decode_reply(payload(&b), payload_size(&b), received, 2, &back, NULL), 0);
	assert_int_equal(received[0], -1);
	assert_int_equal(received[1], -1);
	assert_true(back.fd >= 0);
	assert_int_equal(fd_memfd_read(back.body_fd, 200000, &body, NULL), 0);
	assert_int_equal(body.size, 200000);
	reply_fini(&back);
	reply_fini(&reply);
}

static void test_bounds_of_sender(void **state)
{
	struct call call = CALL_INIT;
	struct reply reply = REPLY_INIT;
	char long_name[FIELDS_NAME_MAX + 2];
	int fds[FRAME_FDS_MAX];
	unsigned count;
	autobuf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < FIELDS_COUNT_MAX; i++)
		fields_add(&call.params, "p", "v");
	assert_int_equal(frame_check_call(&call, NULL), 0);
	fields_add(&call.params, "p", "v");
	assert_int_equal(frame_check_call(&call, NULL), -ERR_LIMIT);
	fields_fini(&call.params);
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	fields_add(&call.params, long_name, "");
	assert_int_equal(frame_check_call(&call, NULL), -ERR_LIMIT);
	call_fini(&call);
	fields_add(&reply.head, long_name, "");
	assert_int_equal(frame_encode_reply(1, &reply, &b, fds, &count, NULL), -ERR_LIMIT);
	reply_fini(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_reply_inline),
		cmocka_unit_test(test_reply_with_descriptors),
		cmocka_unit_test(test_bounds_of_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
