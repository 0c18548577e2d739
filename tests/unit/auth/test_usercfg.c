/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model of /user.cfg and its text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/auth/usercfg.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define ROOT_LINE "user:root@pam:1:0::::\n"

#define POOLS                                                                                      \
	"pool:web::100,1001,101:local,nas\n"                                                       \
	"pool:web-old:::\n"                                                                        \
	"pool:web/db:the%20data::\n"

static const char sample[] =
	"user:alice@pve:1:0:Al%20ice:B%3Ax:a%40example.org:50%25\n"
	"user:bob@pve:0:4102444800::::\n" ROOT_LINE "token:alice@pve!ci:0:1:build\n"
	"token:alice@pve!full:77:0:\n"
	"group:empty::\n"
	"group:ops:alice@pve,bob@pve:the%20ops\n"
	"role:none:\n"
	"role:watch:Sys.Audit,VM.Audit\n" POOLS "acl:/:group:ops:PVEAuditor:1\n"
	"acl:/vms/100:user:alice@pve:watch:0\n"
	"acl:/vms/100:token:alice@pve!ci:PVEVMUser:1\n";

static struct usercfg *parse(const char *text)
{
	struct err err = ERR_INIT;
	struct usercfg *cfg = NULL;

	if (usercfg_parse(text, strlen(text), &cfg, &err) < 0)
		fail_msg("%s", err.message);
	return cfg;
}

static void assert_text(const struct usercfg *cfg, const char *text)
{
	autobuf out = BUF_INIT;

	usercfg_format(cfg, &out);
	assert_string_equal(buf_str(&out), text);
}

static void test_round_trip(void **state)
{
	autousercfg *cfg = parse(sample);
	const struct cfg_user *alice = map_get(cfg->users, "alice@pve");

	(void)state;
	assert_text(cfg, sample);
	assert_string_equal(alice->firstname, "Al ice");
	assert_string_equal(alice->lastname, "B:x");
	assert_string_equal(alice->comment, "50%");
	assert_true(usercfg_is_member(cfg, "ops", "bob@pve"));
	assert_false(usercfg_is_member(cfg, "empty", "bob@pve"));
}

static void test_pools(void **state)
{
	autousercfg *cfg = parse(sample), *other = parse(sample);
	struct cfg_pool *web, *db;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(usercfg_pool(cfg, "web", &web, NULL), 0);
	assert_int_equal(usercfg_pool(cfg, "web/db", &db, NULL), 0);
	assert_ptr_equal(usercfg_pool_of(cfg, "/vms/101"), web);
	assert_null(usercfg_pool_of(cfg, "/vms/102"));
	assert_null(usercfg_pool_of(cfg, "/storage/nas"));
	assert_true(usercfg_has_same_pools(cfg, other));

	assert_int_equal(usercfg_pool_add(cfg, db, "/vms/101", false, &err), -ERR_INVALID);
	assert_string_equal(err.message,
			    "VM 101 belongs to pool 'web' already (allow-move takes it "
			    "out of there)");
	assert_int_equal(usercfg_pool_add(cfg, web, "/vms/101", true, &err), -ERR_INVALID);
	assert_int_equal(usercfg_pool_add(cfg, db, "/vms/101", true, &err), 0);
	assert_ptr_equal(usercfg_pool_of(cfg, "/vms/101"), db);
	assert_false(usercfg_has_same_pools(cfg, other));
	assert_int_equal(usercfg_pool_drop(cfg, web, "/vms/101", &err), -ERR_INVALID);
	assert_int_equal(usercfg_pool_add(cfg, db, "/storage/nas", false, &err), 0);
	assert_int_equal(usercfg_pool_add(cfg, db, "/storage/nas", true, &err), -ERR_INVALID);
	assert_int_equal(usercfg_pool_add(cfg, db, "/nodes", true, &err), 0 - ERR_INVALID);

	assert_int_equal(usercfg_remove_pool(cfg, "web", &err), -ERR_BUSY);
	assert_string_equal(err.message, "pool 'web' is not empty (contains 'storage/local')");
	assert_true(usercfg_forget_path(cfg, "/vms/100"));
	assert_false(usercfg_forget_path(cfg, "/vms/100"));
	assert_null(map_get(cfg->acl, "/vms/100"));
	assert_true(usercfg_forget_path(cfg, "/vms/1001"));
	assert_int_equal(usercfg_pool_drop(cfg, web, "/storage/local", &err), 0);
	assert_int_equal(usercfg_pool_drop(cfg, web, "/storage/nas", &err), 0);
	assert_int_equal(usercfg_remove_pool(cfg, "web", &err), -ERR_BUSY);
	assert_string_equal(err.message, "pool 'web' contains other pools");
	assert_int_equal(usercfg_remove_pool(cfg, "web-old", &err), 0);
	assert_int_equal(usercfg_add_pool(cfg, "ghost/x", &db, &err), -ERR_INVALID);
	assert_int_equal(usercfg_add_pool(cfg, "web/db/x/y", &db, &err), -ERR_INVALID);
	assert_int_equal(usercfg_add_pool(cfg, "web", &db, &err), -ERR_EXISTS);
}

