/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error object: codes, one line, context, truncation. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "agent/base/err.h"
#include "agent/base/mem.h"

static void test_set(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&err, ERR_BUSY, "guest %d is\nlocked\x7f", 101), -ERR_BUSY);
	assert_string_equal(err.message, "guest 101 is locked ");
	assert_int_equal(err.code, ERR_BUSY);
	assert_int_equal(err_set(NULL, ERR_LIMIT, "x"), -ERR_LIMIT);
	assert_int_equal(err_field(NULL, "f", "x"), -ERR_INVALID);
	assert_int_equal(err_errno(NULL, ENOSPC, "x"), -ERR_NO_SPACE);
	assert_int_equal(err_prefix(NULL, "x"), -ERR_INTERNAL);
}

static void test_errno(void **state)
{
	static const struct {
		int errnum, code;
	} cases[] = {{ENOSPC, ERR_NO_SPACE}, {EDQUOT, ERR_NO_SPACE},   {ENOENT, ERR_NOT_FOUND},
		     {EEXIST, ERR_EXISTS},   {ETIMEDOUT, ERR_TIMEOUT}, {EIO, ERR_IO}};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		err = ERR_INIT;
		assert_int_equal(err_errno(&err, cases[i].errnum, "open x"), -cases[i].code);
		assert_int_equal(err.errnum, cases[i].errnum);
	}
	assert_string_equal(err.message, "open x: Input/output error");
}

static void test_field_and_prefix(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_prefix(&err, "nothing"), -ERR_INTERNAL);
	assert_int_equal(err_field(&err, "vmid", "too low"), -ERR_INVALID);
	assert_string_equal(err.field, "vmid");
	assert_int_equal(err_prefix(&err, "create %s", "ct"), -ERR_INVALID);
	assert_string_equal(err.message, "create ct: too low");
	assert_string_equal(err.field, "vmid");
	/* arguments out of the object itself */
	err_set(&err, ERR_IO, "again: %s", err.message);
	assert_string_equal(err.message, "again: create ct: too low");
	assert_string_equal(err.field, "");
}

static void test_truncates(void **state)
{
	char big[3 * ERR_MESSAGE_MAX];
	struct err err = ERR_INIT;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&err, ERR_IO, "cause %s", big);
	assert_int_equal(strlen(err.message), ERR_MESSAGE_MAX - 1);
	err_prefix(&err, "%s", big);
	assert_int_equal(strlen(err.message), ERR_MESSAGE_MAX - 1);
	assert_non_null(strstr(err.message, ": cause"));
	err_field(&err, big, "m");
	assert_int_equal(strlen(err.field), ERR_FIELD_MAX - 1);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = ERR_INVALID; i <= ERR_INTERNAL; i++)
		assert_string_not_equal(err_name(i), "unknown code");
	assert_string_equal(err_name(-ERR_NOT_FOUND), "not found");
	assert_string_equal(err_name(1000), "unknown code");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_field_and_prefix),
		cmocka_unit_test(test_truncates),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
