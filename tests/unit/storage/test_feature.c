/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the table of features says, and that the drivers say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/storage.h"

static const struct {
	const char *type, *volume, *snapshot;
	enum volume_feature feature;
	bool is_container, can;
} cases[] = {
	{"dir", "s1:101/vm-101-disk-0.raw", NULL, VOLUME_SNAPSHOT, false, false},
	{"dir", "s1:101/vm-101-disk-0.raw", NULL, VOLUME_CLONE, false, false},
	{"dir", "s1:101/vm-101-disk-0.raw", NULL, VOLUME_COPY, false, true},
	{"dir", "s1:101/vm-101-disk-0.raw", NULL, VOLUME_RESIZE, true, true},
	{"dir", "s1:101/vm-101-disk-0.raw", "snap", VOLUME_COPY, false, false},
	{"dir", "s1:101/base-101-disk-0.raw", NULL, VOLUME_CLONE, false, true},
	{"dir", "s1:101/base-101-disk-0.raw", NULL, VOLUME_CLONE, true, false},
	{"dir", "s1:101/base-101-disk-0.raw", NULL, VOLUME_RESIZE, false, false},
	{"dir", "s1:101/vm-101-disk-0.qcow2", NULL, VOLUME_SNAPSHOT, false, true},
	{"dir", "s1:101/vm-101-disk-0.qcow2", "snap", VOLUME_CLONE, false, false},
	{"dir", "s1:101/vm-101-disk-0.qcow2", "snap", VOLUME_COPY, false, true},
	{"dir", "s1:101/vm-101-disk-0.qcow2", NULL, VOLUME_TEMPLATE, false, true},
	{"dir", "s1:100/base-100-disk-0.raw/101/vm-101-disk-0.qcow2", NULL, VOLUME_TEMPLATE, false,
	 false},
	{"dir", "s1:101/base-101-disk-0.qcow2", NULL, VOLUME_SNAPSHOT, false, false},
	{"dir", "s1:101/subvol-101-disk-0.subvol", NULL, VOLUME_SNAPSHOT, true, false},
	{"dir", "s1:iso/a.iso", NULL, VOLUME_COPY, false, false},
	{"btrfs", "s1:101/vm-101-disk-0.raw", NULL, VOLUME_SNAPSHOT, false, true},
	{"btrfs", "s1:101/vm-101-disk-0.raw", "snap", VOLUME_CLONE, false, true},
	{"btrfs", "s1:101/subvol-101-disk-0.subvol", NULL, VOLUME_CLONE, true, true},
	{"btrfs", "s1:101/basevol-101-disk-0.subvol", NULL, VOLUME_SNAPSHOT, true, false},
	{"btrfs", "s1:101/basevol-101-disk-0.subvol", NULL, VOLUME_CLONE, true, true},
	{"btrfs", "s1:101/vm-101-disk-0.qcow2", NULL, VOLUME_CLONE, false, false},
	{"nfs", "s1:101/vm-101-disk-0.qcow2", NULL, VOLUME_SNAPSHOT, false, false},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct volid volume;
		struct err err = ERR_INIT;
		assert_int_equal(volid_parse(cases[i].volume, &volume, NULL), 0);
		if (cases[i].is_container)
			volume.content = VOLUME_ROOTDIR;
		int r = volume_feature_check(cases[i].type, &volume, cases[i].snapshot,
					     cases[i].feature, &err);
		if (r != (cases[i].can ? 0 : -ERR_UNSUPPORTED))
			fail_msg("case %zu (%s): %d %s", i, cases[i].volume, r, err.message);
		if (!cases[i].can)
			assert_true(str_starts(err.message, "feature not available: "));
	}
}

/* The operation refuses in the same words, before it looks at the storage (there is none). */
static void test_driver_says_the_same(void **state)
{
	size_t tried = 0;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct storage_driver *driver = storage_driver_find(cases[i].type);
		struct storage_def def = {.type = (char *)cases[i].type, .id = (char *)"s1"};
		struct volid volume;
		struct err said = ERR_INIT, done = ERR_INIT;
		char made[VOLID_MAX];
		assert_int_equal(volid_parse(cases[i].volume, &volume, NULL), 0);
		if (!driver || cases[i].can)
			continue;
		if (cases[i].is_container)
			volume.content = VOLUME_ROOTDIR;
		const struct volume_alloc as = {.vmid = 102, .content = volume.content};
		volume_feature_check(cases[i].type, &volume, cases[i].snapshot, cases[i].feature,
				     &said);
		if (cases[i].feature == VOLUME_SNAPSHOT)
			driver->snapshot(&def, &volume, "snap", &done);
		else if (cases[i].feature == VOLUME_CLONE)
			driver->clone(&def, &volume, cases[i].snapshot, &as, made, &done);
		else if (cases[i].feature == VOLUME_RESIZE)
			driver->resize(&def, &volume, 1 << 20, &done);
		else
			continue;
		assert_string_equal(done.message, said.message);
		tried++;
	}
	assert_true(tried >= 9);
}

static void test_snapshot_names(void **state)
{
	static const struct {
		const char *name;
		bool is_good;
	} names[] = {
		{"before", true},
		{"a1", true},
		{"Z_-", true},
		{"a", false},
		{"1st", false},
		{"current", false},
		{"a/b", false},
		{"a b", false},
		{"a@b", false},
		{"", false},
		{"../up", false},
		{NULL, false},
		{"a234567890123456789012345678901234567890", true},
		{"a2345678901234567890123456789012345678901", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct err err = ERR_INIT;
		assert_int_equal(volume_snapshot_name_check(names[i].name, &err),
				 names[i].is_good ? 0 : -ERR_INVALID);
		if (!names[i].is_good)
			assert_string_equal(err.field, "snapname");
	}
}

static void test_feature_names(void **state)
{
	enum volume_feature feature;
	struct err err = ERR_INIT;
	(void)state;
	assert_int_equal(volume_feature_from_name("clone", &feature, NULL), 0);
	assert_int_equal(feature, VOLUME_CLONE);
	assert_int_equal(volume_feature_from_name("fly", &feature, &err), -ERR_INVALID);
	assert_string_equal(err.field, "feature");
}

/* No entry of a driver's table is missing. */
static void test_tables_are_whole(void **state)
{
	static const char *const types[] = {"dir", "btrfs"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct storage_driver *driver = storage_driver_find(types[i]);
		void *const *entries = (void *const *)driver;
		assert_non_null(driver);
		for (size_t k = 0; k < sizeof(*driver) / sizeof(*entries); k++)
			assert_non_null(entries[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_driver_says_the_same),
		cmocka_unit_test(test_snapshot_names),
		cmocka_unit_test(test_feature_names),
		cmocka_unit_test(test_tables_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
