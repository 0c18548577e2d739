/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers as jobs on volumes see them, and these jobs. Runs in jobs. */
#include "agent/guest/ct/life.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/hold.h"
#include "agent/guest/ct/init_proc.h"
#include "agent/guest/ct/renew.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct_schema.h"
#include "storage/filesystem.h"

static int require_stopped(struct task_ctx *task, struct err *err)
{
	int r = ct_require_stopped(task->guest, err);

	return r == -ERR_BUSY ? err_set(err, ERR_BUSY, "CT %u is running", task->guest) : r;
}

static int stop(struct task_ctx *task, struct err *err)
{
	struct ct_record record;

	return ct_find_running(task->guest, &record) ? ct_stop(task, &record, err)
						     : ct_require_stopped(task->guest, err);
}

/* -- growing -- */

/* Is this file system on a loop device of that image? Inside, anything may be mounted there. */
static bool is_of_image(int fd, const char *image)
{
	autofree char *backing = NULL;
	autobuf text = BUF_INIT;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	backing = xasprintf("/sys/dev/block/%u:%u/loop/backing_file", major(st.st_dev),
			    minor(st.st_dev));
	if (file_read(backing, 4096, &text, NULL) < 0)
		return false;
	size_t size = strlen(image);

	return strncmp(buf_str(&text), image, size) == 0 && buf_str(&text)[size] == '\n';
}

static int open_inside(struct task_ctx *task, const struct ct_record *record,
		       const struct guest_volume *v, struct err *err)
{
	autofd int root = ct_init_root(record, err);
	struct guest_config config;
	struct ct_mp mp;
	int r;

	if (root < 0)
		return root;
	if (str_eq(v->key, "rootfs"))
		return TAKE_FD(root);
	if ((r = task_config_get(task, "lxc", &config, NULL, err)) < 0)
		return r;
	r = ct_mp_parse(v->key, guest_config_get(&config, v->key) ?: "", &mp, err);
	guest_config_fini(&config);
	if (r < 0)
		return r;
	r = rootdir_open(root, mp.path, O_RDONLY | O_DIRECTORY);
	return r < 0 ? err_errno(err, -r, "guest's %s", mp.path) : r;
}

static int grow(struct task_ctx *task, const struct guest_volume *v, const char *path,
		struct err *err)
{
	struct ct_record record;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0; /* part of its storage's file system */
	if (v->is_unused || !ct_find_running(task->guest, &record))
		return filesystem_grow(path, err);
	autofd int fd = open_inside(task, &record, v, err);

	if (fd < 0)
		return fd;
	if (!is_of_image(fd, path))
		return err_set(err, ERR_BUSY,
			       "%s has grown; its file system is not mounted in the running "
			       "container: ask again once it is stopped",
			       v->key);
	return filesystem_grow_mounted(fd, err);
}

static bool has_capability(unsigned number)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[CAP_TO_INDEX(number)].effective & CAP_TO_MASK(number));
}

/* Nodes that are containers themselves often lack it. Known before the image grows. */
static int check_grow_running(struct task_ctx *task, const struct guest_volume *v, uint64_t size,
			      struct err *err)
{
	struct ct_record record;

	(void)size;
	if (str_eq(v->volume.format, "subvol") || v->is_unused)
		return 0;
	/* its monitor may still have the image mounted: a check of it now would tear it */
	if (!ct_find_running(task->guest, &record))
		return ct_require_stopped(task->guest, err);
	if (has_capability(CAP_SYS_RESOURCE))
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "feature not available: growing a mounted file system needs "
		       "CAP_SYS_RESOURCE, which this node does not have: stop the container first");
}

const struct life ct_life = {
	.ops = &guest_kind_ct,
	.disk_lock = "disk",
	.require_stopped = require_stopped,
	.hold = ct_hold,
	.stop = stop,
	.start = ct_start,
	.grow = grow,
	.grow_running = check_grow_running,
	.renew = ct_renew,
	.clean = ct_clean,
};

/* -- the jobs -- */

int vzsnapshot_run(struct task_ctx *task, struct err *err)
{
	return life_snapshot_run(task, &ct_life, err);
}

int vzsnapshot_undo_run(struct task_ctx *task, struct err *err)
{
	return life_snapshot_undo_run(task, &ct_life, err);
}

int vzdelsnapshot_run(struct task_ctx *task, struct err *err)
{
	return life_delsnapshot_run(task, &ct_life, err);
}

int vzrollback_run(struct task_ctx *task, struct err *err)
{
	return life_rollback_run(task, &ct_life, err);
}

int vzclone_run(struct task_ctx *task, struct err *err)
{
	return life_clone_run(task, &ct_life, err);
}

int vzclone_undo_run(struct task_ctx *task, struct err *err)
{
	return life_clone_undo_run(task, &ct_life, err);
}

int vzclone_release_run(struct task_ctx *task, struct err *err)
{
	return life_clone_release_run(task, &ct_life, err);
}

int vztemplate_run(struct task_ctx *task, struct err *err)
{
	return life_template_run(task, &ct_life, err);
}

int vzresize_run(struct task_ctx *task, struct err *err)
{
	return life_resize_run(task, &ct_life, err);
}

int vzmove_run(struct task_ctx *task, struct err *err)
{
	return life_move_run(task, &ct_life, err);
}

int vzmove_undo_run(struct task_ctx *task, struct err *err)
{
	return life_move_undo_run(task, &ct_life, err);
}
