/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens of users: what they may, how many there may be, and that secrets stay secret. */
#include "access_test.h"

static void test_tokens(void **state)
{
	struct user t = {0}, sep = {0};
	char value[64];

	(void)state;
	make_user("a@pve");
	grant("a@pve", "/", "PVEVMUser");
	struct user a = login("a@pve", PASSWORD);
	expect(200, ASK(&a, "POST /access/users/a@pve/token/full", "privsep=0", "comment=c"),
	       "{\"data\":{\"full-tokenid\":\"a@pve!full\",\"info\":{\"privsep\":0,\"expire\":0,"
	       "\"comment\":\"c\"},\"value\":\"");
	value_of("value", value, sizeof(value));
	snprintf(t.token, sizeof(t.token), "a@pve!full=%s", value);
	expect(200, ASK(&a, "POST /access/users/a@pve/token/sep"), "\"privsep\":1");
	value_of("value", value, sizeof(value));
	snprintf(sep.token, sizeof(sep.token), "a@pve!sep=%s", value);
	expect(500, ASK(&a, "POST /access/users/a@pve/token/sep"), "already exists");
	expect(400, ASK(&a, "POST /access/users/a@pve/token/1x"), "\"tokenid\":");

	expect(200, ASK(&t, "GET /access/permissions", "path=/"), "VM.Audit");
	expect(200, ASK(&sep, "GET /access/permissions"), "{\"data\":{}}");
	expect(200,
	       ASK(NULL, "PUT /access/acl", "path=/vms", "roles=Administrator", "tokens=a@pve!sep"),
	       FORM);
	expect(200, ASK(&sep, "GET /access/permissions", "path=/vms/100"), "VM.PowerMgmt");
	assert_null(strstr(buf_str(&answer.body), "VM.Allocate"));

	/* a token with rights of its own must not hand itself more */
	expect(403, ASK(&sep, "PUT /access/users/a@pve/token/sep", "privsep=0"), "User.Modify");
	expect(403, ASK(&sep, "POST /access/users/a@pve/token/more", "privsep=0"), "User.Modify");
	expect(403,
	       ASK(&t, "PUT /access/password", "userid=a@pve", "password=new password",
		   "confirmation-password=" PASSWORD),
	       "Permission check failed");

	expect(200, ASK(&a, "PUT /access/users/a@pve/token/full", "expire=1", "delete=comment"),
	       "{\"data\":{\"privsep\":0,\"expire\":1}}");
	expect(401, ASK(&t, "GET /access/permissions"), "invalid token value!");
	expect(400, ASK(&a, "PUT /access/users/a@pve/token/full", "delete=secret"), "\"delete\":");
	expect(200, ASK(&a, "GET /access/users/a@pve/token"), "\"tokenid\":\"full\"");
	expect(200, ASK(&a, "DELETE /access/users/a@pve/token/sep"), FORM);
	expect(401, ASK(&sep, "GET /access/permissions"), "invalid token value!");
	expect(500, ASK(&a, "GET /access/users/a@pve/token/sep"),
	       "no such token 'sep' for user 'a@pve'");
}

/* A user who makes tokens without end fills the file that all rights are in. */
static void test_tokens_are_bounded(void **state)
{
	int status = 200;
	unsigned made = 0;

	(void)state;
	make_user("a@pve");
	make_user("b@pve");
	for (; made < 300 && status == 200; made++) {
		autofree char *what = xasprintf("POST /access/users/a@pve/token/t%u", made);

		status = ASK(NULL, what);
	}
	assert_int_equal(made, 201);
	expect(500, status, "at most 200 tokens");
	expect(200, ASK(NULL, "POST /access/users/b@pve/token/t1"), "\"value\"");
	expect(200, ASK(NULL, "DELETE /access/users/a@pve/token/t7"), FORM);
	expect(200, ASK(NULL, "POST /access/users/a@pve/token/again"), "\"value\"");
}

/* Neither passwords nor token secrets are stored or shown anywhere. */
static void test_secrets_stay(void **state)
{
	struct store_value v;
	char value[64];

	(void)state;
	make_user("a@pve");
	struct user a = login("a@pve", PASSWORD);
	expect(200, ASK(&a, "POST /access/users/a@pve/token/ci"), "\"value\":");
	value_of("value", value, sizeof(value));
	memset(&v, 0, sizeof(v));
	for (const char *after = NULL; store_next(core.store, "/", after, &v); after = v.path) {
		assert_null(strstr(v.data, value));
		if (!str_eq(v.path, "/priv/shadow.cfg"))
			assert_null(strstr(v.data, PASSWORD));
	}
	expect(200, ASK(NULL, "GET /access/users", "full=1"), "\"tokenid\":\"ci\"");
	assert_null(strstr(buf_str(&answer.body), value));
	assert_null(strstr(buf_str(&answer.body), PASSWORD));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tokens),
		TEST(test_secrets_stay),
		TEST(test_tokens_are_bounded),
	};

	if (argc == 3 && str_eq(argv[1], "helper"))
		return helper(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
