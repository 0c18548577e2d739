/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What root alone may give to a container does not come by a copy or by a rollback of somebody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/api/lxc_test.h"

#define USER "admin@pve"

static const char *const for_root[] = {
	"dev0: /dev/fuse",    "hookscript: local:snippets/a.sh", "lxc.cap.keep: sys_admin",
	"features: keyctl=1", "features: nesting=1,fuse=1",
};
static const char *const for_all[] = {"features: nesting=1", "tags: a", "onboot: 1"};

static int open_rights(void **state)
{
	int r = open_core(state);

	put("/user.cfg", "user:" USER ":1:0::::\nacl:/:user:" USER ":PVEAdmin:1\n");
	return r;
}

/* Both parts of the configuration get a line, "" for none. */
static void put_guest(const char *now, const char *snapshot)
{
	autofree char *text =
		xasprintf(STOPPED_CONFIG "%s%s\n[s1]\n" STOPPED_CONFIG "snaptime: 1700000000\n%s%s",
			  now, *now ? "\n" : "", snapshot, *snapshot ? "\n" : "");

	put("/nodes/n1/lxc/101.conf", text);
}

static void expect_denied(const char *path, const char *params, const char *line, const char *how)
{
	autofree char *key = xstrndup(line, strcspn(line, ":"));
	autofree char *body =
		xasprintf("{\"data\":null,\"message\":\"it would set '%s' %s, which only "
			  "root@pam can\\n\"}",
			  key, how);

	expect_as(USER, "POST", path, params, 403, body);
}

static void expect_started(const char *user, const char *path, const char *params)
{
	unsigned status;
	autobuf answer = ask_as(user, "POST", path, params, &status);

	if (status != 200)
		fail_msg("%s: %u %s", path, status, buf_str(&answer));
	wait_for_job(buf_str(&answer));
}

static void drop_copy(void)
{
	struct store_value value;

	if (store_get(core.store, "/nodes/n1/lxc/102.conf", &value))
		store_op(STORE_DELETE, "/nodes/n1/lxc/102.conf", "");
}

static void a_copy_has_none_of_it(void **state)
{
	struct store_value value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(for_root); i++) {
		put_guest(for_root[i], "");
		expect_denied(GUEST "/clone", "newid=102|full=1", for_root[i], "for the copy");
		put_guest("", for_root[i]);
		expect_denied(GUEST "/clone", "newid=102|full=1|snapname=s1", for_root[i],
			      "for the copy");
		assert_false(store_get(core.store, "/nodes/n1/lxc/102.conf", &value));
	}
}

static void root_copies_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(for_root); i++) {
		put_guest(for_root[i], "");
		expect_started(NULL, GUEST "/clone", "newid=102|full=1");
		drop_copy();
	}
}

static void the_rest_is_copied_by_anybody(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(for_all); i++) {
		put_guest(for_all[i], "");
		expect_started(USER, GUEST "/clone", "newid=102|full=1");
		drop_copy();
	}
}

static void a_rollback_brings_nothing_back(void **state)
{
	static const char *const others[] = {"dev0: /dev/kvm", "mp0: /srv,mp=/a"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(for_root); i++) {
		put_guest("", for_root[i]);
		expect_denied(GUEST "/snapshot/s1/rollback", NULL, for_root[i], "again");
		expect_started(NULL, GUEST "/snapshot/s1/rollback", NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		put_guest("dev0: /dev/fuse\nmp0: /srv/b,mp=/a", others[i]);
		expect_denied(GUEST "/snapshot/s1/rollback", NULL, others[i], "again");
	}
}

static void what_still_stands_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(for_root); i++) {
		put_guest(for_root[i], for_root[i]);
		expect_started(USER, GUEST "/snapshot/s1/rollback", NULL);
		put_guest(for_root[i], "");
		expect_started(USER, GUEST "/snapshot/s1/rollback", NULL);
	}
	put_guest("mp0: /srv,mp=/a", "mp0: /srv,mp=/a");
	expect_started(USER, GUEST "/snapshot/s1/rollback", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(for_all); i++) {
		put_guest("", for_all[i]);
		expect_started(USER, GUEST "/snapshot/s1/rollback", NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_has_none_of_it),
		cmocka_unit_test(root_copies_it),
		cmocka_unit_test(the_rest_is_copied_by_anybody),
		cmocka_unit_test(a_rollback_brings_nothing_back),
		cmocka_unit_test(what_still_stands_stays),
	};

	return cmocka_run_group_tests(tests, open_rights, close_core);
}
