/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rights of users and tokens over a real store: what changes there counts at once. */
#include "tests/unit/auth/access_fixture.h"

#include "agent/auth/privs.h"

static void test_rights(void **state)
{
	struct identity local = {.userid = "root@pam", .is_local_root = true};
	struct identity a = {.userid = "a@pve"};
	struct identity full = {.userid = "a@pve", .tokenid = "a@pve!full", .is_token = true};
	struct identity sep = {
		.userid = "a@pve", .tokenid = "a@pve!sep", .is_token = true, .has_privsep = true};
	struct identity root_sep = {.userid = "root@pam",
				    .tokenid = "root@pam!sep",
				    .is_token = true,
				    .has_privsep = true};
	struct err err = ERR_INIT;

	(void)state;
	assert_true(access_privileges(access_, &local, "/") == PRIVSET_ALL);
	assert_true(access_privileges(access_, &a, "/") == 0);
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!full:0:0:\ntoken:a@pve!sep:0:1:\n"
			 "token:root@pam!sep:0:1:\n"
			 "acl:/:user:a@pve:PVEVMUser:1\n"
			 "acl:/vms/100:token:a@pve!sep:PVEAuditor:1\n"
			 "acl:/vms/100:token:root@pam!sep:PVEAuditor:1\n");
	assert_true(access_privileges(access_, &a, "/vms/100") & PRIV(VM_POWER_MGMT));
	assert_true(access_privileges(access_, &full, "/vms/100") ==
		    access_privileges(access_, &a, "/vms/100"));
	assert_true(access_privileges(access_, &sep, "/vms/100") ==
		    (PRIV(VM_AUDIT) | PRIV(VM_GUEST_AGENT_AUDIT)));
	assert_true(access_privileges(access_, &sep, "/vms/101") == 0);
	assert_true(access_privileges(access_, &root_sep, "/vms/101") == 0);
	assert_true(access_privileges(access_, &root_sep, "/vms/100") & PRIV(SYS_AUDIT));

	assert_int_equal(access_check(access_, &a, "/vms/100", PRIV(VM_AUDIT), false, &err), 0);
	assert_int_equal(access_check(access_, &a, "/vms/100", PRIV(VM_AUDIT) | PRIV(VM_ALLOCATE),
				      true, &err),
			 0);
	assert_int_equal(access_check(access_, &a, "/vms/100", PRIV(VM_AUDIT) | PRIV(VM_ALLOCATE),
				      false, &err),
			 -ERR_DENIED);
	assert_string_equal(err.message, "Permission check failed (/vms/100, VM.Allocate)");
	assert_int_equal(
		access_check(access_, &a, "/", PRIV(SYS_AUDIT) | PRIV(SYS_MODIFY), true, &err),
		-ERR_DENIED);
	assert_string_equal(err.message, "Permission check failed (/, Sys.Audit|Sys.Modify)");

	/* cached answers end with the configuration; tokens and users that are gone hold nothing */
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT);
	assert_true(access_privileges(access_, &a, "/vms/100") == 0);
	assert_true(access_privileges(access_, &full, "/vms/100") == 0);
	assert_true(access_privileges(access_, &root_sep, "/vms/100") == 0);
	assert_true(access_privileges(access_, &local, "/vms/100") == PRIVSET_ALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
