/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting external programs by posix_spawn, and facts about processes. */
#include "agent/base/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/exec_bound.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define SEARCH_PATH "/usr/sbin:/usr/bin:/sbin:/bin"
#define CMDLINE_MAX (64u * 1024)

static const char *const default_env[] = {"PATH=" SEARCH_PATH, "LC_ALL=C.UTF-8", "HOME=/root",
					  NULL};

/* argv[0] as an absolute path, or NULL */
static char *find_program(const char *name)
{
	autostrv char **folders = NULL;

	if (name[0] == '/')
		return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
	folders = str_split(SEARCH_PATH, ":");
	for (char **f = folders; *f; f++) {
		autofree char *path = xasprintf("%s/%s", *f, name);

		if (access(path, X_OK) == 0)
			return TAKE(path);
	}
	return NULL;
}

static int add_stdio(posix_spawn_file_actions_t *actions, const struct exec_spawn *spec)
{
	const int fds[3] = {spec->stdin_fd, spec->stdout_fd, spec->stderr_fd};
	int r = 0;

	for (int i = 0; r == 0 && i < 3; i++) {
		if (fds[i] < 0)
			r = posix_spawn_file_actions_addopen(actions, i, "/dev/null",
							     i == 0 ? O_RDONLY : O_WRONLY, 0);
		else
			r = posix_spawn_file_actions_adddup2(actions, fds[i], i);
	}
	if (r == 0 && spec->passed_fd > 0)
		r = posix_spawn_file_actions_adddup2(actions, spec->passed_fd, 3);
	return r;
}

static int set_attributes(posix_spawnattr_t *attr, bool new_session)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	flags |= new_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &all);
	posix_spawnattr_setpgroup(attr, 0);
	return posix_spawnattr_setflags(attr, flags);
}

int exec_spawn(const struct exec_spawn *spec, pid_t *ret_pid, struct err *err)
{
	autofree char *program = find_program(spec->argv[0]);
	const char *const *env = spec->env ? spec->env : default_env;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r;

	if (!program)
		return err_set(err, ERR_NOT_FOUND, "program %s is not installed", spec->argv[0]);
	if (spec->dies_with_us) {
		r = exec_bound_start(program, spec, env, ret_pid);
		return r != 0 ? err_errno(err, r, "start %s", program) : 0;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	r = add_stdio(&actions, spec);
	if (r == 0)
		r = set_attributes(&attr, spec->new_session);
	if (r == 0)
		r = posix_spawn(ret_pid, program, &actions, &attr, (char *const *)spec->argv,
				(char *const *)env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return r != 0 ? err_errno(err, r, "start %s", program) : 0;
}

static uint64_t read_start(pid_t pid, bool or_ended)
{
	char path[64], *at;
	autobuf text = BUF_INIT;
	uint64_t start = 0;
	autostrv char **fields = NULL;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read(path, 8192, &text, NULL) < 0)
		return 0;
	at = strrchr(text.data, ')'); /* the name may hold anything */
	if (!at)
		return 0;
	fields = str_split(at + 1, " \n");
	if (strv_count(fields) > 19 &&
	    (or_ended || (!str_eq(fields[0], "Z") && !str_eq(fields[0], "X"))))
		str_to_u64(fields[19], &start);
	return start;
}

uint64_t exec_pid_start(pid_t pid)
{
	return read_start(pid, false);
}

uint64_t exec_child_start(pid_t pid)
{
	return read_start(pid, true);
}

static char boot_id[37];

static void read_boot_id(void)
{
	autobuf text = BUF_INIT;

	if (file_read("/proc/sys/kernel/random/boot_id", 64, &text, NULL) == 0 && text.size >= 36)
		memcpy(boot_id, text.data, 36);
}

bool exec_pid_has_argument(pid_t pid, const char *argument, char end)
{
	autofree char *path = xasprintf("/proc/%d/cmdline", (int)pid);
	autobuf text = BUF_INIT;

	if (file_read(path, CMDLINE_MAX, &text, NULL) < 0)
		return false;
	const char *words = buf_str(&text); /* the last one may be cut of its NUL */

	for (size_t at = 0; at < text.size; at += strlen(words + at) + 1) {
		const char *rest = str_after(words + at, argument);

		if (rest && (*rest == '\0' || *rest == end))
			return true;
	}
	return false;
}

const char *exec_boot_id(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_boot_id);
	return boot_id;
}
