/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kills a program before one of its steps (steps.h), by ptrace: the program itself knows nothing of it. Stands in the
 * place of a job program, or takes hold of a process that runs.
 *
 *   kill-step job FOLDER PROGRAM COMMAND…   becomes PROGRAM. Where there is FOLDER/arm-COMMAND, "STEP HOW CORE
 *                                           LABEL", this very process is killed before its step; the arm is used up,
 *                                           arm-COMMAND.next takes its place
 *   kill-step core FOLDER PID STEP          takes hold of PID; FOLDER/ready-core appears when it has
 *
 * HOW: one (the process whose step it is), leader (PROGRAM itself, what it started goes on), all (with everything it started), core (all, and process CORE), cut (core,
 * and what the core noted about undoing is gone, as after a power cut). STEP 0 only counts. FOLDER/done-LABEL
 * (done-core) appears at the end: "killed" or "ended" and the number of steps, then their names, one a line. SIGTERM lets a held core go.
 *
 * The tracer is nobody's child and holds no descriptor of the program: neither waits for the other. It kills by its own
 * end (PTRACE_O_EXITKILL), and lets go of who is about to exit: who dies while somebody traces it is seen by its parent
 * later than its pidfd tells. */
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ptrace.h>

#include "steps.h"

#define TRACEES_MAX  256
#define STEPS_MAX    20000
#define UNDO_PATTERN "/var/lib/lodge/tasks/undo-*"
#define OPTIONS	     (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)
#define OPTIONS_JOB  (OPTIONS | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK)

struct tracee {
	pid_t tid; /* 0: free */
	bool is_leader;
	bool is_exiting;
	struct step_memory memory;
};

struct hold {
	const char *folder;
	char label[32];
	bool is_core;
	bool has_begun; /* the program was executed */
	long step;
	char how[8];
	pid_t core;
	struct tracee tracees[TRACEES_MAX];
	long count;
	FILE *names; /* one line a step */
};

static volatile sig_atomic_t must_let_go;

static void die(const char *what)
{
	perror(what);
	_exit(3);
}

/* ---- what is held ---- */

static struct tracee *find(struct hold *hold, pid_t tid)
{
	for (size_t i = 0; i < TRACEES_MAX; i++)
		if (hold->tracees[i].tid == tid)
			return &hold->tracees[i];
	return NULL;
}

static struct tracee *find_or_add(struct hold *hold, pid_t tid)
{
	struct tracee *t = find(hold, tid);

	if (t)
		return t;
	t = find(hold, 0);
	if (!t)
		die("too many processes");
	memset(t, 0, sizeof(*t));
	t->tid = tid;
	return t;
}

static bool has_any(const struct hold *hold)
{
	for (size_t i = 0; i < TRACEES_MAX; i++)
		if (hold->tracees[i].tid)
			return true;
	return false;
}

/* ---- the report ---- */

static void write_file(const struct hold *hold, const char *what, const char *head, FILE *body)
{
	char temp[512], path[512], line[1024];

	snprintf(temp, sizeof(temp), "%s/.%s-%s", hold->folder, what, hold->label);
	snprintf(path, sizeof(path), "%s/%s-%s", hold->folder, what, hold->label);
	FILE *f = fopen(temp, "we");

	if (!f)
		die(temp);
	fputs(head, f);
	if (body)
		rewind(body);
	while (body && fgets(line, sizeof(line), body))
		fputs(line, f);
	fclose(f);
	rename(temp, path);
}

static void report(struct hold *hold, const char *outcome)
{
	char head[64];

	snprintf(head, sizeof(head), "%s %ld\n", outcome, hold->count);
	write_file(hold, "done", head, hold->names);
}

/* ---- the kill ---- */

static bool kills(const struct hold *hold, const char *how)
{
	return strcmp(hold->how, how) == 0;
}

static void forget_undos(void)
{
	glob_t found;

	if (glob(UNDO_PATTERN, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}

/* A process of its own tells of it, once the tracer is gone. */
static void fork_reporter(struct hold *hold)
{
	struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, getpid(), 0), .events = POLLIN};

	if (p.fd < 0)
		die("pidfd_open");
	fflush(hold->names);
	if (fork() != 0)
		return;
	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		continue;
	report(hold, "killed");
	_exit(0);
}

static bool kills_single(const struct hold *hold)
{
	return kills(hold, "one") || kills(hold, "leader");
}

/* The one to be killed, stopped. */
static pid_t stop_single(struct hold *hold, const struct tracee *at)
{
	int status;

	if (kills(hold, "one") || at->is_leader)
		return at->tid;
	for (size_t i = 0; i < TRACEES_MAX; i++) {
		const struct tracee *t = &hold->tracees[i];

		if (t->tid && t->is_leader && ptrace(PTRACE_INTERRUPT, t->tid, 0, 0) == 0 &&
		    waitpid(t->tid, &status, __WALL) == t->tid && WIFSTOPPED(status))
			return t->tid;
	}
	return at->tid;
}

/* The core first: it must not see the job's end. */
static void kill_now(struct hold *hold, const struct tracee *at)
{
	if (kills_single(hold) &&
	    ptrace(PTRACE_SETOPTIONS, stop_single(hold, at), 0, PTRACE_O_EXITKILL) != 0)
		die("setoptions");
	fork_reporter(hold);
	if (hold->core > 0 && !hold->is_core && (kills(hold, "core") || kills(hold, "cut")))
		kill(hold->core, SIGKILL);
	if (kills(hold, "cut"))
		forget_undos();
	_exit(0);
}

