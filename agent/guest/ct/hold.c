/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Freezing for snapshots. A mark beside the run record tells a later job that the container was not suspended by its
 * user. Runs in jobs. */
#include "agent/guest/ct/hold.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/cgroup.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/init_proc.h"
#include "agent/guest/ct/record.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct_schema.h"
#include "agent/task/guest/record.h"

#define FREEZE_WAIT (10 * USEC_PER_SEC)
#define MARK	    ".held"

/* Only file systems of volumes: one in user space would wait for a process that stands still. */
static int sync_one(int fd, struct err *err)
{
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) != 0 ||
	    (fs.f_type != EXT4_SUPER_MAGIC && fs.f_type != (long)BTRFS_SUPER_MAGIC))
		return 0;
	return syncfs(fd) == 0 ? 0 : err_set(err, ERR_IO, "write out the container's files");
}

static int sync_inside(struct task_ctx *task, const struct ct_record *record, struct err *err)
{
	autofd int root = ct_init_root(record, NULL);
	autofree struct ct_mp *mps = NULL;
	struct guest_config config;
	size_t count = 0;
	int r = sync_one(root, err);

	if (r < 0 || (r = task_config_get(task, "lxc", &config, NULL, err)) < 0)
		return r;
	r = ct_config_mps(&config, &mps, &count, err);
	guest_config_fini(&config);
	for (size_t i = 0; r == 0 && root >= 0 && i < count; i++) {
		int fd = rootdir_open(root, mps[i].path, O_RDONLY | O_DIRECTORY);

		r = sync_one(fd, err);
		if (fd >= 0)
			close(fd);
	}
	return r;
}

static bool is_marked(unsigned vmid)
{
	autofree char *path = path_join(path_run(), "guests/%u" MARK, vmid);

	return access(path, F_OK) == 0;
}

static int freeze(struct task_ctx *task, const struct cgroup_layout *layout,
		  const struct ct_record *record, const char *groups, struct err *err)
{
	struct fields none = FIELDS_INIT;
	struct err why = ERR_INIT;
	int r;

	if (cgroup_is_frozen(layout, groups, task->guest) && !is_marked(task->guest))
		return sync_inside(task, record, err);
	/* most of it before, so that it stands still for a short time only */
	if ((r = sync_inside(task, record, err)) < 0 ||
	    (r = task_record_write_beside(task->guest, MARK, &none, err)) < 0)
		return r;
	r = cgroup_freeze(layout, groups, task->guest, true, clock_monotonic() + FREEZE_WAIT, err);
	if (r == 0)
		r = sync_inside(task, record, err);
	if (r < 0 && ct_hold(task, false, &why) < 0)
		task_leave(task, "the container stands still: %s", why.message);
	return r;
}

static int thaw(struct task_ctx *task, const struct cgroup_layout *layout, const char *groups,
		struct err *err)
{
	int r = cgroup_freeze(layout, groups, task->guest, false, clock_monotonic() + FREEZE_WAIT,
			      err);

	if (r == 0)
		task_record_remove_beside(task->guest, MARK);
	return r;
}

int ct_hold(struct task_ctx *task, bool on, struct err *err)
{
	struct cgroup_layout layout;
	struct ct_record record;
	autobuf groups = BUF_INIT;
	int r;

	if (!on && !is_marked(task->guest)) {
		task_record_remove_beside(task->guest, MARK); /* one that was begun */
		return 0;
	}
	if (!ct_find_running(task->guest, &record)) {
		task_record_remove_beside(task->guest, MARK);
		return on ? ct_require_settled(task, err) : 0;
	}
	if ((r = ct_groups_read(&record, &groups, err)) < 0)
		return r;
	cgroup_layout_read(&layout);
	return on ? freeze(task, &layout, &record, buf_str(&groups), err)
		  : thaw(task, &layout, buf_str(&groups), err);
}
