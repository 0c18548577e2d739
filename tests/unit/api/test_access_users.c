/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users, groups, roles and the ACL: how they are edited, and who sees and may what. */
#include "access_test.h"

static void test_users(void **state)
{
	(void)state;
	expect(200, ASK(NULL, "POST /access/groups", "groupid=ops", "comment=the ops"), FORM);
	expect(200, ASK(NULL, "POST /access/groups", "groupid=dev"), FORM);
	expect(200,
	       ASK(NULL, "POST /access/users", "userid=a@pve", "groups=ops", "email=a@b.c",
		   "firstname=\xc3\x84nne", "comment=x:y", "expire=4102444800"),
	       FORM);
	expect(200, ASK(NULL, "GET /access/users/a@pve"),
	       "{\"data\":{\"enable\":1,\"expire\":4102444800,\"firstname\":\"\xc3\x84nne\","
	       "\"email\":\"a@b.c\",\"comment\":\"x:y\",\"groups\":[\"ops\"],\"tokens\":{}}}");
	expect(500, ASK(NULL, "POST /access/users", "userid=a@pve"),
	       "create user failed: user 'a@pve' already exists");
	expect(400, ASK(NULL, "POST /access/users", "userid=a@nowhere"), "\"userid\":");
	expect(400, ASK(NULL, "POST /access/users", "userid=a"), "\"userid\":");
	expect(400, ASK(NULL, "POST /access/users", "userid=a\xc2\xa0z@pve"), "\"userid\":");
	expect(400, ASK(NULL, "POST /access/users", "userid=b@pve", "email=x"), "\"email\":");
	expect(400, ASK(NULL, "POST /access/users", "userid=b@pve", "key=x"),
	       "property is not defined in schema");
	/* clients send it empty */
	expect(400, ASK(NULL, "POST /access/users", "userid=b@pve", "keys=x"), "\"keys\":");
	expect(200, ASK(NULL, "PUT /access/users/a@pve", "keys="), FORM);
	expect(500, ASK(NULL, "POST /access/users", "userid=b@pve", "groups=ghosts"),
	       "group 'ghosts' does not exist");
	expect(500, ASK(NULL, "GET /access/users/b@pve"), "no such user ('b@pve')");

	/* the longest comment, in the widest characters, can be read back */
	char longest[8 + 2048 * 4 + 1] = "comment=";
	for (size_t i = 0; i < 2048; i++)
		strcat(longest + 8 + 4 * i, "\xf0\x9f\x90\xa7");
	expect(200, ASK(NULL, "PUT /access/users/a@pve", longest), FORM);
	expect(200, ASK(NULL, "GET /access/users/a@pve"), longest + 8);
	expect(400, ASK(NULL, "PUT /access/users/a@pve", "comment=\xff"), "\"comment\":");

	expect(200, ASK(NULL, "PUT /access/users/a@pve", "groups=dev", "append=1", "comment="),
	       FORM);
	expect(200, ASK(NULL, "GET /access/users", "full=1"), "\"groups\":\"dev,ops\"");
	assert_null(strstr(buf_str(&answer.body), "x:y"));
	expect(200, ASK(NULL, "PUT /access/users/a@pve", "groups=dev"), FORM);
	expect(200, ASK(NULL, "GET /access/groups/ops"),
	       "{\"data\":{\"comment\":\"the ops\",\"members\":[]}}");
	expect(200, ASK(NULL, "GET /access/groups"), "\"groupid\":\"dev\",\"users\":\"a@pve\"");
	expect(200, ASK(NULL, "GET /access/users", "enabled=0"), "{\"data\":[]}");

	expect(400, ASK(NULL, "PUT /access/users/root@pam", "enable=0"), "\"enable\":");
	expect(400, ASK(NULL, "DELETE /access/users/root@pam"), "root@pam");
	expect(200, ASK(NULL, "DELETE /access/groups/dev"), FORM);
	expect(500, ASK(NULL, "DELETE /access/groups/dev"), "group 'dev' does not exist");
	expect(200, ASK(NULL, "GET /access/users/a@pve"), "\"groups\":[]");
}

static void test_roles(void **state)
{
	(void)state;
	expect(200, ASK(NULL, "POST /access/roles", "roleid=watch", "privs=VM.Audit"), FORM);
	expect(500, ASK(NULL, "POST /access/roles", "roleid=watch"), "already exists");
	expect(400, ASK(NULL, "POST /access/roles", "roleid=pveMine"), "\"roleid\":");
	expect(400, ASK(NULL, "POST /access/roles", "roleid=x", "privs=VM.Nothing"), "\"privs\":");
	expect(200, ASK(NULL, "PUT /access/roles/watch", "privs=Sys.Audit", "append=1"), FORM);
	expect(200, ASK(NULL, "GET /access/roles/watch"),
	       "{\"data\":{\"Sys.Audit\":1,\"VM.Audit\":1}}");
	expect(200, ASK(NULL, "PUT /access/roles/watch", "privs=Sys.Audit"), FORM);
	expect(200, ASK(NULL, "GET /access/roles"),
	       "{\"roleid\":\"watch\",\"privs\":\"Sys.Audit\",\"special\":0}");
	expect(400, ASK(NULL, "PUT /access/roles/watch", "append=1"), "\"privs\":");
	expect(400, ASK(NULL, "PUT /access/roles/PVEAdmin", "privs="), "PVEAdmin");
	expect(400, ASK(NULL, "DELETE /access/roles/PVEAdmin"), "PVEAdmin");
	expect(200, ASK(NULL, "DELETE /access/roles/watch"), FORM);
	expect(500, ASK(NULL, "GET /access/roles/watch"), "role 'watch' does not exist");
}

