/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs as real processes: start, end, death, undo, stop, and a core that went away meanwhile. */
#include "tests/unit/core/fixture.h"

#include <signal.h>
#include <sys/wait.h>

#include "agent/base/cursor.h"
#include "agent/base/exec.h"
#include "agent/base/str.h"
#include "agent/core/job_files.h"
#include "agent/core/jobs.h"

struct world {
	sd_event *event;
	struct jobs *jobs;
	unsigned begun, ended;
	char last[UPID_MAX];
	char last_text[256];
};

static void on_ended(const struct task *task, void *ctx)
{
	struct world *w = ctx;

	w->ended++;
	str_copy(w->last, sizeof(w->last), task->upid);
	str_copy(w->last_text, sizeof(w->last_text), task->exit_text);
}

static void on_begun(const struct task *task, void *ctx)
{
	(void)task;
	((struct world *)ctx)->begun++;
}

static void open_jobs(struct world *w)
{
	struct err err = ERR_INIT;

	if (jobs_new(w->event, "alpha", &w->jobs, &err) < 0)
		fail_msg("%s", err.message);
	jobs_on_begun(w->jobs, on_begun, w);
	jobs_on_ended(w->jobs, on_ended, w);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	fixture_make();
	assert_true(sd_event_new(&w->event) >= 0);
	open_jobs(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	for (const struct task *t = NULL; (t = jobs_next(w->jobs, t));)
		if (t->state == TASK_RUNNING) /* of a test that failed */
			kill(-t->id.pid, SIGKILL);
	jobs_free(w->jobs);
	sd_event_unref(w->event);
	free(w);
	fixture_remove();
	return 0;
}

static const struct task *start(struct world *w, struct job_spec spec, char upid[UPID_MAX])
{
	struct err err = ERR_INIT;

	spec.user = "root@pam";
	if (!spec.args && spec.fd == 0)
		spec.fd = -1;
	if (jobs_start(w->jobs, &spec, upid, &err) < 0)
		fail_msg("%s", err.message);
	return jobs_find(w->jobs, upid);
}

static void write_status(const char *upid, const char *text)
{
	struct upid id;

	assert_int_equal(upid_parse(upid, &id, NULL), 0);
	job_status_leave(&id, upid, 1234567890, text);
}

static bool has_ended(void *ctx)
{
	return ((struct world *)ctx)->ended > 0;
}

static void wait_for_end(struct world *w)
{
	w->ended = 0;
	fixture_run_until(w->event, has_ended, w);
}

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

static bool has_undone(void *ctx)
{
	(void)ctx;
	autofree char *text = fixture_read("undone");
	return text[0] != '\0';
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

static void running_job_is_found_again(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];

	start(w, (struct job_spec){.command = "hold", .id = "9", .guest = 9}, upid);
	jobs_free(w->jobs);
	open_jobs(w);
	assert_int_equal(jobs_find(w->jobs, upid)->state, TASK_RUNNING);
	assert_true(jobs_guest_is_busy(w->jobs, 9));
	write_status(upid, "OK");
	fixture_release();
	wait_for_end(w);
	assert_string_equal(w->last, upid);
	assert_string_equal(w->last_text, "OK");
}

/* The core died after the spawn: neither record nor final name. The job claims them later. */
static void unclaimed_job_is_found_by_inotify(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	struct upid id;

	start(w, (struct job_spec){.command = "hold", .undo = "undo", .id = "9", .guest = 9}, upid);
	autofree char *record_path = job_file_record(upid);
	struct job_record record = {0};
	assert_int_equal(job_record_read(record_path, &record, NULL), 0);
	jobs_free(w->jobs);
	upid_parse(upid, &id, NULL);
	autofree char *log = job_file_log(&id, upid, "");
	autofree char *new_log = job_file_new_log(record.serial);
	unlink(record_path);
	assert_int_equal(rename(log, new_log), 0);
	open_jobs(w);
	assert_null(jobs_next(w->jobs, NULL)); /* unknown, and left alone */
	assert_false(jobs_are_known(w->jobs));
	assert_int_equal(access(new_log, F_OK), 0);
	assert_int_equal(job_record_leave(upid, &record, NULL), 0);
	job_record_fini(&record);
	for (int i = 0; i < 10 && !jobs_find(w->jobs, upid); i++)
		assert_true(sd_event_run(w->event, USEC_PER_SEC) >= 0);
	assert_int_equal(jobs_find(w->jobs, upid)->state, TASK_RUNNING);
	assert_true(jobs_are_known(w->jobs));
	assert_int_equal(access(log, F_OK), 0);
	write_status(upid, "OK");
	fixture_release();
	wait_for_end(w);
	assert_string_equal(w->last_text, "OK");
}

/* The core died after the spawn, and the job before it could claim anything. */
static void unclaimed_job_that_dies_is_undone(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	struct upid id;
	siginfo_t gone;

	start(w, (struct job_spec){.command = "hold", .undo = "undo", .id = "9", .guest = 9}, upid);
	autofree char *record_path = job_file_record(upid);
	autorecord record = {0};
	assert_int_equal(job_record_read(record_path, &record, NULL), 0);
	jobs_free(w->jobs);
	upid_parse(upid, &id, NULL);
	autofree char *log = job_file_log(&id, upid, "");
	autofree char *new_log = job_file_new_log(record.serial);
	unlink(record_path);
	assert_int_equal(rename(log, new_log), 0);
	open_jobs(w);
	assert_false(jobs_are_known(w->jobs));
	kill(-id.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)id.pid, &gone, WEXITED | WNOWAIT), 0);
	assert_true(jobs_are_known(w->jobs));
	assert_string_equal(jobs_next(w->jobs, NULL)->id.type, "undo");
	fixture_run_until(w->event, has_undone, NULL);
	write_status(jobs_next(w->jobs, NULL)->upid, "OK");
	fixture_release();
	wait_for_end(w);
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

