/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that nobody starts by hand: with the host, once, and again when they reboot
 * from inside. */
#include "tests/unit/core/world.h"

#include <signal.h>

#include "agent/core/guest_mark.h"
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

static bool is_queued(void *ctx)
{
	(void)ctx;
	return count_tasks("vzstart", "102") > 0;
}

/* What stops a job from being started for now must not leave the guest down, nor break the order. */
static void a_start_is_tried_again(void **state)
{
	struct core *core = &world->core;
	autofree char *program = fixture_path("lodge-task-ct");
	autofree char *away = fixture_path("away");

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "onboot: 1\nstartup: order=2\n");
	put("/nodes/alpha/lxc/102.conf", "onboot: 1\nstartup: order=1\n");
	put("/nodes/alpha/lxc/103.conf", "onboot: 1\nstartup: order=3\n");
	assert_int_equal(rename(program, away), 0);
	onboot_begin(core->onboot);
	autofree char *none = fixture_read("onboot-done");
	assert_string_equal(strchr(none, '\n'), "\n"); /* the next core would try as well */
	put("/nodes/alpha/lxc/103.conf", "onboot: 0\n");
	assert_int_equal(rename(away, program), 0);
	fixture_run_until(core->event, onboot_is_over, NULL);
	autofree char *marker = fixture_read("onboot-done");
	assert_string_equal(strchr(marker, '\n'), "\n102\n101\nend\n");
	assert_int_equal(count_tasks("vzstart", "103"), 0);
}

/* Whose queue is full keeps nobody else waiting. */
static void a_full_queue_is_its_own(void **state)
{
	struct core *core = &world->core;
	const struct job_spec spec = {.program = JOB_CT,
				      .command = "hold",
				      .id = "101",
				      .user = "root@pam",
				      .guest = 101,
				      .fd = -1};
	char upid[UPID_MAX];

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "onboot: 1\nstartup: order=1\n");
	put("/nodes/alpha/lxc/102.conf", "onboot: 1\nstartup: order=2\n");
	fixture_write("lodge-task-ct", "#!/bin/sh\n[ \"$1\" = hold ] && exec sleep 1000\nexit 0\n",
		      0755);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(jobs_start(core->jobs, &spec, upid, NULL), 0);
	onboot_begin(core->onboot);
	fixture_run_until(core->event, is_queued, NULL);
	assert_int_equal(count_tasks("vzstart", "101"), 0);
	for (const struct task *t = NULL; (t = jobs_next(core->jobs, t));)
		if (str_eq(t->id.type, "hold"))
			kill(-t->id.pid, SIGKILL);
	fixture_run_until(core->event, onboot_is_over, NULL);
	autofree char *marker = fixture_read("onboot-done");
	assert_string_equal(strchr(marker, '\n'), "\n102\n101\nend\n");
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

static unsigned ask_marked(const char *vmid, const char *verb, const char *user,
			   const char *request, const char *mark)
{
	struct call call = CALL_INIT;

	call.op = CALL_GUEST_JOB;
	fields_add(&call.head, "vmid", vmid);
	fields_add(&call.head, "verb", verb);
	fields_add(&call.head, "user", user);
	fields_add(&call.head, "request", request);
	fields_add(&call.head, "mark", mark);
	fields_add(&call.params, "timeout", "7");
	return ask(&call);
}

static unsigned ask_job(const char *vmid, const char *verb, const char *user)
{
	static unsigned count;
	autofree char *request = xasprintf("request-%u", count++);

	return ask_marked(vmid, verb, user, request, NULL);
}

static void allow(const char *path)
{
	autofree char *text =
		xasprintf("user:joe@pve:1:0::::\nacl:%s:user:joe@pve:PVEVMUser:1\n", path);

	put("/user.cfg", text);
}

