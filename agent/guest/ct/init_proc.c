/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first process of a running container. Runs in jobs and hooks. */
#include "agent/guest/ct/init_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"

static int is_gone(struct err *err)
{
	return err_set(err, ERR_UNAVAILABLE, "the container has stopped");
}

/* The folder first: if the process is there after that, the folder is its. */
int ct_init_open(const struct ct_record *record, struct err *err)
{
	autofree char *path = xasprintf("/proc/%d", (int)record->pid);
	autofd int fd = -1;

	if (record->pid <= 0 || record->pid_start == 0)
		return is_gone(err);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || exec_pid_start(record->pid) != record->pid_start)
		return is_gone(err);
	return TAKE_FD(fd);
}

static int open_below(int init, const char *name, int flags, struct err *err)
{
	int fd = openat(init, name, flags | O_RDONLY | O_CLOEXEC);

	if (fd < 0 && (errno == ESRCH || errno == ENOENT))
		return is_gone(err);
	return fd < 0 ? err_errno(err, errno, "the container's %s", name) : fd;
}

int ct_init_namespace(int init, const char *name, struct err *err)
{
	char path[32];

	snprintf(path, sizeof(path), "ns/%s", name);
	return open_below(init, path, 0, err);
}

bool ct_init_is_own(const char *name, int namespace)
{
	autofree char *path = xasprintf("/proc/self/ns/%s", name);
	struct stat own, other;

	return stat(path, &own) == 0 && fstat(namespace, &other) == 0 &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

int ct_init_foreign_namespace(int init, const char *name, struct err *err)
{
	autofd int fd = ct_init_namespace(init, name, err);

	if (fd >= 0 && ct_init_is_own(name, fd))
		return err_set(err, ERR_UNSUPPORTED, "it has no %s namespace of its own", name);
	return fd < 0 ? fd : TAKE_FD(fd);
}

int ct_init_root(const struct ct_record *record, struct err *err)
{
	autofd int init = ct_init_open(record, err);
	autofd int mounts = init < 0 ? init : ct_init_foreign_namespace(init, "mnt", err);

	return mounts < 0 ? mounts : open_below(init, "root", O_DIRECTORY, err);
}
