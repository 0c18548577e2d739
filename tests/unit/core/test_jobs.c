/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs as real processes: start, end, death, undo, order, stop. */
#include "tests/unit/core/jobs_world.h"

#include <sys/wait.h>

#include "agent/base/cursor.h"
#include "agent/base/exec.h"

static void starts_and_ends(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	const struct task *task =
		start(w, (struct job_spec){.command = "hold", .id = "101", .guest = 101}, upid);
	autofree char *record = job_file_record(upid);
	autofree char *log = jobs_log_path(w->jobs, upid);

	assert_int_equal(task->state, TASK_RUNNING);
	assert_null(task->exit_text);
	assert_int_equal(task->guest, 101);
	assert_string_equal(task->id.type, "hold");
	assert_true(jobs_guest_is_busy(w->jobs, 101));
	assert_false(jobs_guest_is_busy(w->jobs, 102));
	assert_int_equal(access(record, F_OK), 0);
	assert_int_equal(access(log, F_OK), 0);
	assert_true(exec_pid_start(task->id.pid) == task->id.pid_start);
	write_status(upid, "WARNINGS: 2");
	fixture_release();
	wait_for_end(w);
	assert_string_equal(w->last, upid);
	task = jobs_find(w->jobs, upid);
	assert_int_equal(task->state, TASK_STOPPED);
	assert_string_equal(task->exit_text, "WARNINGS: 2");
	assert_int_equal(task->end_time, 1234567890);
	assert_false(jobs_guest_is_busy(w->jobs, 101));
	assert_int_equal(access(record, F_OK), -1);
}

static void death_without_status_is_an_error(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];

	start(w, (struct job_spec){.command = "die"}, upid);
	wait_for_end(w);
	assert_string_equal(w->last_text, "task died without a status (exit code 7)");
	autofree char *path = jobs_log_path(w->jobs, upid);
	autobuf text = BUF_INIT;
	assert_int_equal(file_read(path, 4096, &text, NULL), 0);
	assert_string_equal(buf_str(&text),
			    "TASK ERROR: task died without a status (exit code 7)\n");
	jobs_free(w->jobs);
	open_jobs(w); /* the status was written down */
	assert_string_equal(jobs_find(w->jobs, upid)->exit_text,
			    "task died without a status (exit code 7)");
}

static void give_secret_args(struct fields *args)
{
	fields_add(args, "size", "8G");
	fields_add(args, "password", "hush");
}

static void undo_runs_after_death(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	autofields args = FIELDS_INIT;

	give_secret_args(&args);
	start(w,
	      (struct job_spec){.command = "die",
				.undo = "undo",
				.id = "7",
				.guest = 7,
				.args = &args,
				.fd = -1},
	      upid);
	wait_for_end(w);
	const struct task *undo = jobs_next(w->jobs, NULL);
	assert_string_equal(undo->id.type, "undo");
	assert_int_equal(undo->state, TASK_RUNNING);
	assert_int_equal(undo->guest, 7);
	char undo_upid[UPID_MAX];
	str_copy(undo_upid, sizeof(undo_upid), undo->upid);
	fixture_run_until(w->event, has_undone, NULL);
	autofree char *text_path = fixture_path("undo-args");
	autobuf text = BUF_INIT;
	autofields got = FIELDS_INIT;
	assert_int_equal(file_read(text_path, 65536, &text, NULL), 0);
	struct cursor c = cursor_on(text.data, text.size);
	assert_int_equal(fields_decode(&c, &got, NULL), 0);
	assert_string_equal(fields_get(&got, "size"), "8G");
	assert_null(fields_get(&got, "password"));
	autofree char *undo_file = job_file_undo(fields_get(&got, "undo-of"));
	assert_int_equal(access(undo_file, F_OK), 0); /* until it is done */
	write_status(undo_upid, "OK");
	fixture_release();
	wait_for_end(w);
	assert_string_equal(w->last, undo_upid);
	assert_int_equal(access(undo_file, F_OK), -1);
}

static bool has_given_up(void *ctx)
{
	return ((struct world *)ctx)->ended >= 4;
}