static void run_for_a_while(struct world *w)
{
	for (int i = 0; i < 10; i++)
		assert_true(sd_event_run(w->event, 10 * USEC_PER_MSEC) >= 0);
}

/* Takes from a job what it did to be known; the core is gone meanwhile. */
static void take_claim(const char *upid, struct job_record *ret)
{
	autofree char *record_path = job_file_record(upid);
	autofree char *log = jobs_log_path(NULL, upid);

	assert_int_equal(job_record_read(record_path, ret, NULL), 0);
	autofree char *new_log = job_file_new_log(ret->serial);
	unlink(record_path);
	assert_int_equal(rename(log, new_log), 0);
}

/* It names its log, and then leaves its record. */
static void name_log(const char *upid, const struct job_record *record)
{
	struct upid id;

	assert_int_equal(upid_parse(upid, &id, NULL), 0);
	assert_int_equal(job_log_rename(record->serial, &id, upid, NULL), 0);
}

/* A job of an earlier core that did not come to name its log and to leave its record yet. */
static void make_unclaimed(struct world *w, char upid[UPID_MAX], struct job_record *ret)
{
	start(w, (struct job_spec){.command = "hold", .undo = "undo", .id = "9", .guest = 9}, upid);
	jobs_free(w->jobs);
	take_claim(upid, ret);
	w->begun = 0;
	open_jobs(w);
}

static void kill_unreaped(const char *upid)
{
	struct upid id;
	siginfo_t gone;

	assert_int_equal(upid_parse(upid, &id, NULL), 0);
	kill(-id.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)id.pid, &gone, WEXITED | WNOWAIT), 0);
}

static const struct task *find_type(struct world *w, const char *type)
{
	for (const struct task *t = NULL; (t = jobs_next(w->jobs, t));)
		if (str_eq(t->id.type, type))
			return t;
	return NULL;
}

static void end_undo(struct world *w)
{
	fixture_run_until(w->event, has_undone, NULL);
	write_status(find_type(w, "undo")->upid, "OK");
	fixture_release();
	wait_for_end(w);
	assert_string_equal(w->last_text, "OK");
}

