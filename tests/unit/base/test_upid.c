/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Task names. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/upid.h"

static void test_round_trip(void **state)
{
	static const char *const good[] = {
		"UPID:pve1:00001234:00ABCDEF:65A1B2C3:vzstart:101:root@pam:",
		"UPID:n:7FFFFFFF:0ABCDEF01:FFFFFFFF:imgdel::a@pve!mon:",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct err err = ERR_INIT;
		struct upid u;
		char text[UPID_MAX];

		if (upid_parse(good[i], &u, &err) < 0)
			fail_msg("%s: %s", good[i], err.message);
		assert_int_equal(upid_format(&u, text, &err), 0);
		assert_true(strlen(text) <= strlen(good[i]));
		assert_int_equal(upid_parse(text, &u, &err), 0);
	}
	assert_int_equal(upid_parse(good[0], &(struct upid){0}, NULL), 0);
}

static void test_fields(void **state)
{
	struct upid u = {.node = "pve1",
			 .pid = 0x1234,
			 .pid_start = 0xabcdef,
			 .start_time = 0x65a1b2c3,
			 .type = "vzstart",
			 .id = "101",
			 .user = "root@pam"};
	char text[UPID_MAX];

	(void)state;
	assert_int_equal(upid_format(&u, text, NULL), 0);
	assert_string_equal(text, "UPID:pve1:00001234:00ABCDEF:65A1B2C3:vzstart:101:root@pam:");
	memcpy(u.id, "a/b", 4);
	assert_int_equal(upid_format(&u, text, NULL), -ERR_INVALID);
	memcpy(u.id, "1:2", 4);
	assert_int_equal(upid_format(&u, text, NULL), -ERR_INVALID);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"",
		"UPID:",
		"upid:pve1:00001234:00ABCDEF:65A1B2C3:vzstart:101:root@pam:",
		"UPID:pve1:00001234:00ABCDEF:65A1B2C3:vzstart:101:root@pam",
		"UPID:pve1:00001234:00ABCDEF:65A1B2C3:vzstart:101:root@pam:x",
		"UPID:pve1:1234:00ABCDEF:65A1B2C3:vzstart:101:root@pam:",
		"UPID:pve1:0000123G:00ABCDEF:65A1B2C3:vzstart:101:root@pam:",
		"UPID:../x:00001234:00ABCDEF:65A1B2C3:vzstart:101:root@pam:",
		"UPID:pve1:00001234:00ABCDEF:65A1B2C3:vz/start:101:root@pam:",
		"UPID:pve1:00001234:00ABCDEF:65A1B2C3::101:root@pam:",
		"UPID:pve1:00001234:00ABCDEF:65A1B2C3:vzstart:1 1:root@pam:",
		"UPID:pve1:FFFFFFFF:00ABCDEF:65A1B2C3:vzstart:101:root@pam:",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = ERR_INIT;
		struct upid u;

		if (upid_parse(bad[i], &u, &err) != -ERR_INVALID)
			fail_msg("accepted: %s", bad[i]);
		assert_string_equal(err.field, "upid");
	}
	assert_int_equal(upid_parse(NULL, &(struct upid){0}, NULL), -ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
