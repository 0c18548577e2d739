/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When credentials end: by a change of the password, by their time, by what becomes of user
 * and token while they are held. */
#include "tests/unit/auth/access_fixture.h"

#include "agent/auth/edit.h"
#include "agent/auth/shadow.h"

static void test_tickets_before_a_change(void **state)
{
	char old[TICKET_MAX], new[TICKET_MAX], csrf[TICKET_MAX];
	struct credential cred = {.ticket = old};
	struct identity who;
	uint64_t until;
	char line[64];

	(void)state;
	put("/user.cfg", "user:a@pve:1:0::::\n");
	put("/priv/shadow.cfg", "a@pve:$y$hash\n"); /* without a time */
	assert_int_equal(access_ticket_make(access_, "a@pve", NOW, old, csrf, NULL), 0);
	assert_int_equal(access_authenticate(access_, &cred, false, NOW, &who, NULL), 0);
	assert_string_equal(access_password_hash(access_, "a@pve"), "$y$hash");
	/* changed within the same second */
	snprintf(line, sizeof(line), "a@pve:%llu:$y$other\n", NOW + 1ull);
	put("/priv/shadow.cfg", line);
	assert_string_equal(access_password_hash(access_, "a@pve"), "$y$other");
	assert_int_equal(login(old, NOW), -ERR_AUTH);
	assert_false(access_refresh(access_, &who, NOW, &until));
	assert_int_equal(access_ticket_make(access_, "a@pve", NOW, new, csrf, NULL), 0);
	assert_int_equal(login(new, NOW), 0);
	assert_int_equal(login(new, NOW + TICKET_LIFE), 0);
	assert_int_equal(login(new, NOW + TICKET_LIFE + 1), -ERR_AUTH);
	/* without a password, as users of other realms */
	snprintf(line, sizeof(line), "a@pve:%llu:\n", NOW + 2ull);
	put("/priv/shadow.cfg", line);
	assert_null(access_password_hash(access_, "a@pve"));
	assert_int_equal(login(new, NOW), -ERR_AUTH);
	/* a clock that was years ahead locks nobody out */
	snprintf(line, sizeof(line), "a@pve:%llu:$y$other\n", NOW + 100000000ull);
	put("/priv/shadow.cfg", line);
	assert_int_equal(access_ticket_make(access_, "a@pve", NOW, new, csrf, NULL), 0);
	assert_int_equal(login(new, NOW), 0);
}

static void test_shadow_values(void **state)
{
	struct secrets *s = secrets_new();

	(void)state;
	assert_null(shadow_hash(s, "a@pve"));
	assert_int_equal(shadow_since(s, "a@pve"), 0);
	shadow_put(s, "a@pve", "$y$x", 1000);
	assert_string_equal(shadow_hash(s, "a@pve"), "$y$x");
	assert_int_equal(shadow_since(s, "a@pve"), 1000);
	shadow_put_since(s, "a@pve", 1000); /* each change counts */
	assert_string_equal(shadow_hash(s, "a@pve"), "$y$x");
	assert_int_equal(shadow_since(s, "a@pve"), 1001);
	shadow_put(s, "a@pve", NULL, 2000);
	assert_null(shadow_hash(s, "a@pve"));
	assert_int_equal(shadow_since(s, "a@pve"), 2000);
	secrets_put(s, "b@pve", "99999999999999999999:x"); /* no number */
	assert_int_equal(shadow_since(s, "b@pve"), 0);
	secrets_put(s, "b@pve", "12hash");
	assert_string_equal(shadow_hash(s, "b@pve"), "12hash");
	secrets_free(s);
}

static bool refresh(struct identity *who, uint64_t now, uint64_t *ret_until)
{
	*ret_until = 1;
	return access_refresh(access_, who, now, ret_until);
}