/* Nothing tells of it and nobody asks. */
static void unclaimed_job_dies_unasked(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	autorecord record = {0};

	make_unclaimed(w, upid, &record);
	autofree char *new_log = job_file_new_log(record.serial);
	kill_unreaped(upid);
	end_undo(w);
	assert_true(jobs_are_known(w->jobs));
	assert_int_equal(access(new_log, F_OK), -1);
}

/* It claimed its log after the next core's first look, and died while another job that might have
 * been its undo job was still unknown. */
static void dead_job_is_undone_after_another_is_known(void **state)
{
	struct world *w = *state;
	char dead[UPID_MAX], late[UPID_MAX];
	autorecord dead_record = {0}, late_record = {0};

	start(w, (struct job_spec){.command = "hold", .undo = "undo", .id = "7", .guest = 7}, dead);
	start(w, (struct job_spec){.command = "hold", .id = "8", .guest = 8}, late);
	jobs_free(w->jobs);
	take_claim(dead, &dead_record);
	take_claim(late, &late_record);
	name_log(late, &late_record);
	open_jobs(w);
	name_log(dead, &dead_record);
	assert_int_equal(job_record_leave(dead, &dead_record, NULL), 0);
	kill_unreaped(dead);
	wait_for_end(w);
	assert_string_equal(w->last, dead);
	assert_null(find_type(w, "undo"));
	assert_int_equal(job_record_leave(late, &late_record, NULL), 0);
	fixture_run_until(w->event, has_undone, NULL);
	assert_int_equal(jobs_stop(w->jobs, late, NULL), 0); /* it reads the same fifo */
	wait_for_end(w);
	end_undo(w);
}

/* Its end may be seen before its record is: what it did stays. */
static void fast_job_of_an_earlier_core_is_not_undone(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	autorecord record = {0};

	start(w, (struct job_spec){.command = "hold", .undo = "undo", .id = "9", .guest = 9}, upid);
	jobs_free(w->jobs);
	autofree char *path = job_file_record(upid);
	autofree char *aside = fixture_path("record");
	assert_int_equal(link(path, aside), 0);
	take_claim(upid, &record);
	name_log(upid, &record);
	open_jobs(w);
	assert_int_equal(link(aside, path), 0); /* no rename: its event does not come */
	write_status(upid, "OK");
	fixture_release();
	wait_for_end(w);
	assert_string_equal(w->last_text, "OK");
	assert_true(jobs_are_known(w->jobs));
	assert_null(find_type(w, "undo"));
	autofree char *undo_file = job_file_undo(record.serial);
	assert_int_equal(access(undo_file, F_OK), -1);
	assert_int_equal(access(path, F_OK), -1);
}

static bool has_begun(void *ctx)
{
	return ((struct world *)ctx)->begun > 0;
}

/* Found while its process could not be looked at: it begins when that was seen, once. */
static void beginning_out_of_descriptors(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	autorecord record = {0};

	make_unclaimed(w, upid, &record);
	assert_int_equal(job_record_leave(upid, &record, NULL), 0);
	fixture_allow_descriptors(1);
	run_for_a_while(w); /* enough for its record, or for its process */
	fixture_allow_descriptors(-1);
	assert_int_equal(jobs_find(w->jobs, upid)->state, TASK_RUNNING);
	assert_int_equal(w->begun, 0);
	fixture_run_until(w->event, has_begun, w);
	write_status(upid, "OK");
	fixture_release();
	wait_for_end(w);
	assert_int_equal(w->begun, 1);
}

