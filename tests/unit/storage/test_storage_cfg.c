/* SPDX-License-Identifier: GPL-2.0-or-later */
/* storage.cfg: text to definitions and back, and what is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "storage/volid/storage_cfg.h"

static const char sample[] = "# comment\n"
			     "dir: local\n"
			     "\tpath /var/lib/lodge/local\n"
			     "        content iso,vztmpl, images\r\n"
			     "\tshared\n"
			     "\n"
			     "nfs: backup-1\n"
			     "\tserver 10.0.0.1\n"
			     "\tnodes a,b\n"
			     "\toptions vers=4.2 soft\n";

static void test_parse(void **state)
{
	struct storage_cfg cfg;
	struct err err = ERR_INIT;
	(void)state;
	assert_int_equal(storage_cfg_parse(sample, strlen(sample), &cfg, &err), 0);
	assert_int_equal(cfg.count, 2);
	const struct storage_def *local = storage_cfg_find(&cfg, "local");
	const struct storage_def *nfs = storage_cfg_find(&cfg, "backup-1");
	assert_non_null(local);
	assert_non_null(nfs);
	assert_null(storage_cfg_find(&cfg, "other"));
	assert_string_equal(local->type, "dir");
	assert_string_equal(storage_def_get(local, "shared"), "1");
	assert_string_equal(storage_def_get(nfs, "options"), "vers=4.2 soft");
	assert_null(storage_def_get(nfs, "content"));
	assert_true(storage_def_has_content(local, "images"));
	assert_false(storage_def_has_content(local, "image"));
	assert_false(storage_def_has_content(local, "rootdir"));
	assert_true(storage_def_has_content(nfs, "rootdir")); /* unset: guest volumes */
	assert_true(storage_def_is_on_node(local, "c"));
	assert_true(storage_def_is_on_node(nfs, "b"));
	assert_false(storage_def_is_on_node(nfs, "c"));
	storage_cfg_fini(&cfg);
}

static void test_round_trip(void **state)
{
	struct storage_cfg cfg, again;
	autobuf one = BUF_INIT, two = BUF_INIT;
	(void)state;
	assert_int_equal(storage_cfg_parse(sample, strlen(sample), &cfg, NULL), 0);
	storage_cfg_format(&cfg, &one);
	assert_int_equal(storage_cfg_parse(one.data, one.size, &again, NULL), 0);
	storage_cfg_format(&again, &two);
	assert_string_equal(buf_str(&one), buf_str(&two));
	storage_cfg_fini(&cfg);
	storage_cfg_fini(&again);
}

static void test_default(void **state)
{
	struct storage_cfg cfg;
	char text[512];
	(void)state;
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), storage_cfg_default_format, "/srv/x");
	assert_int_equal(storage_cfg_parse(text, strlen(text), &cfg, NULL), 0);
	assert_string_equal(storage_def_get(storage_cfg_find(&cfg, "local"), "path"), "/srv/x");
	storage_cfg_fini(&cfg);
	assert_int_equal(storage_cfg_parse("", 0, &cfg, NULL), 0);
	assert_int_equal(cfg.count, 0);
	storage_cfg_fini(&cfg);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"dir local\n", "line 1"},
		{"\tpath /x\n", "line 1: a key before"},
		{"dir: local\ndir: local\n", "line 2: storage 'local' is defined twice"},
		{"dir: local\n\tpath /x\n\tpath /y\n", "line 3: key 'path'"},
		{"dir: -x\n", "bad storage name"},
		{"dir:\n", "bad storage name"},
		{"d-r: local\n", "bad storage type"},
		{": local\n", "bad storage type"},
		{"dir: local\n\tpa/th x\n", "bad key"},
		{"dir: local\n\tpath /a\001b\n", "bad value"},
		{"dir: local\n\tpath /\xff\n", "bad value"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct storage_cfg cfg = {.count = 7};
		struct err err = ERR_INIT;
		assert_true(storage_cfg_parse(cases[i].text, strlen(cases[i].text), &cfg, &err) <
			    0);
		if (!strstr(err.message, cases[i].says))
			fail_msg("'%s' lacks '%s'", err.message, cases[i].says);
		assert_int_equal(cfg.count, 7);
	}
	struct storage_cfg cfg;
	assert_true(storage_cfg_parse("dir: a\0b\n", 9, &cfg, NULL) < 0);
}

static void test_bounds(void **state)
{
	struct storage_cfg cfg;
	struct err err = ERR_INIT;
	autobuf text = BUF_INIT;
	(void)state;
	for (int i = 0; i < STORAGE_CFG_MAX; i++)
		buf_addf(&text, "dir: s%d\n\tpath /x\n", i + 10);
	assert_int_equal(storage_cfg_parse(text.data, text.size, &cfg, &err), 0);
	storage_cfg_fini(&cfg);
	buf_add_str(&text, "dir: more\n");
	assert_int_equal(storage_cfg_parse(text.data, text.size, &cfg, &err), -ERR_LIMIT);
}

static void test_arguments(void **state)
{
	struct storage_cfg cfg;
	struct storage_def def;
	autofields args = FIELDS_INIT;
	autofields plain = FIELDS_INIT;
	(void)state;
	assert_int_equal(storage_cfg_parse(sample, strlen(sample), &cfg, NULL), 0);
	fields_add(&args, "type", "imgdel"); /* a job's own */
	fields_add(&args, "id", "");
	storage_def_encode(storage_cfg_find(&cfg, "local"), &args);
	assert_int_equal(storage_def_decode(&args, &def, NULL), 0);
	assert_string_equal(def.type, "dir");
	assert_string_equal(def.id, "local");
	assert_string_equal(storage_def_get(&def, "path"), "/var/lib/lodge/local");
	storage_def_fini(&def);
	storage_cfg_fini(&cfg);

	fields_add(&plain, "type", "dir");
	assert_true(storage_def_decode(&plain, &def, NULL) < 0);
	fields_add(&plain, "id", "other");
	fields_add(&plain, "key.path", "/y");
	assert_int_equal(storage_def_decode(&plain, &def, NULL), 0);
	assert_string_equal(storage_def_get(&def, "path"), "/y");
	storage_def_fini(&def);
	fields_add(&plain, "key.path", "/z");
	assert_true(storage_def_decode(&plain, &def, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_default), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bounds),	cmocka_unit_test(test_arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
