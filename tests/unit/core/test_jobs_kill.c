/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core that is killed by SIGKILL while it starts jobs: whatever the moment, the next one finds
 * every living job, undoes every dead one, and leaves no file behind. This program is also the job
 * program. */
#include "tests/unit/core/fixture.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "agent/base/cursor.h"
#include "agent/base/exec.h"
#include "agent/base/str.h"
#include "agent/core/job_files.h"
#include "agent/core/jobs.h"

#define ROUNDS 24

/* The job */

static int read_args(struct fields *args, struct upid *id)
{
	autobuf text = BUF_INIT;

	if (fd_read_all(STDIN_FILENO, 1 << 20, &text, NULL) < 0)
		return -1;
	struct cursor c = cursor_on(text.data, text.size);
	if (fields_decode(&c, args, NULL) < 0)
		return -1;
	*id = (struct upid){.pid = getpid(), .pid_start = exec_pid_start(getpid())};
	str_copy(id->node, sizeof(id->node), fields_get(args, "node"));
	str_copy(id->type, sizeof(id->type), fields_get(args, "type"));
	str_copy(id->id, sizeof(id->id), fields_get(args, "id"));
	str_copy(id->user, sizeof(id->user), fields_get(args, "user"));
	return str_to_u64(fields_get(args, "starttime"), &id->start_time) ? 0 : -1;
}

/* As every job does: the core may have been killed before it did. */
static int claim(const struct fields *args, const struct upid *id, const char *upid,
		 const char *command)
{
	autorecord record = {.program = JOB_CT, .guest = 7};

	str_copy(record.serial, sizeof(record.serial), fields_get(args, "serial"));
	record.boot = xstrdup(exec_boot_id());
	record.command = xstrdup(command);
	record.undo = xstrdup(fields_get(args, "undo"));
	fields_add(&record.args, "undo-of", fields_get(args, "undo-of"));
	autobuf text = BUF_INIT;
	autofree char *path = job_file_record(upid);
	autofree char *temp = xasprintf("%s/jobs/.%d", fixture_dir, (int)getpid());
	job_record_encode(&record, &text);
	if (job_log_rename(record.serial, id, upid, NULL) < 0 ||
	    file_write_atomic(temp, text.data, text.size, 0600, NULL) < 0)
		return -1;
	renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE);
	unlink(temp);
	return 0;
}

static int be_job(const char *command)
{
	autofields args = FIELDS_INIT;
	struct upid id;
	char upid[UPID_MAX];

	alarm(60);
	str_copy(fixture_dir, sizeof(fixture_dir), getenv("LODGE_RUN_DIR"));
	if (read_args(&args, &id) < 0 || upid_format(&id, upid, NULL) < 0 ||
	    claim(&args, &id, upid, command) < 0)
		return 1;
	if (str_eq(command, "hold"))
		pause(); /* until it is stopped, without a status */
	autofree char *status = job_file_log(&id, upid, ".status");
	return file_write_atomic(status, "1 OK\n", 5, 0644, NULL) < 0;
}

/* The core that dies */

static void be_core(int ready)
{
	const struct job_spec spec = {.program = JOB_CT,
				      .command = "hold",
				      .undo = "undo",
				      .id = "7",
				      .user = "root@pam",
				      .guest = 7,
				      .fd = -1};
	sd_event *event = NULL;
	struct jobs *jobs = NULL;
	char upid[UPID_MAX];

	if (sd_event_new(&event) < 0 || jobs_new(event, "alpha", &jobs, NULL) < 0)
		_exit(1);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (int i = 0; i < 3; i++)
		if (jobs_start(jobs, &spec, upid, NULL) < 0)
			_exit(1);
	for (;;)
		pause();
}

static void run_and_kill_core(unsigned delay)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0)
		be_core(ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	usleep(delay); /* the moment is what the test varies */
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The core that comes after */

static unsigned count_files(const char *folder, const char *prefix)
{
	autofree char *path = fixture_path(folder);
	DIR *dir = opendir(path);
	unsigned count = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += str_starts(entry->d_name, prefix);
	closedir(dir);
	return count;
}

static unsigned count_logs(const char *folder)
{
	autofree char *path = fixture_path(folder);
	DIR *dir = opendir(path);
	struct upid id;
	unsigned count = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += upid_parse(entry->d_name, &id, NULL) == 0;
	closedir(dir);
	return count;
}

/* A record may come a moment after the log got its name, and the log its name while this looks: the
 * first names are counted first, since none comes back. */
static bool all_claimed(void *ctx)
{
	unsigned logs = 0, known = 0;

	if (count_files("tasks", "new-") > 0)
		return false;
	for (unsigned digit = 0; digit < 16; digit++) {
		char folder[16];

		snprintf(folder, sizeof(folder), "tasks/%X", digit);
		logs += count_logs(folder);
	}
	for (const struct task *t = NULL; (t = jobs_next(ctx, t));)
		known++;
	return logs <= known;
}

/* The undo of one that was stopped before its record came is started a moment later. */
static bool none_running(void *ctx)
{
	if (!jobs_are_known(ctx))
		return false;
	for (const struct task *t = NULL; (t = jobs_next(ctx, t));)
		if (t->state == TASK_RUNNING)
			return false;
	return true;
}

static unsigned count_tasks(struct jobs *jobs, const char *type)
{
	unsigned count = 0;

	for (const struct task *t = NULL; (t = jobs_next(jobs, t));)
		count += str_eq(t->id.type, type);
	return count;
}

static void stop_all(struct jobs *jobs)
{
	for (const struct task *t = NULL; (t = jobs_next(jobs, t));)
		if (t->state == TASK_RUNNING && str_eq(t->id.type, "hold"))
			assert_int_equal(jobs_stop(jobs, t->upid, NULL), 0);
}

static void check_next_core(void)
{
	sd_event *event = NULL;
	struct jobs *jobs = NULL;

	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(jobs_new(event, "alpha", &jobs, NULL), 0);
	/* Waits for logs that a living job still holds: those come by inotify. */
	fixture_run_until(event, all_claimed, jobs);
	unsigned holds = count_tasks(jobs, "hold");
	stop_all(jobs);
	fixture_run_until(event, none_running, jobs);
	assert_int_equal(count_tasks(jobs, "hold"), holds);
	assert_true(count_tasks(jobs, "undo") >= holds);
	assert_int_equal(count_files("tasks", "undo-"), 0);
	assert_int_equal(count_files("tasks", "new-"), 0);
	assert_int_equal(count_files("jobs", "UPID"), 0);
	jobs_free(jobs);
	sd_event_unref(event);
}

static void killed_at_any_moment(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		fixture_make();
		autofree char *program = fixture_path("lodge-task-ct");
		unlink(program);
		char self[4096] = "";
		assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
		assert_int_equal(symlink(self, program), 0);
		run_and_kill_core(round * round * 60); /* 0 to 32 ms */
		check_next_core();
		fixture_remove();
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(killed_at_any_moment)};

	if (argc > 1)
		return be_job(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