/* What cannot be read now is neither dead nor without a status. */
static void watching_out_of_descriptors(void **state)
{
	struct world *w = *state;
	char upid[UPID_MAX];
	autorecord record = {0};
	siginfo_t gone;

	make_unclaimed(w, upid, &record);
	autofree char *fifo_path = fixture_path("fifo");
	struct upid id;
	assert_int_equal(upid_parse(upid, &id, NULL), 0);
	pid_t pid = id.pid;
	assert_int_equal(job_record_leave(upid, &record, NULL), 0);
	autofd int fifo = open(fifo_path, O_WRONLY | O_CLOEXEC);
	fixture_allow_descriptors(0);
	run_for_a_while(w); /* the event of its record comes */
	assert_null(jobs_find(w->jobs, upid));
	fixture_allow_descriptors(-1);
	w->ended = 0;
	for (int i = 0; i < 500 && !jobs_find(w->jobs, upid); i++)
		run_for_a_while(w);
	assert_int_equal(jobs_find(w->jobs, upid)->state, TASK_RUNNING);

	write_status(upid, "OK");
	fixture_allow_descriptors(0);
	assert_int_equal(write(fifo, "\n", 1), 1);
	assert_int_equal(waitid(P_PID, (id_t)pid, &gone, WEXITED | WNOWAIT), 0);
	run_for_a_while(w);
	assert_int_equal(w->ended, 0);
	fixture_allow_descriptors(-1);
	wait_for_end(w);
	assert_string_equal(w->last_text, "OK");
	assert_false(fixture_exists("undone"));
}

/* The core died before the spawn. */
static void orphaned_log_is_removed(void **state)
{
	struct world *w = *state;
	static const char serial[] = "0123456789abcdef0123456789abcdef";
	autofree char *path = job_file_new_log(serial);
	int fd = -1;

	assert_int_equal(job_log_create(serial, &fd, NULL), 0);
	jobs_free(w->jobs);
	open_jobs(w);
	assert_int_equal(access(path, F_OK), 0); /* held: by this process */
	close(fd);
	jobs_free(w->jobs);
	open_jobs(w);
	assert_int_equal(access(path, F_OK), -1);
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
	assert_string_equal(record.after, second);
	job_record_fini(&record);
	assert_int_equal(jobs_stop(w->jobs, third, NULL), 0);
	wait_for_end(w);
	assert_int_equal(jobs_stop(w->jobs, first, NULL), 0);
	wait_for_end(w);
	assert_int_equal(jobs_stop(w->jobs, second, NULL), 0);
	wait_for_end(w);
}

static void expect_after(const char *upid, const char *expected)
{
	struct job_record record = {0};
	autofree char *path = job_file_record(upid);

	assert_int_equal(job_record_read(path, &record, NULL), 0);
	assert_string_equal(record.after, expected);
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
	autofree char *expected = xasprintf("%s %s", first, second);

	expect_after(both, expected);
	assert_true(jobs_guest_is_busy(w->jobs, 6));
	jobs_free(w->jobs);
	open_jobs(w); /* the order survives the core */
	start(w, (struct job_spec){.command = "hold", .id = "5", .guest = 5}, third);
	start(w, (struct job_spec){.command = "hold", .id = "6", .guest = 6}, fourth);
	expect_after(third, both);
	expect_after(fourth, both);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(jobs_stop(w->jobs, all[i], NULL), 0);
		wait_for_end(w);
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

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(starts_and_ends),
		WITH(death_without_status_is_an_error),
		WITH(undo_runs_after_death),
		WITH(undo_runs_after_power_cut),
		WITH(no_undo_after_a_status),
		WITH(running_job_is_found_again),
		WITH(unclaimed_job_is_found_by_inotify),
		WITH(unclaimed_job_that_dies_is_undone),
		WITH(start_out_of_descriptors),
		WITH(beginning_out_of_descriptors),
		WITH(watching_out_of_descriptors),
		WITH(unclaimed_job_dies_unasked),
		WITH(dead_job_is_undone_after_another_is_known),
		WITH(fast_job_of_an_earlier_core_is_not_undone),
		WITH(orphaned_log_is_removed),
		WITH(order_of_a_guest),
		WITH(order_of_two_guests),
		WITH(stop_ends_a_job),
		WITH(descriptor_is_passed),
		WITH(failed_start_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
