/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs of a core that went away: found again, claimed late, dead before they claimed anything, undone once. */
#include "tests/unit/core/jobs_world.h"

#include <sys/wait.h>

#include "agent/base/cursor.h"
#include "agent/base/exec.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(running_job_is_found_again),
		WITH(unclaimed_job_is_found_by_inotify),
		WITH(unclaimed_job_that_dies_is_undone),
		WITH(unclaimed_job_dies_unasked),
		WITH(dead_job_is_undone_after_another_is_known),
		WITH(fast_job_of_an_earlier_core_is_not_undone),
		WITH(beginning_out_of_descriptors),
		WITH(watching_out_of_descriptors),
		WITH(orphaned_log_is_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
