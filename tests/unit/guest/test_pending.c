/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of a configuration: at once, or kept for the next start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/guest/pending.h"
#include "tests/unit/guest/guest_test.h"

static const char *const live[] = {"description", "onboot", NULL};

struct change_case {
	const char *name;
	const char *before;
	const char *set;    /* "key=value|key=value" */
	const char *delete; /* "a b" */
	const char *revert;
	bool is_running;
	const char *after;
};

static const struct change_case change_cases[] = {
	{"stopped: at once", "memory: 512\nswap: 1\n", "memory=1024", "swap", "", false,
	 "memory: 1024\n"},
	{"stopped: what waited for a touched key is dropped",
	 "memory: 512\n\n[PENDING]\nmemory: 2048\ncores: 2\n", "memory=1024", "", "", false,
	 "memory: 1024\n\n[PENDING]\ncores: 2\n"},
	{"running: waits", "memory: 512\n", "memory=1024", "", "", true,
	 "memory: 512\n\n[PENDING]\nmemory: 1024\n"},
	{"running: live keys at once", "memory: 512\nonboot: 0\n", "onboot=1|description=hi", "",
	 "", true, "#hi\nmemory: 512\nonboot: 1\n"},
	{"running: live key deleted at once", "onboot: 1\n", "", "onboot", "", true, ""},
	{"running: deletion waits", "memory: 512\nnet1: x\n", "", "net1", "", true,
	 "memory: 512\nnet1: x\n\n[PENDING]\ndelete: net1\n"},
	{"running: deletions add up", "a: 1\nb: 2\n\n[PENDING]\ndelete: a\n", "", "b a", "", true,
	 "a: 1\nb: 2\n\n[PENDING]\ndelete: b,a\n"},
	{"running: set after delete", "a: 1\n\n[PENDING]\ndelete: a\n", "a=2", "", "", true,
	 "a: 1\n\n[PENDING]\na: 2\n"},
	{"running: delete after set", "a: 1\n\n[PENDING]\na: 2\n", "", "a", "", true,
	 "a: 1\n\n[PENDING]\ndelete: a\n"},
	{"running: back to the old value", "a: 1\n\n[PENDING]\na: 2\n", "a=1", "", "", true,
	 "a: 1\n"},
	{"running: deleting what was only waiting", "\n[PENDING]\na: 2\n", "", "a", "", true, ""},
	{"running: deleting nothing", "b: 1\n", "", "a", "", true, "b: 1\n"},
	{"revert set", "a: 1\n\n[PENDING]\na: 2\nb: 3\n", "", "", "a", true,
	 "a: 1\n\n[PENDING]\nb: 3\n"},
	{"revert delete", "a: 1\n\n[PENDING]\ndelete: a\n", "", "", "a", true, "a: 1\n"},
	{"revert the unknown", "a: 1\n", "", "", "a b", true, "a: 1\n"},
	{"snapshots stay", "a: 1\n\n[PENDING]\na: 2\n\n[snap]\na: 0\n", "", "", "a", true,
	 "a: 1\n\n[snap]\na: 0\n"},
};

static void applies_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(change_cases); i++) {
		const struct change_case *c = &change_cases[i];
		autofields set = FIELDS_INIT;
		autostrv char **deleted = str_split(c->delete, " ");
		autostrv char **reverted = str_split(c->revert, " ");
		struct guest_config config;

		fields_from(c->set, &set);
		config_from(c->before, &config);
		config_change_apply(&config, &(struct config_change){&set, deleted, reverted},
				    c->is_running, live);
		assert_config(c->name, &config, c->after);
		guest_config_fini(&config);
	}
}

static void merges_before_a_start(void **state)
{
	(void)state;
	struct guest_config config;

	config_from("a: 1\nb: 2\n\n[PENDING]\na: 3\nc: 4\ndelete: b,x\n\n[snap]\na: 0\n", &config);
	assert_true(config_pending_merge(&config));
	assert_config("merge", &config, "a: 3\nc: 4\n\n[snap]\na: 0\n");
	assert_false(config_pending_merge(&config));
	guest_config_fini(&config);
}

static void settles_one_key(void **state)
{
	(void)state;
	struct guest_config config;
	bool is_deleted;

	config_from("cores: 1\nmemory: 512\n[PENDING]\ndelete: cores,swap\nmemory: 64\nnet0: x\n",
		    &config);
	assert_string_equal(config_pending_get(&config, "memory", &is_deleted), "64");
	assert_false(is_deleted);
	assert_null(config_pending_get(&config, "cores", &is_deleted));
	assert_true(is_deleted);
	assert_null(config_pending_get(&config, "hostname", &is_deleted));
	assert_false(is_deleted);
	assert_false(config_pending_settle(&config, "hostname"));
	assert_true(config_pending_settle(&config, "memory"));
	assert_true(config_pending_settle(&config, "cores"));
	assert_config("two", &config, "memory: 64\n\n[PENDING]\ndelete: swap\nnet0: x\n");
	assert_true(config_pending_settle(&config, "swap"));
	assert_true(config_pending_settle(&config, "net0"));
	assert_config("all", &config, "memory: 64\nnet0: x\n");
	assert_false(config_pending_settle(&config, "net0"));
	guest_config_fini(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settles_one_key),
		cmocka_unit_test(applies_changes),
		cmocka_unit_test(merges_before_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
