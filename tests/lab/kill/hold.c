/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracer is nobody's child and holds no descriptor of the program: neither waits for the other. It kills by its own
 * end (PTRACE_O_EXITKILL), and lets go of who is about to exit: who dies while somebody traces it is seen by its parent
 * later than its pidfd tells. */
#include "hold.h"

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ptrace.h>

#define STEPS_MAX    20000
#define UNDO_PATTERN "/var/lib/lodge/tasks/undo-*"

static volatile sig_atomic_t must_let_go;

_Noreturn void die(const char *what)
{
	perror(what);
	_exit(3);
}

/* ---- what is held ---- */

static bool kills(const struct hold *hold, const char *how)
{
	return strcmp(hold->how, how) == 0;
}

static bool kills_single(const struct hold *hold)
{
	return kills(hold, "one") || kills(hold, "leader");
}

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

void hold_seize(struct hold *hold, pid_t tid)
{
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

	if (!hold->is_core)
		options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
	if (!kills_single(hold))
		options |= PTRACE_O_EXITKILL;
	if (ptrace(PTRACE_SEIZE, tid, 0, options) != 0 || ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0)
		die("ptrace");
	find_or_add(hold, tid)->is_leader = !hold->is_core;
}

static bool has_any(const struct hold *hold)
{
	for (size_t i = 0; i < TRACEES_MAX; i++)
		if (hold->tracees[i].tid)
			return true;
	return false;
}

/* ---- the report ---- */

void hold_write(const struct hold *hold, const char *what, const char *head, FILE *body)
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
	char head[128];

	snprintf(head, sizeof(head), "%s %ld %s\n", outcome, hold->count, hold->victims);
	hold_write(hold, "done", head, hold->names);
}

/* ---- the kill ---- */

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

/* The one to be killed, stopped. A leader that is gone already leaves the one whose step it is; the report tells. */
static const struct tracee *stop_single(struct hold *hold, const struct tracee *at)
{
	int status;

	if (kills(hold, "one") || at->is_leader)
		return at;
	for (size_t i = 0; i < TRACEES_MAX; i++) {
		const struct tracee *t = &hold->tracees[i];

		if (t->tid && t->is_leader && ptrace(PTRACE_INTERRUPT, t->tid, 0, 0) == 0 &&
		    waitpid(t->tid, &status, __WALL) == t->tid && WIFSTOPPED(status))
			return t;
	}
	return at;
}

static const char *choose_victims(struct hold *hold, const struct tracee *at)
{
	if (hold->is_core)
		return "core";
	if (!kills_single(hold))
		return "all";
	const struct tracee *single = stop_single(hold, at);

	if (ptrace(PTRACE_SETOPTIONS, single->tid, 0, PTRACE_O_EXITKILL) != 0)
		die("setoptions");
	return single->is_leader ? "leader" : "child";
}

static const char *kill_core(const struct hold *hold)
{
	if (hold->is_core || (!kills(hold, "core") && !kills(hold, "cut")))
		return "";
	return hold->core > 0 && kill(hold->core, SIGKILL) == 0 ? " core" : " no-core";
}

/* The core first: it must not see the job's end. */
static void kill_now(struct hold *hold, const struct tracee *at)
{
	const char *victims = choose_victims(hold, at);

	snprintf(hold->victims, sizeof(hold->victims), "%s%s", victims, kill_core(hold));
	if (kills(hold, "cut"))
		forget_undos();
	fork_reporter(hold);
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

void hold_release(void)
{
	must_let_go = 1;
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

void hold_follow(struct hold *hold)
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
