/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/guest/ct/mend.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/guest/ct/mount.h"
#include "storage/filesystem.h"

int ct_mend(struct task_ctx *task, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	autofd int fd =
		open(path, O_RDONLY | O_NOFOLLOW); /* inherited by the tool, with its lock */
	bool was_torn = false;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) != 0)
		return err_errno(err, errno, "open volume '%s'", path);
	if (!S_ISREG(st.st_mode) || !filesystem_has_errors(fd))
		return 0;
	if ((r = ct_image_lock(fd, path, err)) < 0)
		return r;
	task_log("the file system of %s is marked as having errors: checking it", slash + 1);
	r = filesystem_check(path, &was_torn, err);
	if (r == 0)
		task_warn(task, "the file system of %s had errors, which were repaired%s",
			  slash + 1, was_torn ? ": look into its lost+found" : "");
	return r;
}
