/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executes lodge-task-ct from a read-only mount of its file. Runs in main(), single-threaded. */
#include "agent/guest/ct/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/base/fd.h"

#define EXE  "/proc/self/exe"
#define MARK "LODGE_CT_GUARDED" /* was executed for this: once is enough */

static bool is_guarded(void)
{
	autofd int fd = open(EXE, O_PATH | O_CLOEXEC);
	struct statvfs st;

	return fd >= 0 && fstatvfs(fd, &st) == 0 && (st.f_flag & ST_RDONLY);
}

static int execute_guarded(char **argv, struct err *err)
{
	autofd int file = open_tree(AT_FDCWD, EXE, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	if (file < 0)
		return err_errno(err, errno, "a mount of " EXE);
	if (mount_setattr(file, "", AT_EMPTY_PATH, &attr, sizeof(attr)) != 0)
		return err_errno(err, errno, "make a mount of " EXE " read-only");
	setenv(MARK, "1", 1);
	execveat(file, "", argv, environ, AT_EMPTY_PATH);
	return err_errno(err, errno, "execute " EXE " again");
}

int ct_guard_self(char **argv, struct err *err)
{
	const char *slash = argv[0] ? strrchr(argv[0], '/') : NULL;
	bool was_executed = getenv(MARK) != NULL;

	/* also where the program's own mount is read-only: that one may be writable tomorrow */
	if (!was_executed)
		return execute_guarded(argv, err);
	unsetenv(MARK);
	/* executed by descriptor it would be called by a number */
	(void)prctl(PR_SET_NAME, slash ? slash + 1 : "lodge-task-ct");
	return ct_guard_require(err);
}

int ct_guard_require(struct err *err)
{
	return is_guarded()
		       ? 0
		       : err_set(err, ERR_INTERNAL,
				 "this program does not run from a read-only mount of its own");
}