static void test_empty_has_root(void **state)
{
	autousercfg *cfg = parse("");

	(void)state;
	assert_non_null(map_get(cfg->users, ROOT_USERID));
	assert_non_null(map_get(cfg->roles, "Administrator"));
	assert_text(cfg, ROOT_LINE);
}

static void test_bad_text(void **state)
{
	static const char *const cases[] = {
		"user:alice@pve:1:0::::",			    /* no newline */
		"\n",						    /* empty line */
		"pool:a/b:::\n",				    /* no parent */
		"pool:a::100:\npool:b::100:\n",			    /* a guest in two */
		"pool:a::99:\n",				    /* no id of a guest */
		"pool:a:::x y\n",				    /* no name of a storage */
		"# comment\n",					    /* no comments */
		"user:alice@pve:1:0:::\n",			    /* too few */
		"user:alice@pve:1:0:::::\n",			    /* too many */
		"user:alice:1:0::::\n",				    /* no realm */
		"user:a/b@pve:1:0::::\n",			    /* slash */
		"user:a!b@pve:1:0::::\n",			    /* looks like a token */
		"user:a,b@pve:1:0::::\n",			    /* list separator */
		"user:alice@pve:2:0::::\n",			    /* flag */
		"user:alice@pve:1:-1::::\n",			    /* time */
		"user:alice@pve:1:99999999999999999999::::\n",	    /* time */
		"user:alice@pve:1:0:%zz:::\n",			    /* escape */
		"user:alice@pve:1:0:%00:::\n",			    /* NUL */
		"user:alice@pve:1:0:%ff:::\n",			    /* no UTF-8 */
		"user:a@pve:1:0::::\nuser:a@pve:1:0::::\n",	    /* twice */
		"user:root@pam:0:0::::\n",			    /* root off */
		"user:root@pam:1:7::::\n",			    /* root ends */
		"token:ghost@pve!x1:0:1:\n",			    /* no such user */
		"token:root@pam!1x:0:1:\n",			    /* name */
		"token:root@pam!x1:0:1:\ntoken:root@pam!x1:0:1:\n", /* twice */
		"group:ops:ghost@pve:\n",			    /* no such member */
		"group:o ps::\n",				    /* name */
		"role:PVEAdmin:VM.Audit\n",			    /* built in */
		"role:mine\n",
		"role:mine:VM.Audit:x\n",
		"role:mine:VM.Nothing\n",		/* no such privilege */
		"acl:/:user:ghost@pve:PVEAdmin:1\n",	/* no such user */
		"acl:/:user:root@pam:Ghost:1\n",	/* no such role */
		"acl:/:thing:root@pam:PVEAdmin:1\n",	/* kind */
		"acl:/:user:root@pam:PVEAdmin:\n",	/* flag */
		"acl:/etc:user:root@pam:PVEAdmin:1\n",	/* path */
		"acl:/vms/:user:root@pam:PVEAdmin:1\n", /* not normal */
		"pool:x\n",				/* unknown record */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		struct usercfg *cfg = NULL;

		if (usercfg_parse(cases[i], strlen(cases[i]), &cfg, &err) == 0)
			fail_msg("accepted: %s", cases[i]);
		assert_null(cfg);
		assert_int_equal(err.code, ERR_CORRUPT);
		assert_true(str_starts(err.message, "line "));
	}
}

static void test_nul_in_text(void **state)
{
	struct usercfg *cfg = NULL;

	(void)state;
	assert_true(usercfg_parse("role:a\0b:\n", 10, &cfg, NULL) < 0);
}

