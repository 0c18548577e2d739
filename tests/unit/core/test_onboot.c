/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that nobody starts by hand: with the host, once, and again when they reboot
 * from inside. */
#include "tests/unit/core/world.h"

#include "agent/core/restart.h"

static unsigned count_tasks(const char *type, const char *id)
{
	unsigned count = 0;

	for (const struct task *t = NULL; (t = jobs_next(world->core.jobs, t));)
		count += str_eq(t->id.type, type) && str_eq(t->id.id, id);
	return count;
}

static bool onboot_is_over(void *ctx)
{
	(void)ctx;
	autofree char *marker = fixture_read("onboot-done");
	return strstr(marker, "end\n") != NULL;
}

static void starts_with_the_host_once(void **state)
{
	struct core *core = &world->core;

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "onboot: 1\n");
	put("/nodes/alpha/lxc/102.conf", "onboot: 1\nstartup: order=1\n");
	put("/nodes/alpha/lxc/103.conf", "onboot: 0\n");
	put("/nodes/beta/lxc/104.conf", "onboot: 1\n");
	put("/nodes/alpha/lxc/105.conf", "onboot: 1\nstartup: order=1\n");
	onboot_begin(core->onboot);
	fixture_run_until(core->event, onboot_is_over, NULL);
	autofree char *marker = fixture_read("onboot-done");
	assert_string_equal(strchr(marker, '\n'), "\n102\n105\n101\nend\n");
	assert_int_equal(count_tasks("vzstart", "101"), 1);
	assert_int_equal(count_tasks("vzstart", "103"), 0);
	assert_int_equal(count_tasks("vzstart", "104"), 0);
	onboot_begin(core->onboot); /* another core in the same boot */
	assert_int_equal(count_tasks("vzstart", "101"), 1);
}

static void goes_on_after_a_kill(void **state)
{
	struct core *core = &world->core;

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "onboot: 1\n");
	put("/nodes/alpha/lxc/102.conf", "onboot: 1\n");
	onboot_begin(core->onboot);
	fixture_run_until(core->event, onboot_is_over, NULL);
	autofree char *marker = fixture_read("onboot-done");
	strstr(marker, "102\n")[0] = '\0'; /* as it was when 101 had its turn */
	fixture_write("onboot-done", marker, 0600);
	onboot_free(core->onboot);
	jobs_free(core->jobs);
	assert_int_equal(jobs_new(core->event, core->node, &core->jobs, NULL), 0);
	core->onboot = onboot_new(core);
	onboot_begin(core->onboot);
	fixture_run_until(core->event, onboot_is_over, NULL);
	assert_int_equal(count_tasks("vzstart", "101"), 1);
	assert_int_equal(count_tasks("vzstart", "102"), 2);
}

