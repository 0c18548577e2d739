/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Privilege names and built-in roles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/auth/privs.h"
#include "agent/base/buf.h"
#include "agent/base/str.h"

static privset role(const char *name)
{
	for (const struct builtin_role *r = builtin_roles; r->name; r++)
		if (str_eq(r->name, name))
			return r->privs;
	fail_msg("no role %s", name);
	return 0;
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(PRIV_COUNT, 47);
	assert_null(priv_name(PRIV_COUNT));
	for (unsigned i = 0; i < PRIV_COUNT; i++) {
		privset set = 0;

		assert_int_equal(privset_from_names(priv_name(i), &set, NULL), 0);
		assert_true(set == (privset)1 << i);
		if (i > 0)
			assert_true(strcmp(priv_name(i - 1), priv_name(i)) != 0);
	}
}

static void test_lists(void **state)
{
	static const struct {
		const char *text;
		int r;
		privset set;
	} cases[] = {
		{"", 0, 0},
		{" , ", 0, 0},
		{"VM.Audit", 0, PRIV(VM_AUDIT)},
		{"VM.Audit|VM.Console", 0, PRIV(VM_AUDIT) | PRIV(VM_CONSOLE)},
		{"VM.Audit, Sys.Audit;VM.Audit", 0, PRIV(VM_AUDIT) | PRIV(SYS_AUDIT)},
		{"vm.audit", -ERR_INVALID, 0},
		{"VM.Audi", -ERR_INVALID, 0},
		{"VM.Auditx", -ERR_INVALID, 0},
		{"VM.Monitor", -ERR_INVALID, 0},
		{"VM.Audit VM", -ERR_INVALID, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;
		privset set = 42;

		assert_int_equal(privset_from_names(cases[i].text, &set, &err), cases[i].r);
		assert_true(set == (cases[i].r ? 42 : cases[i].set));
	}
}

static void test_roles(void **state)
{
	(void)state;
	assert_true(role("Administrator") == PRIVSET_ALL);
	assert_true(role("NoAccess") == 0);
	assert_true((role("PVEAdmin") & (PRIV(PERMISSIONS_MODIFY) | PRIV(SYS_MODIFY) |
					 PRIV(SYS_POWER_MGMT) | PRIV(REALM_ALLOCATE))) == 0);
	assert_true((role("PVEVMAdmin") & ~privset_of_prefix("VM.")) == 0);
	assert_true(role("PVEVMAdmin") == privset_of_prefix("VM."));
	assert_true(role("PVEDatastoreAdmin") == privset_of_prefix("Datastore."));
	assert_true(role("PVESDNAdmin") == privset_of_prefix("SDN."));
	assert_true(role("PVEMappingAdmin") == privset_of_prefix("Mapping."));
	for (unsigned i = 0; i < PRIV_COUNT; i++)
		assert_int_equal((role("PVEAuditor") & (privset)1 << i) != 0,
				 str_ends(priv_name(i), ".Audit"));
	assert_true((role("PVEVMUser") & PRIV(VM_CONFIG_DISK)) == 0);
	assert_true(role("PVEVMUser") & PRIV(VM_POWER_MGMT));
}

static void test_format(void **state)
{
	autobuf out = BUF_INIT;

	(void)state;
	privset_format(PRIV(VM_AUDIT) | PRIV(SYS_AUDIT), ",", &out);
	assert_string_equal(buf_str(&out), "Sys.Audit,VM.Audit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
