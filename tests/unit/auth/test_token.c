/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API token credentials and files of secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/auth/secrets.h"
#include "agent/auth/token.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define UUID "01234567-89ab-cdef-0123-456789abcdef"

static void test_split(void **state)
{
	static const struct {
		const char *text, *tokenid;
	} cases[] = {
		{"a@pve!ci=" UUID, "a@pve!ci"},
		{"a@pve!ci " UUID, "a@pve!ci"},
		{"a=b@pve!ci=" UUID, "a=b@pve!ci"},
		{"a@pve!ci=" UUID "0", NULL},
		{"a@pve!ci=01234567-89AB-cdef-0123-456789abcdef", NULL},
		{"a@pve!ci=0123456789ab-cdef-0123-456789abcdef", NULL},
		{"a@pve!ci=", NULL},
		{"a@pve!ci", NULL},
		{"a@pve=" UUID, NULL},
		{"!ci=" UUID, NULL},
		{"a@pve!=" UUID, NULL},
		{"", NULL},
		{"=", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char tokenid[USERID_MAX] = "-";
		const char *secret = "-";

		assert_int_equal(token_split(cases[i].text, tokenid, &secret),
				 cases[i].tokenid != NULL);
		assert_string_equal(tokenid, cases[i].tokenid ? cases[i].tokenid : "-");
		assert_string_equal(secret, cases[i].tokenid ? UUID : "-");
	}
}

static void test_made_secrets(void **state)
{
	char one[TOKEN_SECRET_SIZE], two[TOKEN_SECRET_SIZE], tokenid[USERID_MAX];
	char digest[SHA256_HEX_SIZE];
	const char *secret;

	(void)state;
	token_secret_make(one);
	token_secret_make(two);
	assert_string_not_equal(one, two);
	assert_int_equal(one[14], '4');
	autofree char *text = xasprintf("a@pve!ci=%s", one);
	assert_true(token_split(text, tokenid, &secret));
	token_digest(one, digest);
	assert_int_equal(strlen(digest), 64);
	assert_null(strstr(digest, one));
	assert_true(token_secret_matches(one, digest));
	assert_false(token_secret_matches(two, digest));
	assert_false(token_secret_matches(one, NULL));
	assert_false(token_secret_matches(one, ""));
}

static void test_secrets(void **state)
{
	static const char text[] = "a@pve:$y$hash\nb@pve:x:y\n";
	struct secrets *s = NULL;
	autobuf out = BUF_INIT;

	(void)state;
	assert_int_equal(secrets_parse(text, strlen(text), &s, NULL), 0);
	secrets_format(s, &out);
	assert_string_equal(buf_str(&out), text);
	assert_string_equal(secrets_get(s, "b@pve"), "x:y");
	secrets_put(s, "a@pve", "new");
	secrets_put(s, "c@pve!t1", "1");
	secrets_put(s, "c@pve!t2", "2");
	secrets_remove(s, "b@pve");
	secrets_remove(s, "b@pve");
	secrets_remove_prefix(s, "c@pve!");
	buf_clear(&out);
	secrets_format(s, &out);
	assert_string_equal(buf_str(&out), "a@pve:new\n");
	secrets_free(s);
}

static void test_bad_secrets(void **state)
{
	static const char *const cases[] = {
		"a@pve:hidden", "a@pve\n", ":hidden\n", "a@pve:\n", "\n", "a:hidden\na:hidden\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		struct secrets *s = NULL;

		assert_int_equal(secrets_parse(cases[i], strlen(cases[i]), &s, &err), -ERR_CORRUPT);
		assert_null(s);
		assert_null(strstr(err.message, "hidden"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_made_secrets),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_bad_secrets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
