/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths and resolution of rights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/auth/acl.h"
#include "agent/auth/privs.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static void test_paths(void **state)
{
	static const struct {
		const char *given, *normal;
	} cases[] = {
		{"/", "/"},
		{"//", "/"},
		{"/vms", "/vms"},
		{"/vms/", "/vms"},
		{"//vms//100/", "/vms/100"},
		{"/vms/999999999", "/vms/999999999"},
		{"/vms/99", NULL},
		{"/vms/0100", NULL},
		{"/vms/1000000000", NULL},
		{"/vms/abc", NULL},
		{"/vms/100/x", NULL},
		{"/nodes/pve-1", "/nodes/pve-1"},
		{"/nodes/..", NULL},
		{"/nodes/a b", NULL},
		{"/storage/local", "/storage/local"},
		{"/pool/a/b/c", "/pool/a/b/c"},
		{"/pool/a/b/c/d", NULL},
		{"/access", "/access"},
		{"/access/groups/ops", "/access/groups/ops"},
		{"/access/realm/pve", "/access/realm/pve"},
		{"/access/users", NULL},
		{"/sdn/zones/z/v/12", "/sdn/zones/z/v/12"},
		{"/sdn/zones/z/v/0", NULL},
		{"/mapping/pci/x", "/mapping/pci/x"},
		{"/etc", NULL},
		{"vms", NULL},
		{"", NULL},
		{"/vms/100\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *normal = acl_path_normalize(cases[i].given);

		if (!str_eq(normal, cases[i].normal))
			fail_msg("%s: %s", cases[i].given, normal ? normal : "(invalid)");
	}
}

#define USERS                                                                                      \
	"user:a@pve:1:0::::\nuser:b@pve:1:0::::\n"                                                 \
	"token:a@pve!t1:0:1:\ngroup:g:a@pve:\ngroup:h:a@pve:\n"                                    \
	"role:R1:VM.Audit\nrole:R2:VM.Console\nrole:R3:VM.Backup\n"

#define POOLS "pool:p::100:s\npool:p/q::101:s\n"

static const struct {
	const char *acl;
	const char *path;
	privset granted, propagated;
} cases[] = {
	/* nothing */
	{"", "/vms/100", 0, 0},
	/* inheritance */
	{"acl:/:user:a@pve:R1:1\n", "/", PRIV(VM_AUDIT), PRIV(VM_AUDIT)},
	{"acl:/:user:a@pve:R1:1\n", "/vms/100", PRIV(VM_AUDIT), PRIV(VM_AUDIT)},
	{"acl:/vms:user:a@pve:R1:1\n", "/vms/100", PRIV(VM_AUDIT), PRIV(VM_AUDIT)},
	{"acl:/vms/100:user:a@pve:R1:1\n", "/vms", 0, 0},
	{"acl:/vms/100:user:a@pve:R1:1\n", "/vms/1000", 0, 0},
	{"acl:/vms/100:user:a@pve:R1:1\n", "/vms/101", 0, 0},
	{"acl:/vms:user:a@pve:R1:1\n", "/storage/local", 0, 0},
	{"acl:/pool/x:user:a@pve:R1:1\n", "/pool/x/y", PRIV(VM_AUDIT), PRIV(VM_AUDIT)},
	/* without propagation */
	{"acl:/:user:a@pve:R1:0\n", "/", PRIV(VM_AUDIT), 0},
	{"acl:/:user:a@pve:R1:0\n", "/vms", 0, 0},
	{"acl:/vms/100:user:a@pve:R1:0\n", "/vms/100", PRIV(VM_AUDIT), 0},
	{"acl:/:user:a@pve:R1:1\nacl:/vms:user:a@pve:R2:0\n", "/vms/100", PRIV(VM_AUDIT),
	 PRIV(VM_AUDIT)},
	/* the nearest path replaces what is above */
	{"acl:/:user:a@pve:R1:1\nacl:/vms:user:a@pve:R2:1\n", "/vms/100", PRIV(VM_CONSOLE),
	 PRIV(VM_CONSOLE)},
	{"acl:/:user:a@pve:R1:1\nacl:/vms:group:g:R2:1\n", "/vms/100", PRIV(VM_CONSOLE),
	 PRIV(VM_CONSOLE)},
	/* several roles on one path add up */
	{"acl:/:user:a@pve:R1:1\nacl:/:user:a@pve:R2:0\n", "/", PRIV(VM_AUDIT) | PRIV(VM_CONSOLE),
	 PRIV(VM_AUDIT)},
	{"acl:/:group:g:R1:1\nacl:/:group:h:R2:1\n", "/vms", PRIV(VM_AUDIT) | PRIV(VM_CONSOLE),
	 PRIV(VM_AUDIT) | PRIV(VM_CONSOLE)},
	/* the user before its groups */
	{"acl:/:user:a@pve:R1:1\nacl:/:group:g:R2:1\n", "/", PRIV(VM_AUDIT), PRIV(VM_AUDIT)},
	{"acl:/vms:user:a@pve:R1:0\nacl:/vms:group:g:R2:1\n", "/vms", PRIV(VM_AUDIT), 0},
	/* …but an entry that does not reach here does not count */
	{"acl:/vms:user:a@pve:R1:0\nacl:/vms:group:g:R2:1\n", "/vms/100", PRIV(VM_CONSOLE),
	 PRIV(VM_CONSOLE)},
	/* NoAccess */
	{"acl:/:user:a@pve:R1:1\nacl:/vms/100:user:a@pve:NoAccess:1\n", "/vms/100", 0, 0},
	{"acl:/:user:a@pve:R1:1\nacl:/:user:a@pve:NoAccess:1\n", "/", 0, 0},
	{"acl:/:group:g:NoAccess:1\nacl:/:group:h:R1:1\n", "/vms", 0, 0},
	{"acl:/:group:g:NoAccess:1\nacl:/:user:a@pve:R1:1\n", "/vms", PRIV(VM_AUDIT),
	 PRIV(VM_AUDIT)},
	{"acl:/vms:user:a@pve:NoAccess:1\nacl:/vms/100:user:a@pve:R1:1\n", "/vms/100",
	 PRIV(VM_AUDIT), PRIV(VM_AUDIT)},
	/* members of pools */
	{POOLS "acl:/pool/p:user:a@pve:R1:1\n", "/vms/100", PRIV(VM_AUDIT), PRIV(VM_AUDIT)},
	{POOLS "acl:/pool/p:user:a@pve:R1:1\n", "/vms/102", 0, 0},
	{POOLS "acl:/pool/p/q:user:a@pve:R1:1\n", "/vms/100", 0, 0},
	{POOLS "acl:/pool:user:a@pve:R1:1\n", "/vms/101", PRIV(VM_AUDIT), PRIV(VM_AUDIT)},
	{POOLS "acl:/pool/p:user:a@pve:R1:0\n", "/vms/100", PRIV(VM_AUDIT), 0},
	{POOLS "acl:/pool/p:user:a@pve:R1:1\nacl:/vms:user:a@pve:R2:1\n", "/vms/100",
	 PRIV(VM_AUDIT) | PRIV(VM_CONSOLE), PRIV(VM_AUDIT) | PRIV(VM_CONSOLE)},
	{POOLS "acl:/pool/p:user:a@pve:R1:1\nacl:/vms/100:user:a@pve:NoAccess:1\n", "/vms/100", 0,
	 0},
	{POOLS "acl:/pool/p:user:a@pve:NoAccess:1\nacl:/vms:user:a@pve:R2:1\n", "/vms/100",
	 PRIV(VM_CONSOLE), PRIV(VM_CONSOLE)},
	{POOLS "acl:/pool/p:user:a@pve:R1:1\n", "/storage/s", PRIV(VM_AUDIT), PRIV(VM_AUDIT)},
	{POOLS "acl:/pool/p:user:a@pve:R1:1\nacl:/pool/p/q:user:a@pve:R2:1\n", "/storage/s",
	 PRIV(VM_AUDIT) | PRIV(VM_CONSOLE), PRIV(VM_AUDIT) | PRIV(VM_CONSOLE)},
	/* others' entries */
	{"acl:/:user:b@pve:R1:1\n", "/", 0, 0},
	{"acl:/:token:a@pve!t1:R1:1\n", "/", 0, 0},
	/* paths that are none */
	{"acl:/:user:a@pve:R1:1\n", "", 0, 0},
	{"acl:/:user:a@pve:R1:1\n", "vms", 0, 0},
};

static void test_user_rights(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *text = xasprintf("%s%s", USERS, cases[i].acl);
		struct err err = ERR_INIT;
		autousercfg *cfg = NULL;

		if (usercfg_parse(text, strlen(text), &cfg, &err) < 0)
			fail_msg("%s", err.message);
		struct rights rights = acl_user_rights(cfg, "a@pve", cases[i].path);
		if (rights.granted != cases[i].granted || rights.propagated != cases[i].propagated)
			fail_msg("%s on %s: %llx %llx", cases[i].acl, cases[i].path,
				 (unsigned long long)rights.granted,
				 (unsigned long long)rights.propagated);
		assert_true(acl_user_rights(cfg, ROOT_USERID, cases[i].path).granted ==
			    PRIVSET_ALL);
		assert_true(acl_user_rights(cfg, "ghost@pve", cases[i].path).granted == 0);
	}
}

static void test_token_rights(void **state)
{
	static const char text[] = USERS "acl:/:token:a@pve!t1:R1:1\n"
					 "acl:/vms:token:a@pve!t1:R2:1\n"
					 "acl:/vms:group:g:R3:1\n";
	autousercfg *cfg = NULL;

	(void)state;
	assert_int_equal(usercfg_parse(text, strlen(text), &cfg, NULL), 0);
	assert_true(acl_token_rights(cfg, "a@pve!t1", "/").granted == PRIV(VM_AUDIT));
	assert_true(acl_token_rights(cfg, "a@pve!t1", "/vms/100").granted == PRIV(VM_CONSOLE));
	assert_true(acl_token_rights(cfg, "a@pve!t2", "/").granted == 0);
	assert_true(acl_token_rights(cfg, ROOT_USERID, "/").granted == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_user_rights),
		cmocka_unit_test(test_token_rights),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
