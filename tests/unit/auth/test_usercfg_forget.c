/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that is gone, in the text of /user.cfg. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/auth/text/usercfg_forget.h"
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
	/* pools */
	{"pool:p::101:\n", "pool:p:::\n", true},
	{"pool:p:c:100,101:s\n", "pool:p:c:100:s\n", true},
	{"pool:p::101,102:s\n", "pool:p::102:s\n", true},
	{"pool:p::1,101,1011:101\n", "pool:p::1,1011:101\n", true},
	{"pool:101:101:1011,1101:101\n", "pool:101:101:1011,1101:101\n", false},
	{"pool:p::101\npool:p\npool:", "pool:p::101\npool:p\npool:", false},
};

static void lines_go(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		autobuf out = BUF_INIT;

		assert_int_equal(usercfg_forget_guest(cases[i].text, strlen(cases[i].text), 101,
						      false, &out),
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
	struct cfg_pool *pool;

	assert_int_equal(usercfg_add_pool(cfg, "p", &pool, NULL), 0);
	assert_int_equal(usercfg_pool_add(cfg, pool, "/vms/100", false, NULL), 0);
	assert_int_equal(usercfg_pool_add(cfg, pool, "/vms/101", false, NULL), 0);
	usercfg_format(cfg, &text);
	assert_true(usercfg_forget_guest(buf_str(&text), text.size, 101, false, &rest));
	assert_null(strstr(buf_str(&rest), "/vms/101"));
	autousercfg *again = NULL;

	assert_int_equal(usercfg_parse(buf_str(&rest), rest.size, &again, NULL), 0);
	assert_null(usercfg_pool_of(again, "/vms/101"));
	assert_non_null(usercfg_pool_of(again, "/vms/100"));
}

static void rights_can_stay(void **state)
{
	static const char text[] = "pool:p::101,102:\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n";
	autobuf out = BUF_INIT;

	(void)state;
	assert_true(usercfg_forget_guest(text, strlen(text), 101, true, &out));
	assert_string_equal(buf_str(&out), "pool:p::102:\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lines_go),
					   cmocka_unit_test(rights_can_stay),
					   cmocka_unit_test(as_the_core_writes_it)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
