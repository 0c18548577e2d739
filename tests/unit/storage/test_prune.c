/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which backups a rule keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/volid/prune.h"

static void add(struct prune_backup *backup, const char *name)
{
	struct volid volume;
	autofree char *text = xasprintf("s1:backup/vzdump-%s.tar.zst", name);
	*backup = (struct prune_backup){0};
	assert_int_equal(volid_parse(text, &volume, NULL), 0);
	prune_name_parse(&volume, backup);
}

static const char *const dates[] = {
	"2026_01_31-22_30_00", "2026_01_31-22_10_00", "2026_01_31-21_00_00", "2026_01_30-23_00_00",
	"2026_01_30-01_00_00", "2026_01_26-12_00_00", "2026_01_25-12_00_00", "2026_01_11-12_00_00",
	"2025_12_31-12_00_00", "2025_12_01-12_00_00", "2024_06_01-12_00_00",
};

/* A letter for each of the dates: k(eep) or r(emove). */
static const struct {
	const char *rule, *marks;
} cases[] = {
	{"keep-last=2", "kkrrrrrrrrr"},
	{"keep-hourly=2", "krkrrrrrrrr"},
	{"keep-daily=3", "krrkrkrrrrr"},
	{"keep-weekly=2", "krrrrrkrrrr"},
	{"keep-monthly=2", "krrrrrrrkrr"},
	{"keep-yearly=9", "krrrrrrrkrk"},
	{"keep-last=1,keep-daily=2", "krrkrkrrrrr"},
	{"keep-last=1,keep-hourly=1,keep-yearly=1", "krkrrrrrkrr"},
	{"keep-all=1", "kkkkkkkkkkk"},
	{"", "kkkkkkkkkkk"},
	{"keep-last=0", "kkkkkkkkkkk"},
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		struct prune_backup backups[2 * ARRAY_SIZE(dates)];
		char marks[ARRAY_SIZE(dates) + 1] = "";
		/* two guests, which do not count for each other, oldest first */
		for (size_t i = 0; i < ARRAY_SIZE(backups); i++) {
			autofree char *name = xasprintf("lxc-%u-%s", i % 2 ? 102u : 101u,
							dates[ARRAY_SIZE(dates) - 1 - i / 2]);
			add(&backups[i], name);
		}
		assert_int_equal(prune_mark(cases[c].rule, backups, ARRAY_SIZE(backups), NULL), 0);
		for (unsigned guest = 0; guest < 2; guest++) {
			for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
				const struct prune_backup *b =
					&backups[guest * ARRAY_SIZE(dates) + i];
				assert_non_null(strstr(b->volid, dates[i]));
				marks[i] = prune_mark_name(b->mark)[0];
			}
			if (!str_eq(marks, cases[c].marks))
				fail_msg("%s: %s, expected %s", cases[c].rule, marks,
					 cases[c].marks);
		}
	}
}

/* They stay, and take no place of others. */
static void test_protected_and_renamed(void **state)
{
	struct prune_backup backups[4];
	(void)state;
	add(&backups[0], "lxc-101-2026_01_31-22_30_00");
	add(&backups[1], "lxc-101-2026_01_30-22_30_00");
	add(&backups[2], "lxc-101-2026_01_29-22_30_00");
	add(&backups[3], "lxc-101-before-the-upgrade");
	backups[0].is_protected = true;
	assert_int_equal(prune_mark("keep-last=1", backups, 4, NULL), 0);
	autobuf text = BUF_INIT;
	for (size_t i = 0; i < 4; i++)
		buf_addf(&text, "%s ", prune_mark_name(backups[i].mark));
	assert_non_null(strstr(buf_str(&text), "protected keep remove"));
	assert_non_null(strstr(buf_str(&text), "renamed"));
}

static void test_bad_rules(void **state)
{
	static const char *const bad[] = {"keep-last", "keep-last=x", "keep-last=-1", "keep-some=1",
					  "x"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct prune_backup backup;
		struct err err = ERR_INIT;
		add(&backup, "lxc-101-2026_01_31-22_30_00");
		assert_int_equal(prune_mark(bad[i], &backup, 1, &err), -ERR_INVALID);
		assert_string_equal(err.field, "prune-backups");
		assert_int_not_equal(backup.mark, PRUNE_REMOVE);
	}
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_protected_and_renamed),
		cmocka_unit_test(test_bad_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
