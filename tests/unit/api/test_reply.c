/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Envelopes, error documents, reason phrases and status codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/api/reply.h"
#include "agent/base/str.h"

static void check(struct reply *reply, int status, const char *reason, const char *body)
{
	assert_int_equal(reply->status, status);
	assert_string_equal(fields_get(&reply->head, "reason"), reason);
	assert_string_equal(fields_get(&reply->head, "content-type"),
			    "application/json;charset=UTF-8");
	assert_string_equal(buf_str(&reply->body), body);
	reply_fini(reply);
}

static void test_data(void **state)
{
	(void)state;
	static const struct {
		const char *data, *total, *body;
	} cases[] = {{"", NULL, "{\"data\":null}"},
		     {"[1,2]", NULL, "{\"data\":[1,2]}"},
		     {"[]", "7", "{\"data\":[],\"total\":7}"},
		     {"", "7", "{\"data\":null,\"total\":7}"}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct reply reply = REPLY_INIT;
		autobuf data = BUF_INIT;
		autofields extra = FIELDS_INIT;
		buf_add_str(&data, API_ENVELOPE);
		buf_add_str(&data, cases[i].data);
		fields_add(&extra, "total", cases[i].total);
		api_reply_data(&reply, &data, &extra);
		assert_int_equal(data.size, 0);
		check(&reply, 200, "OK", cases[i].body);
	}
}

static void test_errors(void **state)
{
	(void)state;
	struct reply reply = REPLY_INIT;
	autofields errors = FIELDS_INIT;
	api_reply_error(&reply, 501, "Method 'GET /foo' not implemented", NULL);
	check(&reply, 501, "Method 'GET /foo' not implemented",
	      "{\"data\":null,\"message\":\"Method 'GET /foo' not implemented\\n\"}");
	reply = REPLY_INIT;
	api_reply_error(&reply, 500, "first\r\nSet-Cookie: x", &errors);
	check(&reply, 500, "first ", "{\"data\":null,\"message\":\"first\\r\\nSet-Cookie: x\\n\"}");
	reply = REPLY_INIT;
	fields_add(&errors, "a\"b", "x\ny");
	api_reply_error(&reply, 400, "Parameter verification failed.", &errors);
	check(&reply, 400, "Parameter verification failed.",
	      "{\"data\":null,\"errors\":{\"a\\\"b\":\"x\\ny\"},"
	      "\"message\":\"Parameter verification failed.\\n\"}");
}

static void test_error_objects(void **state)
{
	(void)state;
	static const struct {
		enum err_code code;
		const char *field;
		int status;
		const char *reason;
	} cases[] = {
		{ERR_INVALID, "vmid", 400, "Parameter verification failed."},
		{ERR_INVALID, "", 400, "text"},
		{ERR_AUTH, "", 401, "text"},
		{ERR_DENIED, "", 403, "text"},
		{ERR_NOT_FOUND, "vmid", 500, "text"},
		{ERR_EXISTS, "", 500, "text"},
		{ERR_CONFLICT, "", 500, "text"},
		{ERR_BUSY, "", 500, "text"},
		{ERR_TIMEOUT, "", 504, "text"},
		{ERR_UNSUPPORTED, "", 500, "text"},
		{ERR_UNAVAILABLE, "", 500, "text"},
		{ERR_INTERNAL, "", 500, "text"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct reply reply = REPLY_INIT;
		struct err err = ERR_INIT;
		err_set(&err, cases[i].code, "text");
		str_copy(err.field, sizeof(err.field), cases[i].field);
		api_reply_err(&reply, &err);
		assert_int_equal(reply.status, cases[i].status);
		assert_string_equal(fields_get(&reply.head, "reason"), cases[i].reason);
		assert_int_equal(strstr(buf_str(&reply.body), "\"errors\":{\"vmid\":\"text\"}") !=
					 NULL,
				 i == 0);
		reply_fini(&reply);
	}
	assert_int_equal(api_status_of(-ERR_AUTH), 401);
	assert_int_equal(api_status_of(9999), 500);
	assert_int_equal(api_status_of(0), 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_error_objects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
