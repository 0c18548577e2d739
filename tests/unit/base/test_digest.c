/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes against published vectors, base64, URL coding. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/digest.h"
#include "agent/base/mem.h"

static void test_hashes(void **state)
{
	char sha1[SHA1_HEX_SIZE];
	uint8_t raw[SHA256_SIZE];
	autobuf hex = BUF_INIT;

	(void)state;
	digest_sha1_hex("abc", 3, sha1);
	assert_string_equal(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
	digest_sha256("abc", 3, raw);
	digest_hex(raw, sizeof(raw), &hex);
	assert_string_equal(buf_str(&hex),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	buf_clear(&hex);
	/* RFC 4231, case 2 */
	digest_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, raw);
	digest_hex(raw, sizeof(raw), &hex);
	assert_string_equal(buf_str(&hex),
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void test_base64(void **state)
{
	/* RFC 4648, section 10 */
	static const char *const pairs[][2] = {{"", ""},
					       {"f", "Zg=="},
					       {"fo", "Zm8="},
					       {"foo", "Zm9v"},
					       {"foob", "Zm9vYg=="},
					       {"fooba", "Zm9vYmE="},
					       {"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {"Zg",	  "Zg=",   "Zg= =",   "Zm9v\n",
					  "Z===", "====",  "Zh==",    "Zm9vZg==Zg==",
					  "Zm9-", " Zg==", "Zg==AAAA"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		autobuf to = BUF_INIT, back = BUF_INIT;

		base64_encode(pairs[i][0], strlen(pairs[i][0]), &to);
		assert_string_equal(buf_str(&to), pairs[i][1]);
		assert_true(base64_decode(to.data, to.size, &back));
		assert_string_equal(buf_str(&back), pairs[i][0]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		autobuf out = BUF_INIT;

		if (base64_decode(bad[i], strlen(bad[i]), &out))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(out.size, 0);
	}
}

static void test_url(void **state)
{
	static const char *const bad[] = {"%", "%2", "%zz", "ok%00", "%0", "a%g0"};
	autobuf out = BUF_INIT, text = BUF_INIT;

	(void)state;
	assert_true(url_decode("a%2Fb+c%e4", 10, true, &out));
	assert_string_equal(buf_str(&out), "a/b c\xe4");
	buf_clear(&out);
	assert_true(url_decode("a+b", 3, false, &out));
	assert_string_equal(buf_str(&out), "a+b");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(url_decode(bad[i], strlen(bad[i]), true, &out));
	assert_false(url_decode("a\0", 2, true, &out));
	assert_string_equal(buf_str(&out), "a+b");
	url_encode("local:iso/x y_~.-\xc3\xa4", &text);
	assert_string_equal(buf_str(&text), "local%3Aiso%2Fx%20y_~.-%C3%A4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