static void test_refresh_of_a_ticket(void **state)
{
	char ticket[TICKET_MAX], csrf[TICKET_MAX];
	struct credential cred = {.ticket = ticket};
	struct identity who, root = {.userid = "root@pam", .is_local_root = true};
	uint64_t until;

	(void)state;
	put("/user.cfg", "user:a@pve:1:0::::\n");
	assert_int_equal(access_ticket_make(access_, "a@pve", NOW, ticket, csrf, NULL), 0);
	assert_int_equal(access_authenticate(access_, &cred, false, NOW + 60, &who, NULL), 0);
	assert_int_equal(who.valid_until, NOW + TICKET_LIFE);
	assert_true(refresh(&who, NOW + TICKET_LIFE - 1, &until));
	assert_int_equal(until, NOW + TICKET_LIFE);
	assert_false(refresh(&who, NOW + TICKET_LIFE, &until));
	put("/user.cfg", "user:a@pve:1:1744830564::::\n"); /* 100 s later */
	assert_true(refresh(&who, NOW, &until));
	assert_int_equal(until, NOW + 100);
	assert_false(refresh(&who, NOW + 100, &until));
	put("/user.cfg", "user:a@pve:0:0::::\n");
	assert_false(refresh(&who, NOW, &until));
	put("/user.cfg", NULL);
	assert_false(refresh(&who, NOW, &until));
	put("/user.cfg", "user:a@pve:1:0::::\n");
	assert_true(refresh(&who, NOW, &until));
	put("/priv/authkey", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
	assert_false(refresh(&who, NOW, &until));
	assert_true(refresh(&root, NOW, &until));
	assert_int_equal(until, 0);
}

static void test_refresh_of_a_token(void **state)
{
	static const char other[] =
		"a@pve!ci:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
	struct identity who;
	uint64_t until;

	(void)state;
	put_token_secret("a@pve!ci");
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:0:1:\n");
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), 0);
	assert_int_equal(who.valid_until, 0);
	assert_true(refresh(&who, NOW, &until));
	assert_int_equal(until, 0);
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:1744830474:0:\n");
	assert_true(refresh(&who, NOW, &until));
	assert_int_equal(until, NOW + 10);
	assert_false(who.has_privsep);
	assert_false(refresh(&who, NOW + 10, &until));
	put("/user.cfg", "user:a@pve:0:0::::\n" ROOT "token:a@pve!ci:0:0:\n");
	assert_false(refresh(&who, NOW, &until));
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT);
	assert_false(refresh(&who, NOW, &until));
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:0:0:\n");
	assert_true(refresh(&who, NOW, &until));
	put("/priv/token.cfg", other);
	assert_false(refresh(&who, NOW, &until));
	put("/priv/token.cfg", NULL);
	assert_false(refresh(&who, NOW, &until));
}

static bool holds(struct identity *who, uint64_t now, uint64_t *ret_until)
{
	*ret_until = 1;
	return access_holds(access_, who, now, ret_until);
}

/* A ticket ends by its time, and what it opened does not. */
static void test_what_a_ticket_opened(void **state)
{
	char ticket[TICKET_MAX], csrf[TICKET_MAX], line[64];
	struct credential cred = {.ticket = ticket};
	struct identity who, root = {.userid = "root@pam", .is_local_root = true};
	uint64_t until;

	(void)state;
	put("/user.cfg", "user:a@pve:1:0::::\n");
	assert_int_equal(access_ticket_make(access_, "a@pve", NOW, ticket, csrf, NULL), 0);
	assert_int_equal(access_authenticate(access_, &cred, false, NOW, &who, NULL), 0);
	assert_true(holds(&who, NOW + 100 * TICKET_LIFE, &until));
	assert_int_equal(until, 0);
	put("/user.cfg", "user:a@pve:1:1744830564::::\n"); /* 100 s later */
	assert_true(holds(&who, NOW + 99, &until));
	assert_int_equal(until, NOW + 100);
	assert_false(holds(&who, NOW + 100, &until));
	put("/user.cfg", "user:a@pve:0:0::::\n");
	assert_false(holds(&who, NOW, &until));
	put("/user.cfg", "user:a@pve:1:0::::\n");
	assert_true(holds(&who, NOW, &until));
	snprintf(line, sizeof(line), "a@pve:%llu:$y$hash\n", NOW + 0ull);
	put("/priv/shadow.cfg", line);
	assert_true(holds(&who, NOW + 3 * TICKET_LIFE, &until));
	snprintf(line, sizeof(line), "a@pve:%llu:$y$hash\n", NOW + 1ull);
	put("/priv/shadow.cfg", line);
	assert_false(holds(&who, NOW + 3 * TICKET_LIFE, &until));
	assert_true(holds(&root, NOW, &until));
	put("/priv/shadow.cfg", NULL);
	assert_true(holds(&who, NOW, &until));
	put("/priv/authkey", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
	assert_false(holds(&who, NOW, &until));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tickets_before_a_change), cmocka_unit_test(test_shadow_values),
		TEST(test_refresh_of_a_ticket),	    TEST(test_refresh_of_a_token),
		TEST(test_what_a_ticket_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
