/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logging in, and how tickets and passwords end. */
#include "access_test.h"

#include "agent/auth/edit.h"

static void test_login(void **state)
{
	static const char *const refused[][2] = {
		{"username=a@pve", "password=wrong horse"},
		{"username=a@pve", "password="},
		{"username=ghost@pve", "password=" PASSWORD},
		{"username=a", "password=" PASSWORD},
		{"username=root@pam", "password=" PASSWORD},
		{"username=a/b@pve", "password=" PASSWORD},
		{"username=a@pve", "password=PVE:a@pve:68000000::AAAA"},
	};

	(void)state;
	make_user("a@pve");
	struct user a = login("a@pve", PASSWORD);
	expect(200,
	       ASK(&nobody, "POST /access/ticket", "username=a", "realm=pve", "password=" PASSWORD,
		   "new-format=1", "otp="),
	       "\"cap\":{\"vms\":{},\"storage\":{}");
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		expect(401, ASK(&nobody, "POST /access/ticket", refused[i][0], refused[i][1]),
		       "\"message\":\"authentication failure\\n\"");
	expect(400,
	       ASK(&nobody, "POST /access/ticket", "username=a@pve", "password=" PASSWORD,
		   "otp=123456"),
	       "\"otp\":");
	/* a ticket renews itself, but only its own user's */
	login("a@pve", a.ticket);
	make_user("b@pve");
	autofree char *word = xasprintf("password=%s", a.ticket);
	expect(401, ASK(&nobody, "POST /access/ticket", "username=b@pve", word), FORM);
	expect(200, ASK(&nobody, "GET /access/ticket"), FORM);
	expect(200, ASK(&nobody, "GET /access/domains"), "\"realm\":\"pam\"");
	expect(401, ASK(&nobody, "GET /access/users"), "No ticket");
}

/* Asked for rights, nobody gets a ticket. */
static void test_question(void **state)
{
	static const char *const unlike[][3] = {
		{"path=/vms/100", NULL, "\"privs\":\"missing property - 'path' requires"},
		{"privs=VM.Audit", NULL, "\"path\":\"missing property - 'privs' requires"},
		{"path=/nowhere", "privs=VM.Audit", "\"path\":"},
		{"path=/vms/0100", "privs=VM.Audit", "\"path\":"},
		{"path=/vms/100", "privs=VM.Nothing", "\"privs\":"},
		{"path=/vms/100", "privs=", "\"privs\":"},
	};
	const char *user = "username=a@pve", *right = "password=" PASSWORD;

	(void)state;
	make_user("a@pve");
	grant("a@pve", "/vms/100", "PVEVMUser");
	for (size_t i = 0; i < ARRAY_SIZE(unlike); i++)
		expect(400,
		       ASK(&nobody, "POST /access/ticket", user, right, unlike[i][0], unlike[i][1]),
		       unlike[i][2]);
	expect(200,
	       ASK(&nobody, "POST /access/ticket", user, right, "path=/vms/100",
		   "privs=VM.Audit,VM.Console"),
	       "{\"data\":{\"username\":\"a@pve\"}}");
	struct user a = login("a@pve", PASSWORD);
	autofree char *ticket = xasprintf("password=%s", a.ticket);
	expect(200,
	       ASK(&nobody, "POST /access/ticket", user, ticket, "path=/vms//100/",
		   "privs=VM.Console"),
	       "{\"data\":{\"username\":\"a@pve\"}}");
	expect(401,
	       ASK(&nobody, "POST /access/ticket", user, right, "path=/vms/100",
		   "privs=VM.Audit,VM.Allocate"),
	       "authentication failure");
	expect(401,
	       ASK(&nobody, "POST /access/ticket", user, right, "path=/vms/101", "privs=VM.Audit"),
	       "authentication failure");
	expect(401,
	       ASK(&nobody, "POST /access/ticket", user, "password=wrong", "path=/vms/100",
		   "privs=VM.Audit"),
	       "authentication failure");
}

static void test_csrf_and_disabling(void **state)
{
	(void)state;
	make_user("a@pve");
	struct user a = login("a@pve", PASSWORD), bare = a;
	bare.csrf[0] = '\0';
	expect(200, ASK(&bare, "GET /access/permissions"), "{\"data\":{}}");
	expect(401, ASK(&bare, "POST /access/users/a@pve/token/ci"),
	       "Permission denied - invalid csrf token");
	expect(200, ASK(&a, "POST /access/users/a@pve/token/ci"), "\"value\":");
	expect(200, ASK(NULL, "PUT /access/users/a@pve", "enable=0"), FORM);
	expect(401, ASK(&a, "GET /access/permissions"), "invalid PVE ticket");
	expect(401, ASK(&nobody, "POST /access/ticket", "username=a@pve", "password=" PASSWORD),
	       "authentication failure");
	expect(200, ASK(NULL, "PUT /access/users/a@pve", "enable=1"), FORM);
	expect(200, ASK(&a, "GET /access/permissions"), "{\"data\":{}}");
	expect(200, ASK(NULL, "DELETE /access/users/a@pve"), FORM);
	expect(401, ASK(&a, "GET /access/permissions"), "invalid PVE ticket");
	/* nothing of the old user is left for a new one of that name */
	expect(200, ASK(NULL, "POST /access/users", "userid=a@pve"), FORM);
	expect(401, ASK(&nobody, "POST /access/ticket", "username=a@pve", "password=" PASSWORD),
	       "authentication failure");
	expect(200, ASK(NULL, "GET /access/users/a@pve"), "\"tokens\":{}");
}

