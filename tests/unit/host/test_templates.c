/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists of templates in their folders: what is offered, and what the administrator's own change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/templates.h"

#define SUM "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static char path[64];

static void put(const char *below, const char *text)
{
	autofree char *file = xasprintf("%s/%s", path, below);
	assert_int_equal(file_write_atomic(file, text, strlen(text), 0644, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(path, "/tmp/lodge-templates-XXXXXX");
	if (!mkdtemp(path))
		return -1;
	autofree char *folder = xasprintf("%s/etc/templates.d", path);
	autofree char *etc = xasprintf("%s/etc", path);
	assert_int_equal(dir_make(folder, 0755, NULL), 0);
	setenv("LODGE_SHARE_DIR", path, 1);
	setenv("LODGE_ETC_DIR", etc, 1);
	put("templates.list", "[a]\nurl = http://x/a\nsum = sha256 " SUM "\nfile = a.tar\n"
			      "[b]\nurl = http://x/b\nsum = sha256 " SUM "\nfile = b.tar\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return dir_remove_tree(path, NULL);
}

static bool offers(const char *word)
{
	autofields args = FIELDS_INIT;
	autobuf out = BUF_INIT;
	struct err err = ERR_INIT;
	assert_int_equal(helper_templates(&args, &out, &err), 0);
	return strstr(buf_str(&out), word) != NULL;
}

static void test_offers(void **state)
{
	(void)state;
	assert_true(offers("\"template\":\"a.tar\""));
	assert_true(offers("\"location\":\"http://x/b\""));
	put("etc/templates.d/10-own.list",
	    "[b]\ndisable = 1\n[c]\nurl = http://x/c\nsum = sha256 " SUM
	    "\nfile = c_{arch}.tar\nheadline = \"quoted\"\n");
	assert_true(offers("\"template\":\"a.tar\""));
	assert_false(offers("\"template\":\"b.tar\""));
	assert_true(offers("\"template\":\"c_"));
	assert_true(offers("\"headline\":\"\\\"quoted\\\"\""));
	/* a list that is wrong hides itself alone; other files are no lists */
	put("etc/templates.d/20-bad.list", "[a]\ndisable = 1\nnonsense\n");
	put("etc/templates.d/30-note.txt", "[a]\ndisable = 1\n");
	put("etc/templates.d/.30-hidden.list", "[a]\ndisable = 1\n");
	assert_true(offers("\"template\":\"a.tar\""));
	/* the later one of two files counts */
	put("etc/templates.d/40-late.list", "[c]\ndisable = 1\n");
	assert_false(offers("\"template\":\"c_"));
}

/* What is made is offered where its tools and its key are. */
static void test_tools(void **state)
{
	autofree char *key = xasprintf("%s/key.gpg", path);
	autofree char *text =
		xasprintf("[k]\nmake = debian sid\nfile = k.tar\nkeyring = %s\n", key);
	(void)state;
	put("etc/templates.d/key.list", text);
	assert_false(offers("\"template\":\"k.tar\""));
	put("key.gpg", "key");
	assert_true(offers("\"template\":\"k.tar\"") == (access("/usr/bin/mmdebstrap", X_OK) == 0));
}

static void test_find(void **state)
{
	autocatalog catalog = CATALOG_INIT;
	const struct catalog_entry *entry = NULL;
	struct err err = ERR_INIT;
	(void)state;
	templates_load(&catalog);
	assert_int_equal(templates_find(&catalog, "b.tar", &entry, &err), 0);
	assert_string_equal(entry->name, "b");
	assert_int_equal(templates_find(&catalog, "z.tar", &entry, &err), -ERR_INVALID);
	assert_string_equal(err.field, "template");
	assert_int_equal(templates_find(&catalog, NULL, &entry, &err), -ERR_INVALID);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {IN_ROOM(test_offers), IN_ROOM(test_tools),
					   IN_ROOM(test_find)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
