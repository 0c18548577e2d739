/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/task/host/template_room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define PARENT "/var/tmp"
#define PREFIX "lodge-template-"

/* A link of somebody else's is no room: removing one goes by its own name. */
static void remove_if_left(const char *name)
{
	autofree char *path = path_join(PARENT, "%s", name);
	autofd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)dir_remove_tree(path, NULL);
}

static void remove_left(void)
{
	DIR *dir = opendir(PARENT);

	for (struct dirent *e; dir && (e = readdir(dir));)
		if (str_starts(e->d_name, PREFIX))
			remove_if_left(e->d_name);
	if (dir)
		closedir(dir);
}

static int make(char *path, int *ret_lock, struct err *err)
{
	if (!mkdtemp(path))
		return err_errno(err, errno, "make a folder in " PARENT);
	autofd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || fchmod(fd, 0711) != 0)
		return err_errno(err, errno, "lock %s", path);
	*ret_lock = TAKE_FD(fd);
	return 0;
}

/* One at a time: a new one has no lock yet. */
int template_room_make(char **ret_folder, int *ret_lock, struct err *err)
{
	autofree char *path = xstrdup(PARENT "/" PREFIX "XXXXXX");
	autofd int all = open(path_run(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (all < 0 || flock(all, LOCK_EX) != 0)
		return err_errno(err, errno, "lock %s", path_run());
	remove_left();
	int r = make(path, ret_lock, err);

	if (r == 0)
		*ret_folder = TAKE(path);
	return r;
}