/* Not for ever: the next core tries again. */
static void undo_that_dies_runs_again(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	unsigned count = 0;

	start(w, (struct job_spec){.command = "die", .undo = "die", .id = "7", .guest = 7}, upid);
	fixture_run_until(w->event, has_given_up, w);
	for (const struct task *t = NULL; (t = jobs_next(w->jobs, t));) {
		assert_int_equal(t->state, TASK_STOPPED);
		count++;
	}
	assert_int_equal(count, 4);
	assert_false(jobs_guest_is_busy(w->jobs, 7));
	jobs_free(w->jobs);
	open_jobs(w);
	w->ended = 0;
	wait_for_end(w);
	assert_string_equal(w->last_text, "task died without a status (exit code 7)");
}

static bool has_undone_twice(void *ctx)
{
	(void)ctx;
	autofree char *text = fixture_read("undone");
	return str_eq(text, "undone\nundone\n");
}

static void end_undo(struct world *w, const char *text)
{
	char upid[UPID_MAX] = "";

	for (const struct task *t = NULL; (t = jobs_next(w->jobs, t));)
		if (t->state == TASK_RUNNING)
			str_copy(upid, sizeof(upid), t->upid);
	write_status(upid, text);
	fixture_release();
	wait_for_end(w);
	assert_string_equal(w->last_text, text);
}

static char *undo_file(void)
{
	autobuf text = BUF_INIT;
	autofields got = FIELDS_INIT;
	autofree char *path = fixture_path("undo-args");

	assert_int_equal(file_read(path, 65536, &text, NULL), 0);
	struct cursor c = cursor_on(text.data, text.size);
	assert_int_equal(fields_decode(&c, &got, NULL), 0);
	return job_file_undo(fields_get(&got, "undo-of"));
}

/* A storage that was away may be back later: what an undo needs is kept until one has succeeded. */
static void undo_that_fails_runs_again(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];

	start(w, (struct job_spec){.command = "die", .undo = "undo", .id = "7", .guest = 7}, upid);
	wait_for_end(w);
	fixture_run_until(w->event, has_undone, NULL);
	end_undo(w, "storage 'x' is not there");
	autofree char *path = undo_file();
	assert_int_equal(access(path, F_OK), 0);
	assert_false(jobs_guest_is_busy(w->jobs, 7));
	fixture_run_until(w->event, has_undone_twice, NULL);
	end_undo(w, "OK");
	assert_int_equal(access(path, F_OK), -1);
	assert_false(jobs_guest_is_busy(w->jobs, 7));
}

/* A job that could not put everything back: its task shows its own end, and its undo goes on until one has succeeded. */
static void undo_runs_after_an_unfinished_end(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];

	start(w, (struct job_spec){.command = "hold", .undo = "undo", .id = "7", .guest = 7}, upid);
	write_status(upid, "no space left\nundo");
	fixture_release();
	wait_for_end(w);
	assert_string_equal(w->last, upid);
	assert_string_equal(w->last_text, "no space left");
	fixture_run_until(w->event, has_undone, NULL);
	end_undo(w, "storage 'x' is not there");
	autofree char *path = undo_file();

	assert_int_equal(access(path, F_OK), 0);
	assert_true(jobs_guest_awaits_undo(w->jobs, 7));
	assert_false(jobs_guest_awaits_undo(w->jobs, 8));
	fixture_run_until(w->event, has_undone_twice, NULL);
	assert_false(jobs_guest_awaits_undo(w->jobs, 7));
	end_undo(w, "OK");
	assert_int_equal(access(path, F_OK), -1);
	assert_string_equal(jobs_find(w->jobs, upid)->exit_text, "no space left");
}

/* The core was killed before it saw that end. */
static void unfinished_end_is_seen_by_the_next_core(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	pid_t pid =
		start(w,
		      (struct job_spec){.command = "hold", .undo = "undo", .id = "7", .guest = 7},
		      upid)
			->id.pid;

	jobs_free(w->jobs);
	write_status(upid, "no space left\nundo");
	fixture_release();
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	open_jobs(w);
	fixture_run_until(w->event, has_undone, NULL);
	end_undo(w, "OK");
	autofree char *path = undo_file();

	assert_int_equal(access(path, F_OK), -1);
	assert_string_equal(jobs_find(w->jobs, upid)->exit_text, "no space left");
}

