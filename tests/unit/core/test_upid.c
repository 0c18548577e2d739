/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Task names: what is accepted, what is refused, and that both directions agree. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/base/upid.h"

static void accepts_and_gives_back(void **state)
{
	static const char *const texts[] = {
		"UPID:a:00000001:00000002:00000003:vzstart:101:root@pam:",
		"UPID:pve-1:7FFFFFFF:123456789:65A0B0C0:imgdel::admin@pve!ci:",
		"UPID:n0:000003E8:0000ABCD:65A0B0C0:vzcreate:local-vm_1.raw:u@pve:",
		"UPID:n0:000003E8:0000ABCD:65A0B0C0:qmstop:101:j\xc3\xb6rg@pve:",
		"UPID:n0:000003E8:0000ABCD:65A0B0C0:qmstop:101:\xe5\xbc\xa0@pve!ci:",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct upid id;
		char text[UPID_MAX];

		assert_int_equal(upid_parse(texts[i], &id, NULL), 0);
		assert_int_equal(upid_format(&id, text, NULL), 0);
		assert_string_equal(text, texts[i]);
	}
}

static void reads_the_parts(void **state)
{
	struct upid id;

	(void)state;
	assert_int_equal(
		upid_parse("UPID:pve:000003E8:1234ABCDE:65a0b0c0:vzstop:7:a@pve!t:", &id, NULL), 0);
	assert_string_equal(id.node, "pve");
	assert_int_equal(id.pid, 1000);
	assert_true(id.pid_start == 0x1234abcdeULL);
	assert_true(id.start_time == 0x65a0b0c0ULL);
	assert_string_equal(id.type, "vzstop");
	assert_string_equal(id.id, "7");
	assert_string_equal(id.user, "a@pve!t");
}

static void refuses(void **state)
{
	static const char *const texts[] = {
		"",
		"UPID",
		"UPID:",
		"upid:a:00000001:00000002:00000003:t:i:u:",
		"UPID:a:00000001:00000002:00000003:t:i:u",
		"UPID:a:00000001:00000002:00000003:t:i:u::",
		"UPID::00000001:00000002:00000003:t:i:u:",
		"UPID:-a:00000001:00000002:00000003:t:i:u:",
		"UPID:a.b:00000001:00000002:00000003:t:i:u:",
		"UPID:a:0000001:00000002:00000003:t:i:u:",
		"UPID:a:000000001:00000002:00000003:t:i:u:",
		"UPID:a:80000000:00000002:00000003:t:i:u:",
		"UPID:a:0000000G:00000002:00000003:t:i:u:",
		"UPID:a:00000001:0000000002:00000003:t:i:u:",
		"UPID:a:00000001:00000002:00000003::i:u:",
		"UPID:a:00000001:00000002:00000003:t:i::",
		"UPID:a:00000001:00000002:00000003:t/x:i:u:",
		"UPID:a:00000001:00000002:00000003:t:../x:u:",
		"UPID:a:00000001:00000002:00000003:t:i:u v:",
		"UPID:a:00000001:00000002:00000003:t:i:u/v:",
		"UPID:a:00000001:00000002:00000003:t:i:u\xc2\xa0v:",
		"UPID:a:00000001:00000002:00000003:t:i:u\xe2\x80\xa8v:",
		"UPID:a:00000001:00000002:00000003:t:i:u\xc2\x9bv:",
		"UPID:a:00000001:00000002:00000003:t:i:u\xc3:",
		"UPID:a:00000001:00000002:00000003:t:\xc3\xb6:u:",
		"UPID:a:00000001:00000002:00000003:\xc3\xb6:i:u:",
		"UPID:\xc3\xb6:00000001:00000002:00000003:t:i:u:",
		"UPID:a:00000001:00000002:00000003:t:i\n:u:",
		"UPID:a:00000001:00000002:00000003:abcdefghijabcdefghijabcdefghijkl:i:u:",
	};
	struct upid id = {.pid = 42};
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(upid_parse(texts[i], &id, &err), -ERR_INVALID);
		assert_string_equal(err.field, "upid");
	}
	assert_int_equal(upid_parse(NULL, &id, NULL), -ERR_INVALID);
	assert_int_equal(id.pid, 42);
}

static void format_refuses_bad_parts(void **state)
{
	struct upid id = {.node = "a", .type = "t", .user = "u@pam"};
	char text[UPID_MAX] = "untouched";

	(void)state;
	memset(id.id, 'x', sizeof(id.id) - 1);
	memset(id.user, 'y', sizeof(id.user) - 1);
	assert_int_equal(upid_format(&id, text, NULL), -ERR_INVALID); /* no file could have it */
	strcpy(id.id, "a:b");
	strcpy(id.user, "u@pam");
	assert_int_equal(upid_format(&id, text, NULL), -ERR_INVALID);
	assert_string_equal(text, "untouched");
}

static void says_what_is_left_for_the_id(void **state)
{
	struct upid id = {
		.node = "a", .pid_start = UPID_PID_START_MAX, .type = "t", .user = "u@pam"};
	char text[UPID_MAX];

	(void)state;
	memset(id.user, 'y', 90);
	memset(id.node, 'n', sizeof(id.node) - 1);
	size_t room = upid_id_room(&id);
	assert_in_range(room, 1, sizeof(id.id) - 2);
	memset(id.id, 'x', room);
	assert_int_equal(upid_format(&id, text, NULL), 0);
	assert_int_equal(strlen(text), 255 - strlen(".status"));
	id.id[room] = 'x';
	assert_int_equal(upid_format(&id, text, NULL), -ERR_INVALID);
	memset(id.user, 'y', sizeof(id.user) - 1);
	assert_int_equal(upid_id_room(&id), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_and_gives_back),
		cmocka_unit_test(reads_the_parts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(format_refuses_bad_parts),
		cmocka_unit_test(says_what_is_left_for_the_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
