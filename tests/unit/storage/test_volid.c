/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volume ids: what parses to what, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/mem.h"
#include "storage/volid/volid.h"

static const struct {
	const char *text, *storage, *name, *file, *format;
	enum volume_content content;
	unsigned vmid;
} good[] = {
	{"local:101/vm-101-disk-0.raw", "local", "101/vm-101-disk-0.raw", "vm-101-disk-0.raw",
	 "raw", VOLUME_IMAGES, 101},
	{"a.b-c_1:999999999/base-999999999-disk-1.qcow2", "a.b-c_1",
	 "999999999/base-999999999-disk-1.qcow2", "base-999999999-disk-1.qcow2", "qcow2",
	 VOLUME_IMAGES, 999999999},
	{"local:101/vm-101-cloudinit.qcow2", "local", "101/vm-101-cloudinit.qcow2",
	 "vm-101-cloudinit.qcow2", "qcow2", VOLUME_IMAGES, 101},
	{"local:101/subvol-101-disk-0.subvol", "local", "101/subvol-101-disk-0.subvol",
	 "subvol-101-disk-0.subvol", "subvol", VOLUME_ROOTDIR, 101},
	{"thin:vm-100-disk-0", "thin", "vm-100-disk-0", "vm-100-disk-0", "raw", VOLUME_IMAGES, 100},
	{"tank:subvol-100-disk-0", "tank", "subvol-100-disk-0", "subvol-100-disk-0", "subvol",
	 VOLUME_ROOTDIR, 100},
	{"local:iso/Debian-12.5.ISO", "local", "iso/Debian-12.5.ISO", "Debian-12.5.ISO", "iso",
	 VOLUME_ISO, 0},
	{"local:vztmpl/debian-12-standard_12.2-1_amd64.tar.zst", "local",
	 "vztmpl/debian-12-standard_12.2-1_amd64.tar.zst",
	 "debian-12-standard_12.2-1_amd64.tar.zst", "tzst", VOLUME_VZTMPL, 0},
	{"local:vztmpl/a.tar.gz", "local", "vztmpl/a.tar.gz", "a.tar.gz", "tgz", VOLUME_VZTMPL, 0},
	{"local:vztmpl/a.tar", "local", "vztmpl/a.tar", "a.tar", "tar", VOLUME_VZTMPL, 0},
	{"local:snippets/hook.sh", "local", "snippets/hook.sh", "hook.sh", "snippet",
	 VOLUME_SNIPPETS, 0},
	{"local:import/disk.ova", "local", "import/disk.ova", "disk.ova", "ova", VOLUME_IMPORT, 0},
	{"local:backup/vzdump-lxc-105-2026_01_31-12_00_00.tar.zst", "local",
	 "backup/vzdump-lxc-105-2026_01_31-12_00_00.tar.zst",
	 "vzdump-lxc-105-2026_01_31-12_00_00.tar.zst", "tar.zst", VOLUME_BACKUP, 105},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct volid v;
		struct err err = ERR_INIT;
		if (volid_parse(good[i].text, &v, &err) != 0)
			fail_msg("%s: %s", good[i].text, err.message);
		assert_string_equal(v.storage, good[i].storage);
		assert_string_equal(v.name, good[i].name);
		assert_string_equal(v.file, good[i].file);
		assert_string_equal(v.format, good[i].format);
		assert_int_equal(v.content, good[i].content);
		assert_int_equal(v.vmid, good[i].vmid);
	}
}

static const char *const bad[] = {
	"",
	"local",
	":101/vm-101-disk-0.raw",
	"l:iso/a.iso",
	"9local:iso/a.iso",
	"local-:iso/a.iso",
	"lo/cal:iso/a.iso",
	"local:",
	"local:/etc/passwd",
	"local:../../etc/passwd",
	"local:iso/../a.iso",
	"local:iso/a/b.iso",
	"local:iso/.hidden.iso",
	"local:iso/-rf.iso",
	"local:iso/a..iso",
	"local:iso/.iso",
	"local:iso/",
	"local:iso/a b.iso",
	"local:iso/a\n.iso",
	"local:iso/a,b.iso",
	"local:iso/a.txt",
	"local:vztmpl/a.zip",
	"local:none/a",
	"local:99/vm-99-disk-0.raw",
	"local:0101/vm-0101-disk-0.raw",
	"local:1000000000/vm-1000000000-disk-0.raw",
	"local:101/vm-102-disk-0.raw",
	"local:101/vm-1010-disk-0.raw",
	"local:101/disk.raw",
	"local:101/vm-101-disk-0",
	"local:101/vm-101-.raw",
	"local:101/vm-101-disk-0.raw/x",
	"local:101/",
	"local:101",
	"local:vm-101",
	"local:backup/x.tar.zst",
	"local:backup/vzdump-lxc-1-x.tar.zst",
	"local:\xff\xfe",
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct volid v = {.vmid = 7};
		struct err err = ERR_INIT;
		if (volid_parse(bad[i], &v, &err) == 0)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.field, "volume");
		assert_int_equal(v.vmid, 7); /* left alone */
	}
}