/* Another job has to wait until it is asked for again; what undoes has not. */
static void queue_of_a_guest_is_bounded(void **state)
{
	const struct job_spec spec = {
		.command = "hold", .id = "7", .user = "root@pam", .guest = 7, .fd = -1};
	struct world *w = *state;
	char upid[UPID_MAX];
	struct err err = ERR_INIT;
	autofields args = FIELDS_INIT;

	for (int i = 0; i < 16; i++)
		start(w, spec, upid);
	assert_int_equal(jobs_start(w->jobs, &spec, upid, &err), -ERR_BUSY);
	assert_non_null(strstr(err.message, "guest 7 has 16 tasks"));
	struct job_spec second = spec;
	second.guest = 8;
	second.other = 7;
	assert_int_equal(jobs_start(w->jobs, &second, upid, NULL), -ERR_BUSY);
	second.other = 0;
	assert_int_equal(jobs_start(w->jobs, &second, upid, NULL), 0);
	struct job_spec undo = spec;
	fields_add(&args, "undo-of", "boot");
	undo.args = &args;
	assert_int_equal(jobs_start(w->jobs, &undo, upid, NULL), 0);
	for (const struct task *t = NULL; (t = jobs_next(w->jobs, t));)
		kill(-t->id.pid, SIGKILL);
	while (w->ended < 18)
		sd_event_run(w->event, UINT64_MAX);
}

/* A power cut: nothing is left in the run folder. */
static void undo_runs_after_power_cut(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	const struct task *task = start(
		w, (struct job_spec){.command = "hold", .undo = "undo", .id = "7", .guest = 7},
		upid);
	pid_t pid = task->id.pid;
	autofree char *record = job_file_record(upid);

	jobs_free(w->jobs);
	siginfo_t gone;
	kill(-pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &gone, WEXITED | WNOWAIT), 0);
	unlink(record);
	open_jobs(w);
	const struct task *undo = jobs_next(w->jobs, NULL);
	if (str_eq(undo->upid, upid)) /* in the same second either may come first */
		undo = jobs_next(w->jobs, undo);
	assert_string_equal(undo->id.type, "undo");
	char undo_upid[UPID_MAX];
	str_copy(undo_upid, sizeof(undo_upid), undo->upid);
	assert_int_equal(jobs_find(w->jobs, upid)->state, TASK_STOPPED);
	/* Again, while it runs: no second one. */
	jobs_free(w->jobs);
	open_jobs(w);
	unsigned running = 0;
	for (const struct task *t = NULL; (t = jobs_next(w->jobs, t));)
		running += t->state == TASK_RUNNING;
	assert_int_equal(running, 1);
	write_status(undo_upid, "OK");
	fixture_release();
	wait_for_end(w);
	jobs_free(w->jobs);
	open_jobs(w);
	for (const struct task *t = NULL; (t = jobs_next(w->jobs, t));)
		assert_int_equal(t->state, TASK_STOPPED);
}

static void no_undo_after_a_status(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];

	start(w, (struct job_spec){.command = "hold", .undo = "undo", .id = "7", .guest = 7}, upid);
	write_status(upid, "no space left");
	fixture_release();
	wait_for_end(w);
	assert_string_equal(w->last_text, "no space left");
	jobs_free(w->jobs);
	open_jobs(w);
	assert_null(jobs_next(w->jobs, jobs_next(w->jobs, NULL)));
}

/* However many are left: either a job runs and is known, or nothing was started. */
static void start_out_of_descriptors(void **state)
{
	struct world *w = *state;
	const struct job_spec spec = {
		.command = "hold", .undo = "undo", .user = "root@pam", .fd = -1};
	struct err err = ERR_INIT;
	char upid[UPID_MAX];
	int r = -1, left = 0;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue; /* of other tests */
	for (; r < 0; left++) {
		assert_true(left < 20);
		fixture_allow_descriptors(left);
		r = jobs_start(w->jobs, &spec, upid, &err);
		fixture_allow_descriptors(-1);
		if (r == 0)
			break;
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child, no zombie */
		assert_null(jobs_next(w->jobs, NULL));
	}
	assert_true(left > 0);
	const struct task *task = jobs_find(w->jobs, upid);
	assert_int_equal(task->state, TASK_RUNNING);
	assert_true(exec_child_start(task->id.pid) == task->id.pid_start);
	write_status(upid, "OK");
	kill(-task->id.pid, SIGKILL); /* unless it ended for want of descriptors, too */
	wait_for_end(w);
	assert_string_equal(w->last_text, "OK");
}

