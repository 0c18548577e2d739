/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rights on a guest that is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/auth/text/acl_forget.h"
#include "agent/auth/usercfg.h"

static const struct {
	const char *text, *rest;
	bool is_found;
} cases[] = {
	{"", "", false},
	{"acl:/vms/101:user:joe@pve:PVEVMUser:1\n", "", true},
	{"user:root@pam:1:0::::\nacl:/vms/101:user:joe@pve:PVEVMUser:1\nacl:/"
	 "vms:user:joe@pve:PVEVMUser:1\n",
	 "user:root@pam:1:0::::\nacl:/vms:user:joe@pve:PVEVMUser:1\n", true},
	/* ids that begin or end alike */
	{"acl:/vms/1011:user:joe@pve:PVEVMUser:1\nacl:/vms/10:user:joe@pve:PVEVMUser:1\n",
	 "acl:/vms/1011:user:joe@pve:PVEVMUser:1\nacl:/vms/10:user:joe@pve:PVEVMUser:1\n", false},
	/* a text that only looks like it */
	{"user:a@pve:1:0::::acl\nacl:/vms/101:group:g:NoAccess:0\nacl:/vms/"
	 "101:token:a@pve!t:PVEVMUser:1\n",
	 "user:a@pve:1:0::::acl\n", true},
	{"acl:/vms/101:user:x", "", true},
};

static void lines_go(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		autobuf out = BUF_INIT;

		assert_int_equal(acl_forget_guest(cases[i].text, strlen(cases[i].text), 101, &out),
				 cases[i].is_found);
		assert_string_equal(buf_str(&out), cases[i].rest);
	}
}

/* What the core writes is what is found. */
static void as_the_core_writes_it(void **state)
{
	autousercfg *cfg = usercfg_new();
	autobuf text = BUF_INIT, rest = BUF_INIT;
	const struct acl_entry entry = {.kind = ACL_USER,
					.subject = (char *)"root@pam",
					.role = (char *)"PVEVMUser",
					.propagate = true};

	(void)state;
	assert_int_equal(usercfg_acl_set(cfg, "/vms/101", &entry, NULL), 0);
	usercfg_format(cfg, &text);
	assert_true(acl_forget_guest(buf_str(&text), text.size, 101, &rest));
	assert_null(strstr(buf_str(&rest), "/vms/101"));
	autousercfg *again = NULL;

	assert_int_equal(usercfg_parse(buf_str(&rest), rest.size, &again, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lines_go),
					   cmocka_unit_test(as_the_core_writes_it)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
