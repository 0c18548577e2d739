/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which devices a running container may use, on v1. Runs in jobs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/guest/ct/cgroup.h"

#define DEPTH_MAX 8

static int write_rule(int folder, const char *file, const char *rule)
{
	autofd int fd = openat(folder, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	return write(fd, rule, strlen(rule)) < 0 ? -errno : 0;
}

/* What is allowed does not come down by itself; what is denied does. A group below may be gone at any moment. */
static void allow_below(int parent, const char *name, const char *rule, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	if (dir && depth > 0)
		(void)write_rule(fd, "devices.allow", rule);
	for (struct dirent *e; dir && depth < DEPTH_MAX && (e = readdir(dir));)
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			allow_below(fd, e->d_name, rule, depth + 1);
	if (dir)
		closedir(dir);
}

static int set_rule(int fd, const char *folder, const char *device, bool allow, const char *how,
		    struct err *err)
{
	autofree char *rule = xasprintf("%s %s", device, how);
	int r = write_rule(fd, allow ? "devices.allow" : "devices.deny", rule);

	if (r < 0)
		return err_errno(err, -r, "%s device %s", allow ? "allow" : "deny", rule);
	if (allow)
		allow_below(AT_FDCWD, folder, rule, 0);
	return 0;
}

int cgroup_device_set(const struct cgroup_layout *layout, const char *groups, unsigned vmid,
		      const char *device, enum cgroup_access access, struct err *err)
{
	char folder[PATH_MAX];
	int r;

	if (!cgroup_path(layout, groups, vmid, CG_DEVICES, folder, sizeof(folder)))
		return err_set(err, ERR_UNAVAILABLE, "its group of devices is not there");
	autofd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, errno, "%s", folder);
	if (access == CG_NOTHING)
		return set_rule(fd, folder, device, false, "rwm", err);
	r = set_rule(fd, folder, device, true, access == CG_READ ? "rm" : "rwm", err);
	return r == 0 && access == CG_READ ? set_rule(fd, folder, device, false, "w", err) : r;
}
