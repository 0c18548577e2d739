/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Password hashes with the real libcrypt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/helper_crypt.h"

static int verify(const char *password, const char *hash, struct buf *out, struct err *err)
{
	autofields args = FIELDS_INIT;

	fields_add(&args, "password", password);
	fields_add(&args, "hash", hash);
	return helper_crypt_verify(&args, out, err);
}

static void assert_verify(const char *password, const char *hash, const char *result)
{
	autobuf out = BUF_INIT;

	assert_int_equal(verify(password, hash, &out, NULL), 0);
	assert_string_equal(buf_str(&out), result);
}

static void make(const char *password, struct buf *out)
{
	autofields args = FIELDS_INIT;

	fields_add(&args, "password", password);
	assert_int_equal(helper_crypt_hash(&args, out, NULL), 0);
}

static void test_hash_and_verify(void **state)
{
	autobuf one = BUF_INIT;
	autobuf two = BUF_INIT;

	(void)state;
	make("correct horse", &one);
	make("correct horse", &two);
	/* the cost that the hash of nobody in the log-in has as well */
	assert_true(str_starts(buf_str(&one), "$y$j9T$"));
	assert_string_not_equal(buf_str(&one), buf_str(&two));
	assert_null(strstr(buf_str(&one), "correct"));
	assert_null(strchr(buf_str(&one), ':'));
	assert_verify("correct horse", buf_str(&one), "true");
	assert_verify("correct horsf", buf_str(&one), "false");
	assert_verify("correct hors", buf_str(&one), "false");
	assert_verify("", buf_str(&one), "false");
}

static void test_strange_input(void **state)
{
	char longest[600];
	autofields args = FIELDS_INIT;
	autobuf out = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	/* a stored text that is no hash matches nothing, least of all itself */
	assert_verify("x", "", "false");
	assert_verify("*0", "*0", "false");
	assert_verify("*1", "*0", "false");
	assert_verify("x", "x", "false");
	assert_verify("x", "$y$", "false");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_verify(longest, "$y$j9T$AFcuR3q2WMCa0CHbGdXxb0$", "false");
	assert_int_equal(verify("x", NULL, &out, &err), -ERR_INVALID);
	assert_string_equal(err.field, "hash");
	fields_add_n(&args, "password", "a\0b", 3);
	assert_int_equal(helper_crypt_hash(&args, &out, &err), -ERR_INVALID);
	fields_set(&args, "password", longest);
	assert_int_equal(helper_crypt_hash(&args, &out, &err), -ERR_INVALID);
	assert_null(strstr(err.message, "xxx"));
	assert_int_equal(out.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_and_verify),
		cmocka_unit_test(test_strange_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