static void test_password(void **state)
{
	(void)state;
	make_user("a@pve");
	make_user("b@pve");
	struct user a = login("a@pve", PASSWORD);
	expect(400, ASK(&a, "PUT /access/password", "userid=a@pve", "password=new password"),
	       "confirmation-password");
	expect(401,
	       ASK(&a, "PUT /access/password", "userid=a@pve", "password=new password",
		   "confirmation-password=wrong horse"),
	       "authentication failure");
	expect(403,
	       ASK(&a, "PUT /access/password", "userid=b@pve", "password=new password",
		   "confirmation-password=" PASSWORD),
	       "Permission check failed (/access/realm/pve, Realm.AllocateUser)");
	expect(200,
	       ASK(&a, "PUT /access/password", "userid=a@pve", "password=new password",
		   "confirmation-password=" PASSWORD),
	       FORM);
	login("a@pve", "new password");
	expect(401, ASK(&nobody, "POST /access/ticket", "username=a@pve", "password=" PASSWORD),
	       "authentication failure");
	/* local root needs no confirmation; an administrator confirms with the own password */
	expect(200, ASK(NULL, "PUT /access/password", "userid=a@pve", "password=third password"),
	       FORM);
	login("a@pve", "third password");
	grant("b@pve", "/access", "PVEUserAdmin");
	struct user b = login("b@pve", PASSWORD);
	expect(200,
	       ASK(&b, "PUT /access/password", "userid=a@pve", "password=fourth word",
		   "confirmation-password=" PASSWORD),
	       FORM);
	login("a@pve", "fourth word");
	expect(500, ASK(NULL, "PUT /access/password", "userid=ghost@pve", "password=new password"),
	       "no such user ('ghost@pve')");
	expect(400, ASK(NULL, "PUT /access/password", "userid=root@pam", "password=new password"),
	       "\"userid\":");
	expect(400, ASK(NULL, "PUT /access/password", "userid=a@pve", "password=short"),
	       "\"password\":");
}

static unsigned reach(const struct user *user)
{
	return ASK(user, "GET /access/permissions");
}

/* What was stolen before stops to work, at once and for that user alone. */
static void test_old_tickets(void **state)
{
	(void)state;
	make_user("a@pve");
	make_user("b@pve");
	struct user a = login("a@pve", PASSWORD), b = login("b@pve", PASSWORD);
	assert_int_equal(reach(&a), 200);
	expect(200, ASK(&a, "POST /access/users/a@pve/token/ci"), "\"value\":");
	expect(200,
	       ASK(&a, "PUT /access/password", "userid=a@pve", "password=new password",
		   "confirmation-password=" PASSWORD),
	       FORM);
	assert_int_equal(reach(&a), 401);
	autofree char *renewal = xasprintf("password=%s", a.ticket);
	expect(401, ASK(&nobody, "POST /access/ticket", "username=a@pve", renewal),
	       "authentication failure");
	assert_int_equal(reach(&b), 200);
	a = login("a@pve", "new password");
	assert_int_equal(reach(&a), 200);

	expect(403, ASK(&b, "DELETE /access/users/a@pve/tickets"), "Permission check failed");
	expect(500, ASK(NULL, "DELETE /access/users/ghost@pve/tickets"), "no such user");
	expect(200, ASK(NULL, "DELETE /access/users/root@pam/tickets"), FORM);
	expect(200, ASK(&a, "DELETE /access/users/a@pve/tickets"), FORM);
	assert_int_equal(reach(&a), 401);
	a = login("a@pve", "new password"); /* which stays */
	expect(200, ASK(NULL, "DELETE /access/users/a@pve/tickets"), FORM);
	assert_int_equal(reach(&a), 401);
	assert_int_equal(reach(&b), 200);
	/* another user of the same name inherits none */
	expect(200, ASK(NULL, "DELETE /access/users/b@pve"), FORM);
	assert_int_equal(reach(&b), 401);
	uint64_t now = clock_wall() / USEC_PER_SEC;
	expect(200, ASK(NULL, "POST /access/users", "userid=b@pve"), FORM);
	assert_true(access_tickets_since(core.access, "b@pve") > now);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_login),    TEST(test_question),    TEST(test_csrf_and_disabling),
		TEST(test_password), TEST(test_old_tickets),
	};

	if (argc == 3 && str_eq(argv[1], "helper"))
		return helper(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