static void order_of_a_guest(void **state)
{
	struct world *w = *state;
	char first[UPID_MAX], second[UPID_MAX];
	struct job_record record = {0};

	start(w, (struct job_spec){.command = "hold", .id = "5", .guest = 5}, first);
	jobs_free(w->jobs);
	open_jobs(w); /* the order survives the core */
	start(w, (struct job_spec){.command = "hold", .id = "5", .guest = 5}, second);
	autofree char *path = job_file_record(second);
	assert_int_equal(job_record_read(path, &record, NULL), 0);
	assert_string_equal(record.after, first);
	job_record_fini(&record);
	char third[UPID_MAX];
	jobs_free(w->jobs);
	open_jobs(w); /* whichever record it finds first */
	start(w, (struct job_spec){.command = "hold", .id = "5", .guest = 5}, third);
	autofree char *third_path = job_file_record(third);
	assert_int_equal(job_record_read(third_path, &record, NULL), 0);
	/* both: the second may be stopped while it waits */
	assert_non_null(strstr(record.after, first));
	assert_non_null(strstr(record.after, second));
	assert_int_equal(strlen(record.after), strlen(first) + 1 + strlen(second));
	job_record_fini(&record);
	assert_int_equal(jobs_stop(w->jobs, third, NULL), 0);
	wait_for_end(w);
	assert_int_equal(jobs_stop(w->jobs, first, NULL), 0);
	wait_for_end(w);
	assert_int_equal(jobs_stop(w->jobs, second, NULL), 0);
	wait_for_end(w);
}

/* In whatever order. */
static void expect_after(const char *upid, const char *const *expected)
{
	struct job_record record = {0};
	autofree char *path = job_file_record(upid);
	size_t count = 0;

	assert_int_equal(job_record_read(path, &record, NULL), 0);
	autostrv char **after = str_split(record.after, " ");

	for (; expected[count]; count++)
		assert_true(strv_has(after, expected[count]));
	for (size_t i = 0; i <= count; i++)
		assert_true((after[i] == NULL) == (i == count));
	job_record_fini(&record);
}

/* A job on two guests comes after both, and before whatever comes next on either. */
static void order_of_two_guests(void **state)
{
	struct world *w = *state;
	char first[UPID_MAX], second[UPID_MAX], both[UPID_MAX], third[UPID_MAX], fourth[UPID_MAX];
	const char *all[] = {first, second, both, third, fourth};

	start(w, (struct job_spec){.command = "hold", .id = "5", .guest = 5}, first);
	start(w, (struct job_spec){.command = "hold", .id = "6", .guest = 6}, second);
	start(w, (struct job_spec){.command = "hold", .id = "5", .guest = 5, .other = 6}, both);
	expect_after(both, (const char *const[]){first, second, NULL});
	assert_true(jobs_guest_is_busy(w->jobs, 6));
	jobs_free(w->jobs);
	open_jobs(w); /* the order survives the core */
	start(w, (struct job_spec){.command = "hold", .id = "5", .guest = 5}, third);
	start(w, (struct job_spec){.command = "hold", .id = "6", .guest = 6}, fourth);
	expect_after(third, (const char *const[]){first, both, NULL});
	expect_after(fourth, (const char *const[]){second, both, NULL});
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(jobs_stop(w->jobs, all[i], NULL), 0);
		wait_for_end(w);
	}
}

/* While one waits that starts it, the guest may run before the next change of it counts. */
static void a_guest_may_start(void **state)
{
	static const struct {
		const char *command;
		bool starts;
	} cases[] = {{"hold", false}, {"hold-start", true}, {"hold-reboot", true}};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char upid[UPID_MAX];

		start(w, (struct job_spec){.command = cases[i].command, .id = "5", .guest = 5},
		      upid);
		assert_true(jobs_guest_is_busy(w->jobs, 5));
		assert_true(jobs_guest_may_start(w->jobs, 5) == cases[i].starts);
		assert_false(jobs_guest_may_start(w->jobs, 6));
		assert_int_equal(jobs_stop(w->jobs, upid, NULL), 0);
		wait_for_end(w);
		assert_false(jobs_guest_may_start(w->jobs, 5));
	}
}

