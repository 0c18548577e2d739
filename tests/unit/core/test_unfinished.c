/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core that was killed after it stored a new guest and before it started the job: the next one undoes
 * that guest, and no other. */
#include "tests/unit/core/fixture.h"

#include "agent/base/str.h"
#include "agent/core/core.h"
#include "agent/core/guests.h"
#include "agent/core/unfinished.h"

static const char program[] = "#!/bin/sh\n"
			      "fields=$(tr -c '[:print:]' ' ')\n"
			      "echo \"$1 $fields\" >>\"$LODGE_STATE_DIR/called\"\n";

struct put {
	bool is_done;
};

static void done(const struct store_result *result, void *ctx)
{
	assert_int_equal(result->outcome, STORE_DONE);
	((struct put *)ctx)->is_done = true;
}

static bool is_put(void *ctx)
{
	return ((struct put *)ctx)->is_done;
}

static void put(struct core *core, const char *path, const char *text)
{
	struct store_op op = {.kind = STORE_PUT, .path = path, .value = text, .size = strlen(text)};
	struct store_txn txn = {.ops = &op, .op_count = 1};
	struct put state = {0};

	assert_int_equal(store_submit(core->store, &txn, done, &state, NULL), 0);
	fixture_run_until(core->event, is_put, &state);
}

static bool has_called(void *ctx)
{
	(void)ctx;
	return fixture_exists("called");
}

/* Nothing of what was called has ended anything: it may be able to later. */
static bool has_called_again(void *ctx)
{
	autofree char *called = fixture_read("called");
	unsigned count = str_starts(called, "vzcreate-undo ");

	(void)ctx;
	for (const char *line = called; (line = strstr(line, "\nvzcreate-undo ")); line++)
		count++;
	return count > 1;
}

static bool are_jobs_over(void *ctx)
{
	const struct core *core = ctx;

	for (unsigned vmid = 101; vmid <= 108; vmid++)
		if (jobs_guest_is_busy(core->jobs, vmid))
			return false;
	return true;
}

static void only_the_unfinished_one_is_undone(void **state)
{
	sd_event *event = NULL;
	struct core *core = NULL;
	autofree char *called = NULL;
	struct err err = ERR_INIT;

	(void)state;
	fixture_make();
	fixture_write("lodge-task-ct", program, 0755);
	assert_true(sd_event_new(&event) >= 0);
	if (core_new(event, &core, &err) < 0)
		fail_msg("%s", err.message);
	put(core, "/nodes/alpha/lxc/101.conf", "hostname: whole\n");
	put(core, "/nodes/alpha/lxc/102.conf", "hostname: half\nlock: create\n");
	put(core, "/nodes/beta/lxc/103.conf", "hostname: elsewhere\nlock: create\n");
	put(core, "/nodes/alpha/lxc/104.conf",
	    "lock: rollback\n\n[special:rollback]\nsnapname: s1\n");
	put(core, "/nodes/alpha/lxc/105.conf", "lock: snapshot\n\n[s2]\nsnapstate: prepare\n");
	put(core, "/nodes/alpha/lxc/106.conf", "lock: disk\n");
	put(core, "/nodes/alpha/lxc/107.conf", "hostname: b\n\n[special:move]\nkey: rootfs\n");
	put(core, "/nodes/alpha/lxc/108.conf", "lock: disk\n\n[special:clone]\nnewid: 9\n");
	unfinished_begin(core->unfinished);
	fixture_run_until(event, has_called, core);
	fixture_run_until(event, are_jobs_over, core);
	called = fixture_read("called");
	assert_non_null(strstr(called, "vzcreate-undo "));
	assert_non_null(strstr(called, " 102 "));
	assert_null(strstr(called, " 101 "));
	assert_null(strstr(called, " 103 "));
	assert_non_null(strstr(called, "vzrollback "));
	assert_non_null(strstr(called, " s1 "));
	assert_non_null(strstr(called, "vzsnapshot-undo "));
	assert_non_null(strstr(called, " s2 "));
	assert_non_null(strstr(called, "vzclone-release "));
	assert_null(strstr(called, " 106 "));
	assert_null(strstr(called, " 107 "));
	fixture_run_until(event, has_called_again, core);
	fixture_run_until(event, are_jobs_over, core);
	core_free(core);
	sd_event_unref(event);
	fixture_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_unfinished_one_is_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
