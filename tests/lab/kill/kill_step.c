/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kills a program before one of its steps (steps.h), by ptrace: the program itself knows nothing of it. Stands in the
 * place of a job program, or takes hold of a process that runs.
 *
 *   kill-step job FOLDER PROGRAM COMMAND…   becomes PROGRAM. Where there is FOLDER/arm-COMMAND, "STEP HOW CORE
 *                                           LABEL", this very process is killed before its step; the arm is used up,
 *                                           arm-COMMAND.next takes its place
 *   kill-step core FOLDER PID STEP          takes hold of PID; FOLDER/ready-core appears when it has
 *
 * HOW: one (the process whose step it is), leader (PROGRAM itself; what it started goes on), all (with everything it
 * started), core (all, and process CORE), cut (core, and what the core noted about undoing is gone, as after a power
 * cut). STEP 0 only counts. FOLDER/done-LABEL (done-core) appears at the end: "killed" or "ended", the number of steps
 * and who was killed (all, leader or child, core; after it "core" or, where that failed, "no-core"), then the steps'
 * names, one a line. SIGTERM lets a held core go. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold.h"

/* ---- a job ---- */

static bool read_arm(struct hold *hold, const char *command)
{
	char path[512], next[520];
	int core = 0;

	snprintf(path, sizeof(path), "%s/arm-%s", hold->folder, command);
	snprintf(next, sizeof(next), "%s.next", path);
	FILE *f = fopen(path, "re");
	int n = f ? fscanf(f, "%ld %7s %d %31s", &hold->step, hold->how, &core, hold->label) : 0;

	if (f)
		fclose(f);
	hold->core = core;
	if (n != 4 || unlink(path) != 0)
		return false;
	(void)rename(next, path);
	return true;
}

static void become_tracer(struct hold *hold, pid_t job, int ready)
{
	setsid();
	hold_seize(hold, job);
	if (write(ready, "", 1) != 1)
		die("write");
	close_range(0, ~0u, 0); /* the log's lock and the pipes are the job's alone */
	open("/dev/null", O_RDWR);
	hold_follow(hold);
	_exit(0);
}

static void fork_tracer(struct hold *hold)
{
	pid_t job = getpid();
	int pipe_fds[2];
	char c;

	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		die("pipe");
	pid_t between = fork();

	if (between == 0) {
		if (fork() == 0)
			become_tracer(hold, job, pipe_fds[1]);
		_exit(0);
	}
	close(pipe_fds[1]);
	waitpid(between, NULL, 0);
	while (read(pipe_fds[0], &c, 1) < 0 && errno == EINTR)
		continue;
	close(pipe_fds[0]);
}

_Noreturn static void run_job(struct hold *hold, char **argv)
{
	if (argv[1] && read_arm(hold, argv[1]))
		fork_tracer(hold);
	execv(argv[0], argv);
	die(argv[0]);
}

/* ---- the core ---- */

static void on_term(int signo)
{
	(void)signo;
	hold_release();
}

static void seize_threads(struct hold *hold)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)hold->core);
	DIR *dir = opendir(path);

	if (!dir)
		die(path);
	for (struct dirent *entry; (entry = readdir(dir));) {
		pid_t tid = atoi(entry->d_name);

		if (tid > 0)
			hold_seize(hold, tid);
	}
	closedir(dir);
}

static int run_core(struct hold *hold, const char *pid, const char *step)
{
	const struct sigaction action = {.sa_handler = on_term};

	strcpy(hold->label, "core");
	hold->is_core = hold->has_begun = true;
	hold->core = atoi(pid);
	hold->step = atol(step);
	sigaction(SIGTERM, &action, NULL);
	seize_threads(hold);
	hold_write(hold, "ready", "\n", NULL);
	hold_follow(hold);
	return 0;
}

int main(int argc, char **argv)
{
	static struct hold hold;

	if (argc < 5)
		return 2;
	hold.folder = argv[2];
	if (strcmp(argv[1], "job") == 0)
		run_job(&hold, argv + 3);
	if (strcmp(argv[1], "core") == 0)
		return run_core(&hold, argv[3], argv[4]);
	return 2;
}
