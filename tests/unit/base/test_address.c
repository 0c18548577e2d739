/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What limits count addresses by. */
#include "agent/base/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"

static void test_keys(void **state)
{
	static const struct {
		const char *address, *key;
	} cases[] = {
		{"192.0.2.7", "192.0.2.7"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		{"::FFFF:c000:207", "192.0.2.7"},
		{"2001:db8:1:2::1", "2001:db8:1:2::/64"},
		{"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"},
		{"2001:DB8:1:2::", "2001:db8:1:2::/64"},
		{"2001:db8:1:3::1", "2001:db8:1:3::/64"},
		{"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:ffff:ffff::/64"},
		{"::1", "::/64"},
		{"fe80::1", "fe80::/64"},
		{"fe80::a00:27ff:fe4e:66a1%eth0", "fe80::/64"},
		{"", ""},
		{"not an address", "not an address"},
		{"2001:db8::g", "2001:db8::g"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char key[ADDRESS_KEY_SIZE];

		address_key(cases[i].address, key);
		assert_string_equal(key, cases[i].key);
	}
}

static void test_long(void **state)
{
	char text[200] = "", key[ADDRESS_KEY_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	address_key(text, key);
	assert_int_equal(strlen(key), ADDRESS_KEY_SIZE - 1);
	memset(text, ':', sizeof(text) - 1);
	address_key(text, key);
	assert_int_equal(strlen(key), ADDRESS_KEY_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