/* ---- stops ---- */

static void note_path(const struct hold *hold, pid_t tid, const struct step_call *call)
{
	int which = step_path(call);
	char text[256];

	if (which < 0)
		return;
	struct iovec here = {text, sizeof(text) - 1};
	struct iovec there = {(void *)(uintptr_t)call->args[which], sizeof(text) - 1};
	ssize_t n = process_vm_readv(tid, &here, 1, &there, 1, 0);

	if (n <= 0) { /* the end of a page: what is left of it */
		there.iov_len = 4096 - (call->args[which] & 4095);
		if (there.iov_len < here.iov_len)
			n = process_vm_readv(tid, &here, 1, &there, 1, 0);
	}
	text[n > 0 ? n : 0] = '\0';
	fprintf(hold->names, " %s", text);
}

static void on_call(struct hold *hold, struct tracee *t)
{
	struct ptrace_syscall_info info;
	struct step_call call;
	enum step_view view = hold->is_core  ? STEPS_CORE
			      : t->is_leader ? STEPS_LEADER
					     : STEPS_CHILD;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY || !hold->has_begun)
		return;
	call.nr = info.entry.nr;
	t->is_exiting = call.nr == SYS_exit_group || call.nr == SYS_exit;
	memcpy(call.args, info.entry.args, sizeof(call.args));
	const char *name = step_name(view, &t->memory, &call);

	if (!name || hold->count >= STEPS_MAX)
		return;
	hold->count++;
	fprintf(hold->names, "%s%s", view == STEPS_CHILD ? "child " : "", name);
	note_path(hold, t->tid, &call);
	fputc('\n', hold->names);
	if (hold->count == hold->step)
		kill_now(hold, t);
}

/* Returns the signal to hand on, or -1: it stays stopped and was dealt with. */
static int on_stop(struct hold *hold, struct tracee *t, int status)
{
	int signo = WSTOPSIG(status), event = status >> 16;

	if (signo == (SIGTRAP | 0x80)) {
		on_call(hold, t);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC && t->is_leader)
		hold->has_begun = true;
	if (event == PTRACE_EVENT_STOP && signo != SIGTRAP) {
		ptrace(PTRACE_LISTEN, t->tid, 0, 0);
		return -1;
	}
	return event ? 0 : signo;
}

static void let_go(struct hold *hold)
{
	for (size_t i = 0; i < TRACEES_MAX; i++)
		if (hold->tracees[i].tid)
			ptrace(PTRACE_INTERRUPT, hold->tracees[i].tid, 0, 0);
}

static void resume(struct tracee *t, int signo)
{
	if ((must_let_go || t->is_exiting) &&
	    ptrace(PTRACE_DETACH, t->tid, 0, signo > 0 ? signo : 0) == 0)
		t->tid = 0;
	else if (signo >= 0)
		ptrace(PTRACE_SYSCALL, t->tid, 0, signo);
}

static void trace(struct hold *hold)
{
	int status;

	hold->names = tmpfile();
	if (!hold->names)
		die("tmpfile");
	while (has_any(hold)) {
		pid_t tid = waitpid(-1, &status, __WALL);

		if (tid < 0 && errno == EINTR) {
			let_go(hold);
			continue;
		}
		if (tid < 0)
			break;
		struct tracee *t = find_or_add(hold, tid);

		if (WIFSTOPPED(status))
			resume(t, on_stop(hold, t, status));
		else
			t->tid = 0;
	}
	report(hold, "ended");
}

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
	if (ptrace(PTRACE_SEIZE, job, 0,
		   OPTIONS_JOB | (kills_single(hold) ? 0 : PTRACE_O_EXITKILL)) != 0)
		die("ptrace");
	find_or_add(hold, job)->is_leader = true;
	/* to have its calls reported it must stop once */
	if (ptrace(PTRACE_INTERRUPT, job, 0, 0) != 0)
		die("interrupt");
	if (write(ready, "", 1) != 1)
		die("write");
	close_range(0, ~0u, 0); /* the log's lock and the pipes are the job's alone */
	open("/dev/null", O_RDWR);
	trace(hold);
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

static int run_job(struct hold *hold, char **argv)
{
	if (argv[1] && read_arm(hold, argv[1]))
		fork_tracer(hold);
	execv(argv[0], argv);
	die(argv[0]);
	return 3;
}

/* ---- the core ---- */

static void on_term(int signo)
{
	(void)signo;
	must_let_go = 1;
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

		if (tid <= 0)
			continue;
		if (ptrace(PTRACE_SEIZE, tid, 0, OPTIONS | PTRACE_O_EXITKILL) != 0 ||
		    ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0)
			die("ptrace");
		find_or_add(hold, tid);
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
	write_file(hold, "ready", "\n", NULL);
	trace(hold);
	return 0;
}

int main(int argc, char **argv)
{
	static struct hold hold;

	if (argc < 5)
		return 2;
	hold.folder = argv[2];
	if (strcmp(argv[1], "job") == 0)
		return run_job(&hold, argv + 3);
	if (strcmp(argv[1], "core") == 0)
		return run_core(&hold, argv[3], argv[4]);
	return 2;
}