/* What a job on many guests asks for one of them. */
static void jobs_start_jobs(void **state)
{
	(void)state;
	put("/nodes/alpha/lxc/101.conf", "hostname: a\n");
	put("/nodes/beta/lxc/104.conf", "hostname: b\n");
	allow("/vms");
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

/* Its user may have lost the right since. */
static void who_may_not_starts_none(void **state)
{
	(void)state;
	put("/nodes/alpha/lxc/101.conf", "hostname: a\n");
	allow("/vms/102");
	connect_to(CORE_SOCKET);
	assert_int_equal(ask_job("101", "shutdown", "joe@pve"), 403);
	assert_int_equal(ask_job("101", "shutdown", "nobody@pve"), 403);
	assert_int_equal(ask_job("101", "shutdown", "root@pam!key"), 403);
	assert_int_equal(count_tasks("vzshutdown", "101"), 0);
	allow("/vms/101");
	assert_int_equal(ask_job("101", "shutdown", "joe@pve"), 200);
	put("/user.cfg", "user:joe@pve:0:0::::\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n");
	assert_int_equal(ask_job("101", "shutdown", "joe@pve"), 403);
	assert_int_equal(ask_job("101", "shutdown", "root@pam"), 200);
}

static void take_away(const char *path)
{
	const struct store_op op = {.kind = STORE_DELETE, .path = path};
	const struct store_txn txn = {.who = "test", .ops = &op, .op_count = 1};

	world->stored = 0;
	assert_int_equal(store_submit(world->core.store, &txn, on_stored, world, NULL), 0);
	fixture_run_until(world->core.event, has_stored, NULL);
}

static void restart_guests(void)
{
	guests_free(world->core.guests);
	world->core.guests = guests_new(&world->core);
}

/* An id that was given to another guest since. */
static void another_guest_is_left_alone(void **state)
{
	static const char path[] = "/nodes/alpha/lxc/101.conf";
	char mark[GUEST_MARK_MAX], later[GUEST_MARK_MAX];

	(void)state;
	put(path, "hostname: a\n");
	connect_to(CORE_SOCKET);
	guest_mark(guests_find(world->core.guests, 101), mark);
	put(path, "hostname: changed\n");
	assert_int_equal(ask_marked("101", "start", "root@pam", "a", mark), 200);
	guest_mark(guests_find(world->core.guests, 101), later);
	take_away(path);
	assert_int_equal(ask_marked("101", "start", "root@pam", "b", mark), 404);
	put(path, "hostname: a\n");
	assert_int_equal(ask_marked("101", "start", "root@pam", "c", mark), 409);
	assert_int_equal(ask_marked("101", "start", "root@pam", "d", later), 409);
	assert_int_equal(ask_marked("101", "start", "root@pam", "e", "nonsense"), 409);
	/* another core: what did not change is the same, of the rest it does not know */
	guest_mark(guests_find(world->core.guests, 101), mark);
	restart_guests();
	assert_int_equal(ask_marked("101", "start", "root@pam", "f", mark), 200);
	assert_int_equal(ask_marked("101", "start", "root@pam", "g", later), 409);
	put(path, "hostname: changed\n");
	restart_guests();
	assert_int_equal(ask_marked("101", "start", "root@pam", "h", mark), 409);
	assert_int_equal(count_tasks("vzstart", "101"), 2);
}

static bool has_ended(void *ctx)
{
	return jobs_find(world->core.jobs, ctx)->state == TASK_STOPPED;
}

/* Whose answer was lost asks again: also another core, also when the job is over by then. */
static void a_request_is_done_once(void **state)
{
	char upid[UPID_MAX];
	struct core *core = &world->core;

	(void)state;
	put("/nodes/alpha/lxc/101.conf", "hostname: a\n");
	fixture_write("lodge-task-ct", "#!/bin/sh\nread line <\"$LODGE_STATE_DIR/fifo\"\n", 0755);
	connect_to(CORE_SOCKET);
	assert_int_equal(ask_marked("101", "start", "root@pam", "once", NULL), 200);
	assert_true(str_copy(upid, sizeof(upid), fields_get(&world->reply.head, "upid")));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask_marked("101", "start", "root@pam", "once", NULL), 200);
		assert_string_equal(fields_get(&world->reply.head, "upid"), upid);
		if (i == 0) {
			jobs_free(core->jobs);
			assert_int_equal(jobs_new(core->event, core->node, &core->jobs, NULL), 0);
		} else if (i == 1) {
			fixture_release();
			fixture_run_until(core->event, has_ended, upid);
		}
	}
	assert_int_equal(count_tasks("vzstart", "101"), 1);
	assert_int_equal(ask_marked("101", "start", "root@pam", "twice", NULL), 200);
	assert_string_not_equal(fields_get(&world->reply.head, "upid"), upid);
	fixture_release();
	assert_int_equal(ask_marked("101", "start", "root@pam", NULL, NULL), 400);
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
		WITH(a_start_is_tried_again),	 WITH(a_full_queue_is_its_own),
		WITH(reboot_from_inside),	 WITH(reboot_is_tried_again),
		WITH(who_may_not_starts_none),	 WITH(another_guest_is_left_alone),
		WITH(a_request_is_done_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
