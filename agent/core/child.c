/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Child processes of the core. Never waits for one. */
#include "agent/core/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"

#define ENV_MAX	    16
#define CHILD_FILES 1024 /* the soft limit everywhere; who needs more, raises it */

static const char *const kept_variables[] = {
	"LODGE_STATE_DIR", "LODGE_RUN_DIR", "LODGE_LIBEXEC_DIR",
	"LODGE_SHARE_DIR", "LODGE_LOG",	    "LODGE_BRIDGE",
};

static size_t make_env(char *env[ENV_MAX])
{
	size_t count = 0;

	env[count++] = xstrdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	env[count++] = xstrdup("LC_ALL=C.UTF-8");
	for (size_t i = 0; i < ARRAY_SIZE(kept_variables); i++) {
		const char *value = getenv(kept_variables[i]);

		if (value)
			env[count++] = xasprintf("%s=%s", kept_variables[i], value);
	}
	env[count] = NULL;
	return count;
}

static void set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(attr);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &all);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
					       POSIX_SPAWN_SETSID);
}

/* Descriptors 0 to 2 are always open here, so no source is overwritten before it was copied: only
 * the last target, 3, can be the number of another source. */
static void set_descriptors(posix_spawn_file_actions_t *actions, const int fds[CHILD_FDS_MAX])
{
	posix_spawn_file_actions_init(actions);
	for (int i = 0; i < CHILD_FDS_MAX; i++) {
		if (fds[i] >= 0)
			posix_spawn_file_actions_adddup2(actions, fds[i], i);
		else if (i <= STDERR_FILENO)
			posix_spawn_file_actions_addopen(actions, i, "/dev/null", O_RDWR, 0);
	}
}

static void kill_unknown(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, WNOHANG);
}

/* The core's shield from the kernel's memory killer (OOMScoreAdjust= of its unit) and its many files are
 * not for them: guests and dnsmasq come from these children and would keep both. */
static void make_ordinary(pid_t pid)
{
	struct rlimit files;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	autofd int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		log_debug("%s: %m", path);
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur <= CHILD_FILES)
		return;
	files.rlim_cur = CHILD_FILES;
	prlimit(pid, RLIMIT_NOFILE, &files, NULL);
}

static int spawn(const struct child_spec *spec, pid_t *ret_pid, struct err *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *env[ENV_MAX];
	size_t env_count = make_env(env);

	set_attributes(&attr);
	set_descriptors(&actions, spec->fds);
	int r = posix_spawn(ret_pid, spec->argv[0], &actions, &attr, (char *const *)spec->argv,
			    env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	for (size_t i = 0; i < env_count; i++)
		free(env[i]);
	return r != 0 ? err_errno(err, r, "start %s", spec->argv[0]) : 0;
}

int child_spawn(const struct child_spec *spec, struct child *ret, struct err *err)
{
	struct child child = {.pidfd = -1};
	/* What is needed to know the child is taken before there is one. */
	int for_pidfd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int for_start = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int r = for_pidfd < 0 || for_start < 0 ? err_errno(err, errno, "start %s", spec->argv[0])
					       : spawn(spec, &child.pid, err);

	closep(&for_pidfd);
	closep(&for_start);
	if (r < 0)
		return r;
	/* Not reaped yet: the pid is still its own even if it ended already. */
	child.pidfd = (int)syscall(SYS_pidfd_open, child.pid, 0);
	if (child.pidfd < 0) {
		r = errno;
		kill_unknown(child.pid);
		return err_errno(err, r, "watch %s", spec->argv[0]);
	}
	child.start = exec_child_start(child.pid);
	make_ordinary(child.pid);
	*ret = child;
	return 0;
}

bool child_reap(int pidfd, int *ret_status)
{
	siginfo_t info = {0};

	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
		return false;
	*ret_status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
						 : W_EXITCODE(0, info.si_status);
	return true;
}

void child_status_text(int status, char *ret, size_t size)
{
	if (WIFEXITED(status))
		snprintf(ret, size, "exit code %d", WEXITSTATUS(status));
	else
		snprintf(ret, size, "signal %d", WTERMSIG(status));
}

void child_signal_group(pid_t pid, int pidfd, int sig)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	if (pidfd < 0 || poll(&p, 1, 0) != 0 || pid <= 1)
		return; /* it ended: its number may be another's by now */
	kill(-pid, sig);
}
