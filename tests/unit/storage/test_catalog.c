/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of templates: what they may say, what takes whose place, and checksums as others list them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/catalog/catalog.h"

#define SUM256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static int add(struct catalog *catalog, const char *text, struct err *err)
{
	*err = ERR_INIT;
	return catalog_add(catalog, text, strlen(text), err);
}

static void test_entries(void **state)
{
	autocatalog catalog = CATALOG_INIT;
	struct err err;
	const char *kind;
	autofree char *rest = NULL;
	(void)state;
	assert_int_equal(add(&catalog,
			     "# two\n[one]\n  make = debian sid\r\n\tfile = one_{arch}.tar.zst\n\n"
			     "[two]\nurl = https://x/{machine}/a_{arch}.tar.gz\n"
			     "sum = sha256 https://x/{arch}/SUMS\nfile = two.tar.gz\n"
			     "architectures = amd64 arm64\n",
			     &err),
			 0);
	assert_int_equal(catalog.count, 2);
	autofree char *file = catalog_entry_text(&catalog.items[0], "file", "riscv64");
	autofree char *url = catalog_entry_text(&catalog.items[1], "url", "arm64");
	assert_string_equal(file, "one_riscv64.tar.zst");
	assert_string_equal(url, "https://x/aarch64/a_arm64.tar.gz");
	assert_true(catalog_entry_is_for(&catalog.items[0], "riscv64"));
	assert_true(catalog_entry_is_for(&catalog.items[1], "arm64"));
	assert_false(catalog_entry_is_for(&catalog.items[1], "riscv64"));
	assert_int_equal(catalog_entry_sum(&catalog.items[1], "arm64", &kind, &rest, &err), 0);
	assert_string_equal(kind, "sha256");
	assert_string_equal(rest, "https://x/arm64/SUMS");
}

/* A later one of the same name takes the place, or takes it away. */
static void test_replaced(void **state)
{
	autocatalog catalog = CATALOG_INIT;
	struct err err;
	(void)state;
	assert_int_equal(
		add(&catalog,
		    "[a]\nmake = busybox\nfile = a.tar\n[b]\nmake = busybox\nfile = b.tar\n", &err),
		0);
	assert_int_equal(add(&catalog, "[b]\nmake = ubuntu noble\nfile = c.tar\n", &err), 0);
	assert_int_equal(catalog.count, 2);
	assert_string_equal(catalog_entry_get(&catalog.items[1], "file"), "c.tar");
	assert_int_equal(add(&catalog, "[a]\ndisable = 1\n", &err), 0);
	assert_false(catalog_entry_is_for(&catalog.items[0], "amd64"));
	assert_true(catalog_entry_is_for(&catalog.items[1], "amd64"));
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"file = a.tar\n", "line 1: a key before"},
		{"[a\nfile = a.tar\n", "line 1: "},
		{"[]\n", "line 1: "},
		{"[a/b]\n", "line 1: "},
		{"\n\n[a]\nnonsense\n", "line 4: "},
		{"[a]\nfile =\nmake = busybox\n", "line 2: "},
		{"[a]\nfile = a.tar\nfile = b.tar\nmake = busybox\n", "line 3: "},
		{"[a]\nmake = busybox\n", "file"},
		{"[a]\ndisable = 0\n", "file"},
		{"[a]\ndisable = no\nfile = a.tar\n", "either make or url"},
		{"[a]\nfile = a.tar\n", "either make or url"},
		{"[a]\ndisable = 0\n", "file"},
		{"[a]\nfile = a.tar\nmake = busybox\nurl = http://x/a\nsum = sha256 " SUM256 "\n",
		 "either make or url"},
		{"[a]\nfile = a.tar\nmake = busybox x\n", "make"},
		{"[a]\nfile = a.tar\nmake = debian --x\n", "make"},
		{"[a]\nfile = a.tar\nmake = debian\n", "make"},
		{"[a]\nfile = a.tar\nmake = gentoo x\n", "make"},
		{"[a]\nfile = a.tar\nmake = debian sid\nmirror = --x\n", "mirror"},
		{"[a]\nfile = a.tar\nmake = debian sid\nkeyring = x\n", "keyring"},
		{"[a]\nfile = ../a.tar\nmake = busybox\n", "file"},
		{"[a]\nfile = a.txt\nmake = busybox\n", "file"},
		{"[a]\nfile = a.tar\nurl = ftp://x/a\nsum = sha256 " SUM256 "\n", "url"},
		{"[a]\nfile = a.tar\nurl = http://x/a\n", "sum"},
		{"[a]\nfile = a.tar\nurl = http://x/a\nsum = sha256 http://x/sums\n",
		 "https alone"},
		{"[a]\nfile = a.tar\nurl = http://x/a\nsum = md5 " SUM256 "\n", "sum"},
		{"[a]\nfile = a.tar\nurl = http://x/a\nsum = sha512 " SUM256 "\n", "sum"},
		{"[a]\nfile = a.tar\nurl = http://x/a\nsum = sha256 " SUM256 "0\n", "sum"},
		{"[a]\nfile = a.tar\nmake = busybox\ncolour = red\n", "colour"},
		{"[a]\nfile = a.tar\nmake = busybox\nheadline = a\x1b[0m\n", "line 4"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autocatalog catalog = CATALOG_INIT;
		struct err err;
		if (add(&catalog, cases[i].text, &err) >= 0 || !strstr(err.message, cases[i].words))
			fail_msg("%s: '%s'", cases[i].text, err.message);
		assert_int_equal(catalog.count, 0);
	}
}

static void test_bounds(void **state)
{
	autocatalog catalog = CATALOG_INIT;
	autobuf text = BUF_INIT;
	struct err err = ERR_INIT;
	(void)state;
	for (unsigned i = 0; i < CATALOG_ENTRIES_MAX; i++)
		buf_addf(&text, "[e%u]\nmake = busybox\nfile = a%u.tar\n", i, i);
	assert_int_equal(add(&catalog, buf_str(&text), &err), 0);
	assert_int_equal(add(&catalog, "[x]\nmake = busybox\nfile = x.tar\n", &err), -ERR_LIMIT);
	assert_int_equal(catalog.count, CATALOG_ENTRIES_MAX);
	buf_reserve(&text, CATALOG_TEXT_MAX);
	while (text.size <= CATALOG_TEXT_MAX)
		buf_add_str(&text, "# more\n");
	assert_int_equal(catalog_add(&catalog, text.data, text.size, &err), -ERR_LIMIT);
}

static void test_sums(void **state)
{
	static const struct {
		const char *text;
		bool found;
	} cases[] = {
		{SUM256 "\n", true},
		{SUM256 "  a.tar.gz\n", true},
		{"0000 other\n" SUM256 " *a.tar.gz\n", true},
		{SUM256 "  ./a.tar.gz\n", true},
		{"SHA256 (a.tar.gz) = " SUM256 "\n", true},
		{"SHA512 (a.tar.gz) = " SUM256 "\n", false},
		{SUM256 "  b.tar.gz\n", false},
		{SUM256 "  xa.tar.gz\n", false},
		{SUM256 "0\n", false},
		{SUM256 "\n" SUM256 "\n", false},
		{"<html>no such file</html>", false},
		{"", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char sum[129] = "";
		int r = catalog_sum_find(cases[i].text, strlen(cases[i].text), "sha256", "a.tar.gz",
					 sum, NULL);
		if (cases[i].found ? r < 0 || !str_eq(sum, SUM256) : r != -ERR_NOT_FOUND)
			fail_msg("case %zu: %d", i, r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries), cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_sums),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
