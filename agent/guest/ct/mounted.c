/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems of a running container's images, by a mount of our own: the kernel gives the one of a device that is mounted
 * already. In a process of its own, which may be left waiting. Runs in jobs. */
#include "agent/guest/ct/mounted.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/loop.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/volume.h"
#include "agent/guest/volumes.h"
#include "storage/filesystem.h"

#define LOOK_TIMEOUT (60 * USEC_PER_SEC)
#define GROW_TIMEOUT (3600 * USEC_PER_SEC)

static int read_volumes(struct task_ctx *task, struct guest_volume **ret, size_t *ret_count,
			struct err *err)
{
	struct guest_config config;
	int r = task_config_get(task, "lxc", &config, NULL, err);

	if (r < 0)
		return r;
	r = guest_volumes(&guest_kind_ct, &config.sections[0], ret, ret_count, err);
	guest_config_fini(&config);
	return r;
}

static bool is_image(const struct guest_volume *v)
{
	return !v->is_unused && str_eq(v->volume.format, "raw");
}

/* -- of one that has ended -- */

/* One that is away is nobody's who runs here. */
static int wait_for_one(struct task_ctx *task, const struct guest_volume *v, usec_t wait,
			struct err *err)
{
	autobuf path = BUF_INIT;
	autofd int fd = -1;

	if (ct_volume_path(task, v->volid, &path, NULL) < 0)
		return 0;
	fd = open(buf_str(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? 0 : ct_image_wait(fd, buf_str(&path), wait, err);
}

int ct_mounted_wait(struct task_ctx *task, usec_t wait, struct err *err)
{
	autofree struct guest_volume *volumes = NULL;
	size_t count = 0;
	int r = read_volumes(task, &volumes, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		if (is_image(&volumes[i]) && volumes[i].volume.vmid == task->guest)
			r = wait_for_one(task, &volumes[i], wait, err);
	return r;
}

/* -- of one that runs -- */

/* In a mount namespace of this process alone, which ends with it. ERR_NOT_FOUND: it is not mounted; ERR_BUSY: for reading
 * only. Ours is over the folder of all such places, which needs none of its own. */
static int open_mounted(const char *image, int *ret_root, struct err *err)
{
	autofree char *place = path_join(path_run(), "ct/mnt");
	char device[32];
	autofd int loop = -1;
	int r = ct_loop_find(image, &loop, device, err);

	if (r < 0)
		return r;
	if ((r = dir_make(place, 0700, err)) < 0 || (r = ct_mount_isolate(err)) < 0)
		return r;
	if (mount(device, place, "ext4", MS_NODEV | MS_NOSUID | MS_NOEXEC, NULL) != 0) {
		if (errno == EBUSY || errno == EROFS || errno == EACCES)
			return err_set(err, ERR_BUSY, "'%s' is mounted for reading only", image);
		return err_errno(err, errno, "mount '%s'", image);
	}
	r = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r < 0)
		return err_errno(err, errno, "open the mounted file system");
	*ret_root = r;
	return 0;
}

static int sync_image(const char *path, struct err *err)
{
	autofd int root = -1;
	int r = open_mounted(path, &root, err);

	if (r == -ERR_NOT_FOUND || r == -ERR_BUSY)
		return 0; /* nothing can be waiting to be written */
	if (r == 0 && syncfs(root) != 0)
		r = err_errno(err, errno, "write out '%s'", path);
	return r;
}

static int sync_tree(const char *path, struct err *err)
{
	autofd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && syncfs(fd) == 0 ? 0 : err_errno(err, errno, "write out '%s'", path);
}

/* ctx: paths, named by what they are. */
static int sync_step(struct task_ctx *task, void *ctx, struct err *err)
{
	const struct fields *paths = ctx;
	int r = 0;

	(void)task;
	for (size_t i = 0; r == 0 && i < paths->count; i++)
		r = str_eq(paths->items[i].name, "image") ? sync_image(paths->items[i].value, err)
							  : sync_tree(paths->items[i].value, err);
	return r;
}

static int find_paths(struct task_ctx *task, struct fields *ret, struct err *err)
{
	autofree struct guest_volume *volumes = NULL;
	size_t count = 0;
	int r = read_volumes(task, &volumes, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		autobuf path = BUF_INIT;

		if (volumes[i].is_unused)
			continue;
		r = ct_volume_path(task, volumes[i].volid, &path, err);
		fields_add(ret, is_image(&volumes[i]) ? "image" : "tree", buf_str(&path));
	}
	return r;
}

int ct_mounted_sync(struct task_ctx *task, usec_t wait, struct err *err)
{
	autofields paths = FIELDS_INIT;
	int r = find_paths(task, &paths, err);

	if (r == 0)
		r = ct_child_run(task, sync_step, &paths, wait, err);
	return r < 0 ? err_prefix(err, "write out the container's files") : 0;
}

static int look_step(struct task_ctx *task, void *image, struct err *err)
{
	autofd int root = -1;

	(void)task;
	return open_mounted(image, &root, err);
}

int ct_mounted_look(struct task_ctx *task, const char *image, bool *ret, struct err *err)
{
	autofree char *copy = xstrdup(image);
	struct err why = ERR_INIT;
	int r = ct_child_run(task, look_step, copy, LOOK_TIMEOUT, &why);

	if (r < 0 && r != -ERR_NOT_FOUND)
		return err_set(err, (enum err_code)why.code, "%s", why.message);
	*ret = r == 0;
	return 0;
}

static int grow_step(struct task_ctx *task, void *image, struct err *err)
{
	autofd int root = -1;
	int r = open_mounted(image, &root, err);

	(void)task;
	return r < 0 ? r : filesystem_grow_mounted(root, err);
}

int ct_mounted_grow(struct task_ctx *task, const char *image, struct err *err)
{
	autofree char *copy = xstrdup(image);

	return ct_child_run(task, grow_step, copy, GROW_TIMEOUT, err);
}