static void stop_ends_a_job(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	struct err err = ERR_INIT;

	start(w, (struct job_spec){.command = "hold"}, upid);
	assert_int_equal(jobs_stop(w->jobs, upid, &err), 0);
	wait_for_end(w);
	assert_string_equal(w->last_text, "interrupted by signal");
	assert_int_equal(jobs_stop(w->jobs, upid, &err), 0); /* it ended: fine */
	assert_int_equal(jobs_stop(w->jobs, "UPID:x", &err), -ERR_NOT_FOUND);
	assert_string_equal(err.message, "no such task");
}

static void descriptor_is_passed(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	int fd = -1;

	assert_int_equal(fd_memfd_sealed("x", "payload", 7, &fd, NULL), 0);
	start(w, (struct job_spec){.command = "passed", .fd = fd}, upid);
	close(fd);
	wait_for_end(w);
	autofree char *text = fixture_read("passed");
	assert_string_equal(text, "payload");
}

static void failed_start_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;
	char upid[UPID_MAX];
	const struct job_spec spec = {
		.program = JOB_VM, .command = "hold", .undo = "undo", .user = "root@pam", .fd = -1};
	const struct job_spec nobody = {.command = "hold", .user = "", .fd = -1};

	assert_int_equal(jobs_start(w->jobs, &spec, upid, &err), -ERR_NOT_FOUND);
	assert_int_equal(jobs_start(w->jobs, &nobody, upid, &err), -ERR_INVALID);
	assert_null(jobs_next(w->jobs, NULL));
	jobs_free(w->jobs);
	open_jobs(w);
	assert_null(jobs_next(w->jobs, NULL));
}

/* A name of any script, and parts that are too long together: a volume's name is cut, a guest's number is not. */
static void names_of_tasks(void **state)
{
	static const char volume[] = "local-btrfs:101/vm-101-disk-0-of-a-name-that-goes-on-and-on-"
				     "and-on-and-on-and-on-and-on.qcow2";
	struct world *w = *state;
	autofree char *user = xasprintf("j\xc3\xb6rg@pve!%0*d", 117, 1);
	struct job_spec spec = {.command = "hold", .id = volume, .user = user, .fd = -1};
	struct err err = ERR_INIT;
	char upid[UPID_MAX];

	if (jobs_start(w->jobs, &spec, upid, &err) < 0)
		fail_msg("%s", err.message);
	assert_in_range(strlen(upid), 247, 248); /* by the digits of a number */
	assert_string_equal(jobs_find(w->jobs, upid)->id.user, user);
	assert_true(str_starts(jobs_find(w->jobs, upid)->id.id, "local-btrfs-101-"));
	write_status(upid, "OK");
	fixture_release();
	wait_for_end(w);
	assert_string_equal(w->last_text, "OK");
	jobs_free(w->jobs);
	open_jobs(w);
	assert_string_equal(jobs_find(w->jobs, upid)->exit_text, "OK");

	spec.id = "123456789";
	spec.guest = 123456789;
	if (jobs_start(w->jobs, &spec, upid, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(jobs_find(w->jobs, upid)->id.id, "123456789");
	fixture_release();
	wait_for_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(starts_and_ends),
		WITH(death_without_status_is_an_error),
		WITH(undo_runs_after_death),
		WITH(undo_that_dies_runs_again),
		WITH(undo_that_fails_runs_again),
		WITH(undo_runs_after_an_unfinished_end),
		WITH(unfinished_end_is_seen_by_the_next_core),
		WITH(queue_of_a_guest_is_bounded),
		WITH(undo_runs_after_power_cut),
		WITH(no_undo_after_a_status),
		WITH(start_out_of_descriptors),
		WITH(order_of_a_guest),
		WITH(order_of_two_guests),
		WITH(a_guest_may_start),
		WITH(stop_ends_a_job),
		WITH(descriptor_is_passed),
		WITH(failed_start_leaves_nothing),
		WITH(names_of_tasks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