static void test_too_long(void **state)
{
	(void)state;
	char text[VOLID_MAX * 2];
	struct volid v;
	memset(text, 'a', sizeof(text));
	memcpy(text, "local:iso/", 10);
	strcpy(text + sizeof(text) - 5, ".iso");
	assert_true(volid_parse(text, &v, NULL) < 0);
	memcpy(text + 10 + 252, ".iso", 5); /* a file name of 256 bytes */
	assert_true(volid_parse(text, &v, NULL) < 0);
	memcpy(text + 10 + 251, ".iso", 5);
	assert_int_equal(volid_parse(text, &v, NULL), 0);
	assert_int_equal(strlen(v.file), 255);
}

static void test_files(void **state)
{
	static const struct {
		enum volume_content content;
		const char *file;
		int result;
	} cases[] = {
		{VOLUME_ISO, "a.iso", 0},
		{VOLUME_ISO, "a.tar.gz", -ERR_INVALID},
		{VOLUME_VZTMPL, "a.tar.xz", 0},
		{VOLUME_VZTMPL, "a.iso", -ERR_INVALID},
		{VOLUME_VZTMPL, "../a.tar", -ERR_INVALID},
		{VOLUME_VZTMPL, "a/b.tar", -ERR_INVALID},
		{VOLUME_SNIPPETS, "user.yaml", 0},
		{VOLUME_SNIPPETS, "", -ERR_INVALID},
		{VOLUME_SNIPPETS, ".", -ERR_INVALID},
		{VOLUME_IMPORT, "d.qcow2", 0},
		{VOLUME_SNIPPETS, NULL, -ERR_INVALID},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(volume_file_check(cases[i].content, cases[i].file, NULL),
				 cases[i].result);
}

static void test_names(void **state)
{
	enum volume_content content;
	(void)state;
	for (int i = VOLUME_IMAGES; i <= VOLUME_BACKUP; i++) {
		assert_int_equal(volume_content_from_name(volume_content_name(i), &content, NULL),
				 0);
		assert_int_equal(content, i);
	}
	assert_true(volume_content_from_name("nothing", &content, NULL) < 0);
	assert_true(volume_content_from_name(NULL, &content, NULL) < 0);
}

static void test_same(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{"st:101/vm-101-disk-0.raw", "st:101/vm-101-disk-0.raw", true},
		{"st:100/base-100-disk-0.raw/101/vm-101-disk-0.qcow2", "st:101/vm-101-disk-0.qcow2",
		 true},
		{"st:100/base-100-disk-0.raw/101/vm-101-disk-0.qcow2",
		 "st:100/base-100-disk-1.raw/101/vm-101-disk-0.qcow2", true},
		{"st:100/base-100-disk-0.raw/101/vm-101-disk-0.qcow2", "st:100/base-100-disk-0.raw",
		 false},
		{"st:101/vm-101-disk-0.raw", "ot:101/vm-101-disk-0.raw", false},
		{"st:101/vm-101-disk-0.raw", "st:101/vm-101-disk-1.raw", false},
		{"st:101/vm-101-disk-0.raw", "st:101/vm-101-disk-0.qcow2", false},
		{"st:iso/x.img", "st:import/x.img", false},
		{"/srv/x", "/srv/x", true},
		{"/srv/x", "st:101/vm-101-disk-0.raw", false},
	};
	autofields names = FIELDS_INIT;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (volid_text_same(cases[i].a, cases[i].b) != cases[i].is_same ||
		    volid_text_same(cases[i].b, cases[i].a) != cases[i].is_same)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	fields_add(&names, cases[0].a, "");
	fields_add(&names, cases[1].a, "x");
	assert_string_equal(volid_find(&names, cases[1].b)->value, "x");
	assert_null(volid_find(&names, cases[5].b));
}

static void test_normal_names(void **state)
{
	static const char *const cases[][2] = {
		{"Win 11 (x64).iso", "Win_11__x64_.iso"},
		{"a/b\\c.iso", "c.iso"},
		{"C:\\Users\\x\\a.iso", "a.iso"},
		{"../../etc/passwd.iso", "passwd.iso"},
		{"\xc3\xbc\xe2\x82\xac.iso", "__.iso"},
		{"a\tb\n.iso", "a_b_.iso"},
		{"a+b~c@d-e_f.tar.gz", "a+b~c@d-e_f.tar.gz"},
		{"a/", ""},
		{"", ""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[256];
		volume_file_normal(cases[i][0], name);
		assert_string_equal(name, cases[i][1]);
	}
	char long_name[1001], name[256];
	memset(long_name, 'a', sizeof(long_name));
	long_name[1000] = '\0';
	volume_file_normal(long_name, name);
	assert_int_equal(strlen(name), 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	     cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_long),     cmocka_unit_test(test_files),
		cmocka_unit_test(test_names),	     cmocka_unit_test(test_same),
		cmocka_unit_test(test_normal_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