static void test_remove_user_takes_all(void **state)
{
	autousercfg *cfg = parse(sample);

	(void)state;
	assert_int_equal(usercfg_remove_user(cfg, "alice@pve", NULL), 0);
	assert_text(cfg, "user:bob@pve:0:4102444800::::\n" ROOT_LINE "group:empty::\n"
			 "group:ops:bob@pve:the%20ops\n"
			 "role:none:\nrole:watch:Sys.Audit,VM.Audit\n" POOLS
			 "acl:/:group:ops:PVEAuditor:1\n");
	assert_int_equal(usercfg_remove_user(cfg, "alice@pve", NULL), -ERR_NOT_FOUND);
	assert_int_equal(usercfg_remove_user(cfg, ROOT_USERID, NULL), -ERR_INVALID);
}

static void test_remove_group_role_token(void **state)
{
	autousercfg *cfg = parse(sample);

	(void)state;
	assert_int_equal(usercfg_remove_group(cfg, "ops", NULL), 0);
	assert_int_equal(usercfg_remove_role(cfg, "watch", NULL), 0);
	assert_int_equal(usercfg_remove_token(cfg, "alice@pve!ci", NULL), 0);
	assert_int_equal(map_size(cfg->acl), 0);
	assert_int_equal(usercfg_remove_role(cfg, "PVEAdmin", NULL), -ERR_INVALID);
	assert_int_equal(usercfg_remove_role(cfg, "watch", NULL), -ERR_NOT_FOUND);
	assert_int_equal(usercfg_remove_group(cfg, "ops", NULL), -ERR_NOT_FOUND);
}

static void test_acl_set_and_unset(void **state)
{
	autousercfg *cfg = parse("");
	struct acl_entry entry = {ACL_USER, (char *)"root@pam", (char *)"PVEAdmin", true};

	(void)state;
	assert_int_equal(usercfg_acl_set(cfg, "/vms", &entry, NULL), 0);
	entry.propagate = false; /* replaces, does not add */
	assert_int_equal(usercfg_acl_set(cfg, "/vms", &entry, NULL), 0);
	assert_text(cfg, ROOT_LINE "acl:/vms:user:root@pam:PVEAdmin:0\n");
	usercfg_acl_unset(cfg, "/nodes", &entry);
	usercfg_acl_unset(cfg, "/vms", &entry);
	assert_text(cfg, ROOT_LINE);
	entry.subject = (char *)"ghost@pve";
	assert_int_equal(usercfg_acl_set(cfg, "/vms", &entry, NULL), -ERR_NOT_FOUND);
	assert_text(cfg, ROOT_LINE);
}

static void test_names(void **state)
{
	static const struct {
		const char *text;
		bool user, group, token;
	} cases[] = {
		{"a@pve", true, false, false},
		{"a.b-c_d+e@pve", true, false, false},
		{"a@b@pve", true, false, false},
		{"j\xc3\xbcrgen@pve", true, false, false},
		{"j\xfcrgen@pve", false, false, false},
		{"@pve", false, false, false},
		{"a@", false, false, false},
		{"a@p", false, false, false},
		{"a@1pve", false, false, false},
		{"a b@pve", false, false, false},
		{"ops", false, true, false},
		{"..", false, true, false},
		{"", false, false, false},
		{"a@pve!ci", false, false, true},
		{"a@pve!c", false, false, false},
		{"a@pve!1c", false, false, false},
		{"a@pve!ci!ci", false, false, false},
		{"!ci", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (userid_is_valid(cases[i].text) != cases[i].user ||
		    groupid_is_valid(cases[i].text) != cases[i].group ||
		    tokenid_is_valid(cases[i].text) != cases[i].token)
			fail_msg("%s", cases[i].text);
	}
	char name[100];
	memset(name, 'a', sizeof(name));
	memcpy(name + 61, "@pve", 5);
	assert_false(userid_is_valid(name));
	assert_true(userid_is_valid(name + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_pools),
		cmocka_unit_test(test_empty_has_root),
		cmocka_unit_test(test_bad_text),
		cmocka_unit_test(test_nul_in_text),
		cmocka_unit_test(test_remove_user_takes_all),
		cmocka_unit_test(test_remove_group_role_token),
		cmocka_unit_test(test_acl_set_and_unset),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