/* ---- who sees and may what ---- */

static void test_visibility(void **state)
{
	(void)state;
	make_user("a@pve");
	make_user("b@pve");
	struct user a = login("a@pve", PASSWORD);
	expect(200, ASK(NULL, "POST /access/groups", "groupid=ops"), FORM);
	expect(200, ASK(NULL, "PUT /access/users/b@pve", "groups=ops"), FORM);

	expect(200, ASK(&a, "GET /access/users"), "a@pve");
	assert_null(strstr(buf_str(&answer.body), "b@pve"));
	expect(200, ASK(&a, "GET /access/groups"), "{\"data\":[]}");
	expect(200, ASK(&a, "GET /access/acl"), "{\"data\":[]}");
	expect(403, ASK(&a, "GET /access/users/b@pve"), "Permission check failed (/access/groups");
	expect(403, ASK(&a, "POST /access/users", "userid=c@pve"), "Realm.AllocateUser");
	expect(403, ASK(&a, "PUT /access/users/a@pve", "groups=ops"), "User.Modify");
	expect(403, ASK(&a, "DELETE /access/users/b@pve"), "Realm.AllocateUser");
	expect(403, ASK(&a, "POST /access/groups", "groupid=x"), "Group.Allocate");
	expect(403, ASK(&a, "POST /access/roles", "roleid=x"), "Sys.Modify");
	expect(403, ASK(&a, "PUT /access/acl", "path=/", "roles=Administrator", "users=a@pve"),
	       "Permission check failed (/, Permissions.Modify)");
	expect(403, ASK(&a, "POST /access/users/b@pve/token/t1"), "User.Modify");
	expect(403, ASK(&a, "GET /access/permissions", "userid=b@pve"), "Sys.Audit");

	grant("a@pve", "/access/groups/ops", "PVEUserAdmin");
	expect(200, ASK(&a, "GET /access/users"), "b@pve");
	expect(200, ASK(&a, "GET /access/groups"), "ops");
	expect(200, ASK(&a, "PUT /access/users/b@pve", "comment=x"), FORM);
	expect(403, ASK(&a, "PUT /access/users/root@pam", "comment=x"), "root@pam");
	grant("a@pve", "/access", "PVEUserAdmin");
	expect(403, ASK(&a, "POST /access/users/root@pam/token/t1", "privsep=0"), "root@pam");
	expect(403, ASK(&a, "PUT /access/users/root@pam", "comment=x"), "root@pam");
}

static void test_acl(void **state)
{
	(void)state;
	make_user("a@pve");
	make_user("b@pve");
	struct user a = login("a@pve", PASSWORD);
	grant("a@pve", "/vms/100", "PVEVMAdmin");
	expect(200, ASK(NULL, "GET /access/acl"),
	       "{\"path\":\"/vms/100\",\"type\":\"user\",\"ugid\":\"a@pve\","
	       "\"roleid\":\"PVEVMAdmin\",\"propagate\":1}");
	expect(200, ASK(&a, "GET /access/permissions"), "\"VM.Audit\":1");
	expect(200, ASK(NULL, "GET /access/permissions", "userid=a@pve", "path=/vms/101"),
	       "{\"data\":{\"/vms/101\":{}}}");
	/* who may create the guest may share what he holds himself, there, and no more */
	expect(200, ASK(&a, "PUT /access/acl", "path=/vms/100", "roles=PVEVMUser", "users=b@pve"),
	       FORM);
	expect(403,
	       ASK(&a, "PUT /access/acl", "path=/vms/100", "roles=Administrator", "users=b@pve"),
	       "Permission check failed (/vms/100, ");
	expect(403, ASK(&a, "PUT /access/acl", "path=/vms/101", "roles=PVEVMUser", "users=b@pve"),
	       "Permission check failed (/vms/101, ");
	expect(200,
	       ASK(&a, "PUT /access/acl", "path=/vms/100/", "roles=PVEVMUser", "users=b@pve",
		   "delete=1"),
	       FORM);
	expect(200, ASK(NULL, "GET /access/permissions", "userid=b@pve"), "{\"data\":{}}");
	/* propagate=0 shows as 0 */
	expect(200,
	       ASK(NULL, "PUT /access/acl", "path=/", "roles=PVETemplateUser", "users=b@pve",
		   "propagate=0"),
	       FORM);
	expect(200, ASK(NULL, "GET /access/permissions", "userid=b@pve"),
	       "{\"data\":{\"/\":{\"VM.Audit\":0,\"VM.Clone\":0}}}");
	expect(400, ASK(NULL, "PUT /access/acl", "path=/etc", "roles=PVEAdmin", "users=b@pve"),
	       "\"path\":");
	expect(400, ASK(NULL, "PUT /access/acl", "path=/", "roles=PVEAdmin"), "\"users\":");
	expect(500, ASK(NULL, "PUT /access/acl", "path=/", "roles=Ghost", "users=b@pve"),
	       "role 'Ghost' does not exist");
	expect(500,
	       ASK(NULL, "PUT /access/acl", "path=/", "roles=PVEAdmin", "users=a@pve,ghost@pve"),
	       "no such user ('ghost@pve')");
	expect(200, ASK(NULL, "GET /access/permissions", "userid=a@pve", "path=/"),
	       "{\"data\":{\"/\":{}}}");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_users),
		TEST(test_roles),
		TEST(test_visibility),
		TEST(test_acl),
	};

	if (argc == 3 && str_eq(argv[1], "helper"))
		return helper(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
