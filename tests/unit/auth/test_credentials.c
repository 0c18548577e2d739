/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credentials over a real store: the key of tickets, users, tokens. What changes
 * there counts at once. */
#include "tests/unit/auth/access_fixture.h"

static void test_key_is_made_once(void **state)
{
	char ticket[TICKET_MAX], csrf[TICKET_MAX];
	struct store_value value;
	struct err err = ERR_INIT;

	(void)state;
	/* the transaction is under way, so there is none yet */
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, &err),
			 -ERR_UNAVAILABLE);
	put("/x", "");
	assert_true(store_get(fixture.store, "/priv/authkey", &value));
	assert_int_equal(value.size, 65);
	uint64_t version = value.version;
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL), 0);
	assert_int_equal(login(ticket, NOW), 0);

	/* the next start finds it, and its tickets */
	access_free(access_);
	store_close(fixture.store);
	store_fixture_open(&fixture);
	assert_int_equal(access_new(fixture.store, &access_, NULL), 0);
	assert_int_equal(login(ticket, NOW), 0);
	put("/x", "y");
	assert_true(store_get(fixture.store, "/priv/authkey", &value));
	assert_int_equal(value.version, version);
}

static void key_put_done(const struct store_result *result, void *ctx)
{
	(void)ctx;
	assert_int_equal(result->outcome, STORE_DONE);
}

/* Another node's key, ahead in the log, is not replaced. */
static void test_key_of_another_stays(void **state)
{
	static const char text[] =
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
	struct store_op op = {
		.kind = STORE_PUT, .path = "/priv/authkey", .value = text, .size = strlen(text)};
	struct store_txn txn = {.who = "node", .ops = &op, .op_count = 1};
	char ticket[TICKET_MAX], csrf[TICKET_MAX];
	struct store_value value;

	(void)state;
	put("/x", "");
	put("/priv/authkey", NULL);
	access_free(access_);
	assert_int_equal(store_submit(fixture.store, &txn, key_put_done, NULL, NULL), 0);
	assert_int_equal(access_new(fixture.store, &access_, NULL), 0);
	put("/x", "y");
	assert_true(store_get(fixture.store, "/priv/authkey", &value));
	assert_string_equal(value.data, text);
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL), 0);
}

static void test_key_is_followed(void **state)
{
	char ticket[TICKET_MAX], csrf[TICKET_MAX];

	(void)state;
	put("/x", "");
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL), 0);
	put("/priv/authkey", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
	assert_int_equal(login(ticket, NOW), -ERR_AUTH);
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL), 0);
	assert_int_equal(login(ticket, NOW), 0);
	put("/priv/authkey", "damaged\n");
	assert_int_equal(login(ticket, NOW), -ERR_AUTH);
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL),
			 -ERR_UNAVAILABLE);
	put("/priv/authkey", NULL);
	assert_int_equal(login(ticket, NOW), -ERR_AUTH);
}

static void test_user_state_counts_at_once(void **state)
{
	static const struct {
		const char *cfg;
		int r;
	} cases[] = {
		{"user:a@pve:1:0::::\n", 0},
		{"user:a@pve:0:0::::\n", -ERR_AUTH},
		{"user:a@pve:1:1744830465::::\n", 0}, /* ends a second later */
		{"user:a@pve:1:1744830464::::\n", -ERR_AUTH},
		{"user:b@pve:1:0::::\n", -ERR_AUTH},
		{"damaged\n", -ERR_AUTH},
		{NULL, -ERR_AUTH},
	};
	char ticket[TICKET_MAX], csrf[TICKET_MAX];

	(void)state;
	_Static_assert(NOW == 1744830464, "cases above");
	put("/x", "");
	assert_int_equal(access_ticket_make(access_, "a@pve", NOW, ticket, csrf, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t generation = access_generation(access_);

		put("/user.cfg", cases[i].cfg);
		assert_int_equal(login(ticket, NOW), cases[i].r);
		assert_int_equal(access_user_is_enabled(access_, "a@pve", NOW), cases[i].r == 0);
		assert_true(access_generation(access_) > generation);
		assert_true(access_user_is_enabled(access_, "root@pam", NOW));
	}
}

static void test_texts(void **state)
{
	static const struct {
		struct credential cred;
		const char *text;
	} cases[] = {
		{{0}, "No ticket"},
		{{.ticket = ""}, "No ticket"},
		{{.ticket = "PVE:root@pam:68000000::x"}, "permission denied - invalid PVE ticket"},
		{{.token = "root@pam!x"}, "invalid token value!"},
		{{.token = "root@pam!ghost=" UUID}, "invalid token value!"},
	};
	char ticket[TICKET_MAX], csrf[TICKET_MAX];
	struct identity who;
	struct err err = ERR_INIT;

	(void)state;
	put("/x", "");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			access_authenticate(access_, &cases[i].cred, true, NOW, &who, &err),
			-ERR_AUTH);
		assert_string_equal(err.message, cases[i].text);
	}
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL), 0);
	struct credential cred = {.ticket = ticket};
	assert_int_equal(access_authenticate(access_, &cred, true, NOW, &who, &err), -ERR_AUTH);
	assert_string_equal(err.message, "Permission denied - invalid csrf token");
	cred.csrf = csrf;
	assert_int_equal(access_authenticate(access_, &cred, true, NOW, &who, &err), 0);
	assert_string_equal(who.userid, "root@pam");
	assert_false(who.is_local_root);
	assert_false(who.is_token);
}

static void test_tokens(void **state)
{
	struct identity who;

	(void)state;
	put_token_secret("a@pve!ci");
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:0:1:\n");
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), 0);
	assert_string_equal(who.userid, "a@pve");
	assert_string_equal(who.tokenid, "a@pve!ci");
	assert_true(who.is_token && who.has_privsep);
	assert_int_equal(login_token("a@pve!ci=01234567-89ab-cdef-0123-456789abcdee", NOW, &who),
			 -ERR_AUTH);
	/* expired, disabled user, gone, without a secret */
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:7:0:\n");
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), -ERR_AUTH);
	assert_int_equal(login_token("a@pve!ci=" UUID, 6, &who), 0);
	assert_false(who.has_privsep);
	put("/user.cfg", "user:a@pve:0:0::::\n" ROOT "token:a@pve!ci:0:0:\n");
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), -ERR_AUTH);
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT);
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), -ERR_AUTH);
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:0:0:\n");
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), 0);
	put("/priv/token.cfg", NULL);
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), -ERR_AUTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_key_is_made_once),
		TEST(test_key_of_another_stays),
		TEST(test_key_is_followed),
		TEST(test_user_state_counts_at_once),
		TEST(test_texts),
		TEST(test_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