static void startup_texts(void **state)
{
	static const struct {
		const char *text;
		uint64_t order, up, down;
	} cases[] = {
		{NULL, ONBOOT_ORDER_NONE, 0, ONBOOT_DOWN_NONE},
		{"order=2,up=30", 2, 30, ONBOOT_DOWN_NONE},
		{"7", 7, 0, ONBOOT_DOWN_NONE},
		{"up=5", ONBOOT_ORDER_NONE, 5, ONBOOT_DOWN_NONE},
		{"order=x,up=999999", ONBOOT_ORDER_NONE, 3600, ONBOOT_DOWN_NONE},
		{"down=4,order=1", 1, 0, 4},
		{"down=0", ONBOOT_ORDER_NONE, 0, 0},
		{"down=99999999", ONBOOT_ORDER_NONE, 0, 7200},
		{"down=x", ONBOOT_ORDER_NONE, 0, ONBOOT_DOWN_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct onboot_startup s;

		onboot_startup_parse(cases[i].text, &s);
		assert_true(s.order == cases[i].order);
		assert_true(s.up == cases[i].up);
		assert_true(s.down == cases[i].down);
	}
}

static unsigned ask_job(const char *vmid, const char *verb, const char *user)
{
	struct call call = CALL_INIT;

	call.op = CALL_GUEST_JOB;
	fields_add(&call.head, "vmid", vmid);
	fields_add(&call.head, "verb", verb);
	fields_add(&call.head, "user", user);
	fields_add(&call.params, "timeout", "7");
	return ask(&call);
}

/* What a job on many guests asks for one of them. */
static void jobs_start_jobs(void **state)
{
	(void)state;
	put("/nodes/alpha/lxc/101.conf", "hostname: a\n");
	put("/nodes/beta/lxc/104.conf", "hostname: b\n");
	connect_to(CORE_SOCKET);
	assert_int_equal(ask_job("101", "shutdown", "joe@pve"), 200);
	assert_int_equal(count_tasks("vzshutdown", "101"), 1);
	const struct task *task = jobs_next(world->core.jobs, NULL);

	assert_string_equal(task->id.user, "joe@pve");
	assert_string_equal(fields_get(&world->reply.head, "upid"), task->upid);
	assert_int_equal(task->guest, 101);
	assert_int_equal(ask_job("101", "start", "joe@pve"), 200);
	assert_int_equal(ask_job("101", "destroy", "joe@pve"), 400);
	assert_int_equal(ask_job("101", NULL, "joe@pve"), 400);
	assert_int_equal(ask_job("101", "start", NULL), 400);
	assert_int_equal(ask_job("x", "start", "joe@pve"), 400);
	assert_int_equal(ask_job("104", "start", "joe@pve"), 404);
	assert_int_equal(ask_job("999", "start", "joe@pve"), 404);
	assert_int_equal(count_tasks("vzstart", "101"), 1);
}

static unsigned tell_stopped(const char *target)
{
	struct call call = CALL_INIT;

	call.op = CALL_GUEST_STATE;
	fields_add(&call.head, "vmid", "101");
	fields_add(&call.head, "kind", "lxc");
	fields_add(&call.head, "state", "stopped");
	fields_add(&call.head, "target", target);
	return ask(&call);
}

static void spool_reboot(void)
{
	autofree char *spool = fixture_path("guests/101.stopped");
	autofields f = FIELDS_INIT;
	autobuf text = BUF_INIT;

	fields_add(&f, "vmid", "101");
	fields_add(&f, "state", "stopped");
	fields_add(&f, "target", "reboot");
	fields_encode(&f, &text);
	assert_int_equal(file_write_atomic(spool, text.data, text.size, 0600, NULL), 0);
}

static bool has_no_spool(void *ctx)
{
	(void)ctx;
	return !fixture_exists("guests/101.stopped");
}

static void reboot_from_inside(void **state)
{
	autofree char *folder = fixture_path("guests");

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "hostname: a\n");
	assert_int_equal(dir_make(folder, 0700, NULL), 0);
	fixture_write("guests/101.stopped", "", 0600);
	connect_to(CORE_SOCKET);
	assert_int_equal(tell_stopped("stop"), 200);
	assert_int_equal(facts_guest(world->core.facts, 101)->state, GUEST_STOPPED);
	assert_int_equal(count_tasks("vzstart", "101"), 0);
	assert_false(fixture_exists("guests/101.stopped"));
	assert_int_equal(tell_stopped("reboot"), 200);
	assert_int_equal(count_tasks("vzstart", "101"), 1);
	/* The core was away. */
	spool_reboot();
	restart_scan(&world->core);
	assert_int_equal(count_tasks("vzstart", "101"), 2);
	assert_false(fixture_exists("guests/101.stopped"));
}

/* What stops a job from being started for now must not leave the guest down. */
static void reboot_is_tried_again(void **state)
{
	autofree char *folder = fixture_path("guests");
	autofree char *program = fixture_path("lodge-task-ct");
	autofree char *away = fixture_path("away");

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "hostname: a\n");
	assert_int_equal(dir_make(folder, 0700, NULL), 0);
	spool_reboot();
	connect_to(CORE_SOCKET);
	assert_int_equal(rename(program, away), 0);
	assert_int_equal(tell_stopped("reboot"), 200);
	assert_int_equal(count_tasks("vzstart", "101"), 0);
	assert_true(fixture_exists("guests/101.stopped"));
	assert_int_equal(rename(away, program), 0);
	assert_non_null(world->core.restart_timer);
	sd_event_source_set_time(world->core.restart_timer, 0);
	fixture_run_until(world->core.event, has_no_spool, NULL);
	assert_int_equal(count_tasks("vzstart", "101"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(starts_with_the_host_once), WITH(goes_on_after_a_kill),
		WITH(jobs_start_jobs),		 cmocka_unit_test(startup_texts),
		WITH(reboot_from_inside),	 WITH(reboot_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
