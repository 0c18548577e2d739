/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One change of the network at a time. Runs in helper and job processes as root. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/net/change.h"

#define LOCK_FILE "network/lock"

static int open_lock(int *ret, struct err *err)
{
	autofree char *folder = path_join(path_run(), "network");
	autofree char *path = path_join(path_run(), LOCK_FILE);
	int r = dir_make(folder, 0700, err);

	if (r < 0)
		return r;
	*ret = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return *ret < 0 ? err_errno(err, errno, "%s", path) : 0;
}

int net_change_lock(int *ret_fd, struct err *err)
{
	autofree char *config = path_join(path_etc(), "network");
	autofd int fd = -1, config_lock = -1;
	int r = open_lock(&fd, err);

	if (r < 0)
		return r;
	/* who asks whether it is free holds it for that moment, under this one; where it cannot be had, as on a file
	 * system that is read-only, nobody edits either */
	if (access(config, F_OK) == 0) /* not to be made for a look at it */
		(void)net_config_lock(&config_lock, NULL);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return err_set(err, ERR_BUSY,
			       "another change of the network is under way or waits to be "
			       "confirmed");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

bool net_change_is_under_way(void)
{
	autofree char *path = path_join(path_run(), LOCK_FILE);
	autofd int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
}
