/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All guests of a node at once: who takes part, in which order. Limits of copies: whose word counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/api/lxc_test.h"

#define ALL "/nodes/n1"

static const struct {
	const char *vmid, *config, *state;
} guests[] = {
	{"101", "hostname: a\nonboot: 1\n", "running"},
	{"102", "hostname: b\nonboot: 1\nstartup: order=2,up=7,down=9\n", "running"},
	{"103", "hostname: c\nonboot: 1\nstartup: order=1\n", "stopped"},
	{"104", "hostname: d\nonboot: 1\ntemplate: 1\n", "stopped"},
	{"105", "hostname: e\n", "stopped"},
	{"106", "hostname: f\nonboot: 1\nstartup: 2,up=3\n", "stopped"},
	{"107", "hostname: g\nstartup: order=2\n", "paused"},
	{"108", "hostname: h\nonboot: 1\n", "stopped"},
};

static int open_guests(void **state)
{
	static const char script[] = "#!/bin/sh\nset -C\ncat > \"${0%/*}/args-$1\"\n";

	open_core(state);
	autofree char *path = path_join(folder, "lodge-task");

	assert_int_equal(file_write_atomic(path, script, strlen(script), 0755, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(guests); i++) {
		autofree char *config = xasprintf("/nodes/n1/lxc/%s.conf", guests[i].vmid);
		autofields f = FIELDS_INIT;

		put(config, guests[i].config);
		fields_add(&f, "vmid", guests[i].vmid);
		fields_add(&f, "state", guests[i].state);
		assert_int_equal(facts_take_guest(core.facts, &f, NULL), 0);
	}
	put("/nodes/n2/lxc/109.conf", "hostname: elsewhere\nonboot: 1\n");
	return 0;
}

/* Marks are the store's versions: each line has one. */
static void strip_marks(const char *turns, struct buf *ret)
{
	autostrv char **lines = str_split(turns, "\n");

	for (char **line = lines; *line; line++) {
		char *mark = strrchr(*line, ' ');

		assert_non_null(strchr(mark, '.'));
		*mark = '\0';
		buf_addf(ret, "%s\n", *line);
	}
}

/* The lines that the job gets. */
static void expect_turns(const char *user, const char *what, const char *params, const char *turns)
{
	autofree char *path = xasprintf(ALL "/%s", what);
	autofields args = FIELDS_INIT;
	unsigned status;
	autobuf answer = ask_as(user, "POST", path, params, &status);

	if (status != 200)
		fail_msg("%s: %u %s", what, status, buf_str(&answer));
	wait_for_job(buf_str(&answer));
	take_args(what, &args);
	autobuf plain = BUF_INIT;

	strip_marks(fields_get(&args, "guests"), &plain);
	assert_string_equal(buf_str(&plain), turns);
}

static void takes_turns(void **state)
{
	(void)state;
	expect_turns(NULL, "startall", NULL, "103 1 0\n106 2 3\n108 any 0\n");
	expect_turns(NULL, "startall", "force=1|vms=105,103;101", "103 1 0\n105 any 0\n");
	expect_turns(NULL, "stopall", NULL, "101 any 180\n107 2 180\n102 2 9\n");
	expect_turns(NULL, "stopall", "timeout=5|vms=101", "101 any 5\n");
	/* who may do nothing takes nobody along */
	expect_turns("joe@pve", "startall", "force=1", "");
	expect_turns("joe@pve", "stopall", NULL, "101 any 180\n");
}

static void hands_settings_on(void **state)
{
	autofields args = FIELDS_INIT, more = FIELDS_INIT;
	unsigned status;

	(void)state;
	autobuf answer =
		ask_as(NULL, "POST", ALL "/stopall", "force-stop=0|max-workers=2", &status);

	assert_int_equal(status, 200);
	wait_for_job(buf_str(&answer));
	take_args("stopall", &args);
	assert_null(fields_get(&args, "force-stop"));
	assert_string_equal(fields_get(&args, "workers"), "2");
	assert_string_equal(fields_get(&args, "user"), "root@pam");
	autobuf again = ask_as(NULL, "POST", ALL "/stopall", NULL, &status);

	wait_for_job(buf_str(&again));
	take_args("stopall", &more);
	assert_string_equal(fields_get(&more, "force-stop"), "1");
	assert_string_equal(fields_get(&more, "workers"), "4");
}

static void refuses_nonsense(void **state)
{
	(void)state;
	expect_wrong("POST", ALL "/startall", "vms=999", "vms", "guest '999' is not on this node");
	expect_wrong("POST", ALL "/startall", "vms=109", "vms", "guest '109' is not on this node");
	expect_wrong("POST", ALL "/stopall", "timeout=-1", "timeout",
		     "value must have a minimum value of 0");
	expect_as("joe@pve", "POST", ALL "/stopall", "vms=102", 403,
		  "{\"data\":null,\"message\":\"Permission check failed (/vms/102, "
		  "VM.PowerMgmt)\\n\"}");
}

static char *stored_text(const char *path)
{
	struct store_value value;

	assert_true(store_get(core.store, path, &value));
	return xstrndup(value.data, value.size);
}

static void who_may_nothing_starts_nothing(void **state)
{
	const struct task *newest = jobs_next(core.jobs, NULL);
	autofree char *joe = stored_text("/user.cfg");

	(void)state;
	put("/user.cfg", "user:joe@pve:1:0::::\nuser:ann@pve:1:0::::\n"
			 "acl:/vms/101:user:joe@pve:PVEVMUser:1\n"
			 "acl:/vms/109:user:ann@pve:PVEVMUser:1\n");
	expect_as(
		"ann@pve", "POST", ALL "/stopall", NULL, 403,
		"{\"data\":null,\"message\":\"Permission check failed (/vms, VM.PowerMgmt)\\n\"}");
	expect_as(
		"ann@pve", "POST", ALL "/startall", "vms=101", 403,
		"{\"data\":null,\"message\":\"Permission check failed (/vms, VM.PowerMgmt)\\n\"}");
	assert_ptr_equal(jobs_next(core.jobs, NULL), newest);
	expect_turns("joe@pve", "stopall", NULL, "101 any 180\n");
	put("/user.cfg", joe);
}

static void one_at_a_time(void **state)
{
	static const char script[] = "#!/bin/sh\nread line <\"${0%/*}/fifo\"\n";
	autofree char *path = path_join(folder, "lodge-task");
	autofree char *fifo = path_join(folder, "fifo");
	unsigned status;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(file_write_atomic(path, script, strlen(script), 0755, NULL), 0);
	autobuf first = ask_as(NULL, "POST", ALL "/startall", NULL, &status);

	assert_int_equal(status, 200);
	autobuf second = ask_as(NULL, "POST", ALL "/stopall", NULL, &status);

	assert_int_not_equal(status, 200);
	assert_non_null(strstr(buf_str(&second), "startall of this node already runs: UPID:n1:"));
	autofd int go_on = open(fifo, O_RDWR | O_CLOEXEC);

	assert_true(write(go_on, "x\n", 2) == 2);
	wait_for_job(buf_str(&first));
	autobuf third = ask_as(NULL, "POST", ALL "/stopall", NULL, &status);

	assert_int_equal(status, 200);
	assert_true(write(go_on, "x\n", 2) == 2);
	wait_for_job(buf_str(&third));
}

/* -- bwlimit ------------------------------------------------------------------------------------ */

static const char *create_limit(const char *user, const char *vmid, const char *more,
				struct fields *args)
{
	autofree char *params =
		xasprintf(TEMPLATE "|vmid=%s|rootfs=local:0.5%s", vmid, more ? more : "");
	autofree char *config = xasprintf("/nodes/n1/lxc/%s.conf", vmid);
	unsigned status;
	autobuf answer = ask_as(user, "POST", "/nodes/n1/lxc", params, &status);

	if (status != 200)
		fail_msg("%u %s", status, buf_str(&answer));
	wait_for_job(buf_str(&answer));
	take_args("vzcreate", args);
	store_op(STORE_DELETE, config, "");
	return fields_get(args, "bwlimit") ?: "";
}

static void expect_limit(const char *user, const char *more, const char *limit)
{
	static unsigned vmid = 200;
	autofree char *id = xasprintf("%u", vmid++);
	autofields args = FIELDS_INIT;

	assert_string_equal(create_limit(user, id, more, &args), limit);
}

static void the_right_limit_counts(void **state)
{
	static const char storage[] = "dir: local\n\tpath /nowhere\n\tcontent rootdir,vztmpl\n"
				      "\tbwlimit restore=300,default=100\n";

	(void)state;
	put("/user.cfg", "user:joe@pve:1:0::::\n"
			 "acl:/vms:user:joe@pve:PVEVMAdmin:1\n"
			 "acl:/storage:user:joe@pve:PVEDatastoreUser:1\n");
	expect_limit(NULL, NULL, "");
	expect_limit(NULL, "|bwlimit=77", "77");
	expect("PUT", "/cluster/options", "bwlimit=default=500,restore=400", 200,
	       "{\"data\":null}");
	expect("GET", "/cluster/options", NULL, 200,
	       "{\"data\":{\"bwlimit\":{\"default\":\"500\",\"restore\":\"400\"}}}");
	expect_limit(NULL, NULL, "400");
	put("/storage.cfg", storage);
	expect_limit(NULL, NULL, "300");
	/* the administrator's word stands alone, that of others only lowers */
	expect_limit(NULL, "|bwlimit=0", "");
	expect_limit(NULL, "|bwlimit=1000", "1000");
	expect_limit("joe@pve", NULL, "300");
	expect_limit("joe@pve", "|bwlimit=0", "300");
	expect_limit("joe@pve", "|bwlimit=1000", "300");
	expect_limit("joe@pve", "|bwlimit=20", "20");
	expect_wrong("PUT", "/cluster/options", "bwlimit=fast=1", "bwlimit",
		     "invalid format - fast: property is not defined in schema and the schema does "
		     "not allow additional properties");
	expect_wrong("PUT", "/cluster/options", "delete=keyboard", "delete",
		     "unknown setting 'keyboard'");
	expect("PUT", "/cluster/options", "delete=bwlimit", 200, "{\"data\":null}");
	expect("GET", "/cluster/options", NULL, 200, "{\"data\":{}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_turns),
		cmocka_unit_test(hands_settings_on),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(who_may_nothing_starts_nothing),
		cmocka_unit_test(the_right_limit_counts),
		cmocka_unit_test(one_at_a_time),
	};

	return cmocka_run_group_tests(tests, open_guests, close_core);
}
