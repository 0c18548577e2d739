/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills the root file system of a new container from its template, with the mount points that lie in it. Runs in jobs. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/create.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct/setup.h"
#include "agent/guest/ct/unpack.h"
#include "agent/guest/ct/volume_new.h"
#include "agent/guest/ct_schema.h"
#include "agent/task/internal.h"

#define MOUNTINFO_MAX  (4 * 1024 * 1024)
#define UNPACK_TIMEOUT (6 * 3600 * USEC_PER_SEC)
#define FULL_BELOW     (1024 * 1024) /* bytes free: too little for the next write */

struct filling {
	const struct create_root *root;
	/* shared with the step that unpacks, which finds it out; NULL before */
	const struct ct_os **os;
};

static int unpack(const struct task_ctx *task, const struct create_root *new, int root,
		  struct err *err)
{
	uint64_t kib = 0;
	autofree char *program = path_join(path_libexec(), "lodge-task");
	autofd int archive = open(new->template_path, O_RDONLY | O_CLOEXEC);
	int r;

	if (archive < 0)
		return err_set(err, ERR_IO, "open template '%s'", new->template_path);
	str_to_u64(fields_get(&task->args, "bwlimit") ?: "0", &kib);
	const struct ct_unpack what = {.program = program,
				       .archive = archive,
				       .root = root,
				       .rate = kib * 1024,
				       .deadline = clock_monotonic() + UNPACK_TIMEOUT};

	r = ct_unpack(&what, err);
	return r < 0 ? err_prefix(err, "unpack template") : 0;
}

static int fill_root(struct task_ctx *task, const struct filling *filling, int root,
		     struct err *err)
{
	const struct create_root *new = filling->root;
	const struct ct_setup_credentials credentials = {
		.password = fields_get(&task->args, "password"),
		.ssh_keys = fields_get(&task->args, "ssh-public-keys"),
	};
	int r;

	if ((r = unpack(task, new, root, err)) < 0 && ct_bool_arg(task, "ignore-unpack-errors") &&
	    err->code != ERR_CANCELLED) {
		task_warn(task, "%s", err->message);
		r = 0;
	}
	if (r < 0)
		return r;
	*filling->os = ct_os_of(root, new->config);
	if ((r = ct_setup_settings(task, root, new->config, true, err)) < 0 ||
	    (r = ct_setup_new(task, root, &credentials, err)) < 0)
		return r;
	return syncfs(root) == 0 ? 0 : err_set(err, ERR_IO, "sync the new root");
}

/* What is mounted below goes first; each is written out by its own unmounting. */
static int umount_tree(const char *target)
{
	autobuf text = BUF_INIT;

	for (int tries = 0; umount2(target, 0) != 0; tries++) {
		autofree char *last = NULL;

		if (errno != EBUSY || tries > CT_MPS_MAX)
			return -1;
		buf_clear(&text);
		(void)file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL);
		autostrv char **lines = str_split(buf_str(&text), "\n");

		for (char **line = lines; *line; line++) {
			autostrv char **words = str_split(*line, " ");

			if (strv_count(words) < 5 || !ct_path_is_below(words[4], target) ||
			    str_eq(words[4], target))
				continue;
			free(last);
			last = xstrdup(words[4]);
		}
		if (!last || umount2(last, 0) != 0)
			return -1;
	}
	return 0;
}

/* The root is still empty, but a volume that was there before may hold links: the place is opened inside the root, and
 * never named again. */
static int mount_mp(int root, const struct ct_mp *mp, const char *path, struct err *err)
{
	int r = rootdir_make(root, mp->path, 0755, err);
	autofd int fd = r < 0 ? -1 : rootdir_open(root, mp->path, O_PATH | O_DIRECTORY);

	if (r < 0)
		return r;
	if (fd < 0)
		return err_errno(err, -fd, "guest's %s", mp->path);
	autofree char *place = xasprintf("/proc/self/fd/%d", fd);

	return ct_mount_volume(path, place, MS_NODEV | MS_NOSUID | MS_NOEXEC, err);
}

static int mount_mps(struct task_ctx *task, const struct create_root *new, int root,
		     struct err *err)
{
	autofree struct ct_mp *mps = NULL;
	size_t count = 0;
	int r = ct_config_mps(new->config, &mps, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		autobuf path = BUF_INIT;

		if (!mps[i].is_folder && (r = ct_mp_path(task, &mps[i], &path, err)) == 0)
			r = mount_mp(root, &mps[i], buf_str(&path), err);
	}
	return r;
}

/* In a process of its own: the mount is in its namespace alone and goes with it. */
static int fill_child(struct task_ctx *task, void *ctx, struct err *err)
{
	const struct filling *filling = ctx;
	const struct create_root *new = filling->root;
	autofree char *target = ct_mount_point(task->guest);
	int root, r;

	if ((r = ct_mount_isolate(err)) < 0 ||
	    (r = ct_mount_volume(new->volume_path, target, MS_NODEV | MS_NOSUID | MS_NOEXEC, err)) <
		    0)
		return r;
	root = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(err, ERR_IO, "open the mounted root");
	if ((r = mount_mps(task, new, root, err)) == 0)
		r = fill_root(task, filling, root, err);
	close(root);
	if (umount_tree(target) != 0 && r == 0)
		r = err_set(err, ERR_IO, "unmount the new root");
	return r;
}

/* A sparse image on a full storage: the file system inside only sees that a write failed. */
static int name_full_storage(const struct create_root *new, struct err *err)
{
	struct statvfs room;

	if (statvfs(new->volume_path, &room) == 0 &&
	    (uint64_t)room.f_bavail * room.f_frsize < FULL_BELOW)
		return err_set(err, ERR_NO_SPACE, "storage '%s': No space left on device",
			       new->storage);
	return -err->code;
}

/* What was found out about the system stays with the container, where it is seen and can be changed. */
static void keep_ostype(struct guest_config *config, const struct ct_os *os)
{
	if (os && os->ostype && !guest_config_get(config, "ostype"))
		guest_config_set(config, "ostype", os->ostype);
}

/* The image file itself must be on disk before the config says that the container is there. */
static int sync_volume(const struct create_root *new, struct err *err)
{
	autofd int fd = open(new->volume_path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return err_set(err, ERR_IO, "sync volume '%s'", new->volume_path);
	return 0;
}

static int fill(struct task_ctx *task, const struct create_root *new, struct err *err)
{
	struct filling filling = {.root = new};
	size_t size = sizeof(*filling.os);
	int r;

	filling.os = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (filling.os == MAP_FAILED)
		return err_errno(err, errno, "mmap");
	r = ct_child_run(task, fill_child, &filling, 0, err);
	if (r == 0)
		keep_ostype(new->config, *filling.os);
	munmap(filling.os, size);
	return r < 0 && err->code == ERR_IO ? name_full_storage(new, err) : r;
}

int create_root_fill(struct task_ctx *task, const struct create_root *new, struct err *err)
{
	autofree char *target = ct_mount_point(task->guest);
	int r = fill(task, new, err);

	(void)rmdir(target);
	return r < 0 ? r : sync_volume(new, err);
}
