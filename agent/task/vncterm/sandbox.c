/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layers, from the outside in. */
#include "agent/task/vncterm/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/privileges.h"

#define EMPTY_FOLDER "vncterm" /* below path_run() */

/* Two pictures of the largest size, all of the history, libraries, and what malloc sets apart for two threads: a
 * third of it. */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_MAX RLIM_INFINITY /* its shadow is terabytes */
#else
#define MEMORY_MAX (512u * 1024 * 1024)
#endif

/* Open descriptors, memory, time and threads. Nothing that opens, connects, or starts a process. */
static const int plain[] = {
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(lseek),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(uname),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static int add_plain(scmp_filter_ctx ctx)
{
	int r = 0;

	/* negative numbers: not on this architecture */
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(plain); i++)
		if (plain[i] >= 0)
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, plain[i], 0);
	return r;
}

/* Those that depend on an argument. */
static int add_limited(scmp_filter_ctx ctx)
{
	const struct {
		int call;
		struct scmp_arg_cmp when;
	} limited[] = {
		{SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)},
		{SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, TIOCSWINSZ, 0)},
		{SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
		{SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
		/* none of those that have signals sent to whoever is the same user */
		{SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0)},
		{SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD, 0)},
		{SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_SETFD, 0)},
		{SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL, 0)},
		/* abort() */
		{SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)},
	};
	/* its flags are out of a filter's sight: the C library then takes clone() */
	int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(limited); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, limited[i].call, 1, limited[i].when);
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 2,
				     SCMP_A1(SCMP_CMP_EQ, F_SETFL, 0),
				     SCMP_A2(SCMP_CMP_MASKED_EQ, O_ASYNC, 0));
	/* its own limits, and only to read them */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
				     SCMP_A0(SCMP_CMP_EQ, 0, 0), SCMP_A2(SCMP_CMP_EQ, 0, 0));
	return r;
}

static int limit_calls(struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!ctx)
		return err_set(err, ERR_INTERNAL, "seccomp: out of memory");
	r = add_plain(ctx);
	if (r == 0)
		r = add_limited(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r < 0 ? err_errno(err, -r, "seccomp") : 0;
}

/* The network is no loss where root may not leave it: there is no call to make a socket with. */
static int leave_files(struct err *err)
{
	autofree char *folder = path_join(path_run(), EMPTY_FOLDER);
	int r = dir_make(folder, 0755, err);

	if (r < 0)
		return r;
	(void)unshare(CLONE_NEWNET | CLONE_NEWIPC);
	if (chroot(folder) < 0 || chdir("/") < 0)
		return err_errno(err, errno, "change root to %s", folder);
	return 0;
}

/* Inside of a user namespace, such as a container's, an id may not exist. */
static bool is_mapped(uid_t uid)
{
	setfsuid(uid);
	bool is = setfsuid((uid_t)-1) == (int)uid;

	setfsuid(0);
	return is;
}

/* Before the user database is out of sight. */
static int find_user(struct passwd *ret, struct err *err)
{
	static char name[] = "of a viewer's own";
	uid_t own = SANDBOX_UID_FIRST + (uid_t)getpid();
	const struct passwd *gate;

	*ret = (struct passwd){.pw_name = name, .pw_uid = own, .pw_gid = own};
	if (is_mapped(own))
		return 0;
	if (!(gate = getpwnam(GATE_USER)))
		return err_set(err, ERR_NOT_FOUND, "there is no user '%s' to become", GATE_USER);
	ret->pw_uid = gate->pw_uid;
	ret->pw_gid = gate->pw_gid;
	return 0;
}

static int become_nobody(struct err *err)
{
	struct passwd user;
	int r;

	if (geteuid() != 0)
		return privileges_drop(NULL, err);
	r = find_user(&user, err);
	if (r == 0)
		r = leave_files(err);
	return r < 0 ? r : privileges_drop(&user, err);
}

/* A byte for a file, such as the task's log, is one too many. */
static int limit_resources(struct err *err)
{
	const struct rlimit files = {0}, memory = {.rlim_cur = MEMORY_MAX, .rlim_max = MEMORY_MAX};

	if (setrlimit(RLIMIT_FSIZE, &files) < 0 || setrlimit(RLIMIT_AS, &memory) < 0)
		return err_errno(err, errno, "limits");
	return 0;
}

/* After becoming somebody else, which forgets it. SIGKILL: of all others, a process that was taken over is free to
 * take no notice. */
static int end_with(pid_t parent, struct err *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_errno(err, errno, "signal at the parent's end");
	if (getppid() != parent)
		return err_set(err, ERR_UNAVAILABLE, "the parent has ended");
	return 0;
}

int sandbox_enter(pid_t parent, struct err *err)
{
	int r = become_nobody(err);

	if (r == 0)
		r = end_with(parent, err);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_errno(err, errno, "no new privileges");
	if (r == 0)
		r = limit_resources(err);
	if (r == 0)
		r = limit_calls(err);
	return r < 0 ? err_prefix(err, "sandbox") : 0;
}
