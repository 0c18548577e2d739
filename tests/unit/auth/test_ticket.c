/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tickets and CSRF tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/auth/ticket.h"
#include "agent/base/str.h"

#define NOW 0x68000000ull

static const uint8_t key[TICKET_KEY_SIZE] = {1, 2, 3};
static const uint8_t other_key[TICKET_KEY_SIZE] = {1, 2, 4};

static void test_form(void **state)
{
	char ticket[TICKET_MAX], csrf[TICKET_MAX], userid[USERID_MAX] = "";

	(void)state;
	ticket_make(key, "a@pve", NOW, ticket);
	assert_true(str_starts(ticket, "PVE:a@pve:68000000::"));
	assert_int_equal(strlen(ticket), strlen("PVE:a@pve:68000000::") + 44);
	assert_true(ticket_verify(key, ticket, NOW, userid));
	assert_string_equal(userid, "a@pve");
	assert_int_equal(ticket_end(ticket), NOW + TICKET_LIFE);
	assert_int_equal(ticket_end("PVE:a@pve"), 0);
	assert_int_equal(ticket_end("PVE:a@pve:12"), 0);
	assert_int_equal(ticket_end(""), 0);
	csrf_make(key, "a@pve", NOW, csrf);
	assert_true(str_starts(csrf, "68000000:"));
	assert_true(csrf_verify(key, csrf, "a@pve", NOW));
	assert_false(csrf_verify(key, csrf, "b@pve", NOW));
	assert_false(csrf_verify(other_key, csrf, "a@pve", NOW));
	assert_false(ticket_verify(other_key, ticket, NOW, userid));
}

static void test_time(void **state)
{
	static const struct {
		int64_t age;
		bool is_valid;
	} cases[] = {
		{0, true},    {7199, true},  {7200, false},    {7201, false},
		{-300, true}, {-301, false}, {-100000, false}, {1 << 30, false},
	};
	char ticket[TICKET_MAX], csrf[TICKET_MAX], userid[USERID_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ticket_make(key, "a@pve", NOW - (uint64_t)cases[i].age, ticket);
		csrf_make(key, "a@pve", NOW - (uint64_t)cases[i].age, csrf);
		assert_int_equal(ticket_verify(key, ticket, NOW, userid), cases[i].is_valid);
		assert_int_equal(csrf_verify(key, csrf, "a@pve", NOW), cases[i].is_valid);
	}
}

/* Each character counts. */
static void test_every_change_is_seen(void **state)
{
	char ticket[TICKET_MAX], csrf[TICKET_MAX], userid[USERID_MAX] = "untouched";

	(void)state;
	ticket_make(key, "a@pve", NOW, ticket);
	csrf_make(key, "a@pve", NOW, csrf);
	for (size_t i = 0; ticket[i]; i++) {
		ticket[i] ^= 1;
		assert_false(ticket_verify(key, ticket, NOW, userid));
		ticket[i] ^= 1;
	}
	for (size_t i = 0; csrf[i]; i++) {
		csrf[i] ^= 1;
		assert_false(csrf_verify(key, csrf, "a@pve", NOW));
		csrf[i] ^= 1;
	}
	assert_string_equal(userid, "untouched");
	for (size_t size = strlen(ticket); size-- > 0;) {
		ticket[size] = '\0';
		assert_false(ticket_verify(key, ticket, NOW, userid));
	}
}

static void test_malformed(void **state)
{
	static const char *const cases[] = {
		"",
		"PVE",
		"PVE:",
		"PVE::",
		"PVE:a@pve",
		"PVE:a@pve:",
		"PVE:a@pve:68000000",
		"PVE:a@pve:68000000:",
		"PVE:a@pve:68000000::",
		"PVE:a@pve:6800000::",
		"PVE:a@pve:680000000::",
		"PVE:a@pve:zzzzzzzz::",
		"PVE::68000000::",
		"PVEVNC:a@pve:68000000::",
	};
	char longest[2000], userid[USERID_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(ticket_verify(key, cases[i], NOW, userid));
		assert_false(csrf_verify(key, cases[i], "a@pve", NOW));
	}
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "PVE:", 4);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(ticket_verify(key, longest, NOW, userid));
}

/* A CSRF token's signature must not make a ticket. */
static void test_kinds_differ(void **state)
{
	char csrf[TICKET_MAX], forged[TICKET_MAX * 2], userid[USERID_MAX];

	(void)state;
	csrf_make(key, "a@pve", NOW, csrf);
	snprintf(forged, sizeof(forged), "PVE:a@pve:68000000::%s", csrf + 9);
	assert_false(ticket_verify(key, forged, NOW, userid));
}

static const uint8_t nonce[CONSOLE_TICKET_NONCE] = {7, 8, 9};
static const struct console_subject subject = {"a@pve!ci", "/vms/101", 5901};

static void test_console(void **state)
{
	static const struct {
		struct console_subject subject;
		int64_t age;
		bool is_valid;
	} cases[] = {
		{{"a@pve!ci", "/vms/101", 5901}, 0, true},
		{{"a@pve!ci", "/vms/101", 5901}, 39, true},
		{{"a@pve!ci", "/vms/101", 5901}, 40, false},
		{{"a@pve!ci", "/vms/101", 5901}, -300, true},
		{{"a@pve!ci", "/vms/101", 5901}, -301, false},
		{{"a@pve", "/vms/101", 5901}, 0, false},
		{{"A@pve!ci", "/vms/101", 5901}, 0, false},
		{{"a@pve!ci", "/vms/102", 5901}, 0, false},
		{{"a@pve!ci", "/vms/10", 15901}, 0, false},
		{{"a@pve!ci", "", 5901}, 0, false},
		{{"a@pve!ci\n/vms/101", "", 5901}, 0, false},
		{{"", "a@pve!ci\n/vms/101", 5901}, 0, false},
		{{"a@pve!ci", "/vms/101", 5900}, 0, false},
		{{"a@pve!ci", "/vms/101", 0}, 0, false},
	};
	char ticket[TICKET_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		console_ticket_make(key, &subject, nonce, NOW - (uint64_t)cases[i].age, ticket);
		assert_true(str_starts(ticket, "PVEVNC:"));
		assert_int_equal(console_ticket_verify(key, ticket, &cases[i].subject, NOW),
				 cases[i].is_valid);
		assert_false(console_ticket_verify(other_key, ticket, &cases[i].subject, NOW));
	}
}

static void test_console_every_change_is_seen(void **state)
{
	static const uint8_t other_nonce[CONSOLE_TICKET_NONCE] = {7, 8, 10};
	char ticket[TICKET_MAX], other[TICKET_MAX], userid[USERID_MAX];

	(void)state;
	console_ticket_make(key, &subject, nonce, NOW, ticket);
	console_ticket_make(key, &subject, other_nonce, NOW, other);
	assert_string_not_equal(ticket, other);
	assert_int_equal(strlen(ticket), strlen("PVEVNC:68000000::") + 64);
	for (size_t i = 0; ticket[i]; i++) {
		ticket[i] ^= 1;
		assert_false(console_ticket_verify(key, ticket, &subject, NOW));
		ticket[i] ^= 1;
	}
	assert_false(ticket_verify(key, ticket, NOW, userid));
	for (size_t size = strlen(ticket); size-- > 0;) {
		ticket[size] = '\0';
		assert_false(console_ticket_verify(key, ticket, &subject, NOW));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_every_change_is_seen),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_kinds_differ),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_console_every_change_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
