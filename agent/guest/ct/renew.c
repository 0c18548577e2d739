/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a copy's own identity into its root volume, in a process and a mount namespace of its own. Runs in jobs. */
#include "agent/guest/ct/renew.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/setup.h"
#include "agent/guest/ct/volume.h"

#define TIMEOUT (300 * USEC_PER_SEC) /* a journal may have to be played */

struct renewal {
	const struct guest_config *config;
	struct buf path;
};

static int write_identity(struct task_ctx *task, const struct renewal *renewal, int root,
			  struct err *err)
{
	const struct ct_setup_credentials none = {0};
	int r;

	if ((r = ct_setup_settings(task, root, renewal->config, false, err)) < 0 ||
	    (r = ct_setup_new(task, root, &none, err)) < 0)
		return r;
	return syncfs(root) == 0 ? 0 : err_set(err, ERR_IO, "sync the new root");
}

static int renew_child(struct task_ctx *task, void *ctx, struct err *err)
{
	struct renewal *renewal = ctx;
	autofree char *target = ct_mount_point(task->guest);
	int root, r;

	if ((r = ct_mount_isolate(err)) < 0 ||
	    (r = ct_mount_volume(buf_str(&renewal->path), target, MS_NODEV | MS_NOSUID | MS_NOEXEC,
				 err)) < 0)
		return r;
	root = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(err, ERR_IO, "open the mounted root");
	r = write_identity(task, renewal, root, err);
	close(root);
	if (umount2(target, 0) != 0 && r == 0)
		r = err_set(err, ERR_IO, "unmount the new root");
	return r;
}

int ct_renew(struct task_ctx *task, const struct guest_config *config, struct err *err)
{
	autofree char *target = ct_mount_point(task->guest);
	struct renewal renewal = {.config = config};
	struct ct_rootfs rootfs;
	int r = ct_config_rootfs(config, &rootfs, err);

	if (r == 0)
		r = ct_volume_path(task, rootfs.volume, &renewal.path, err);
	if (r == 0)
		r = ct_child_run(task, renew_child, &renewal, TIMEOUT, err);
	buf_fini(&renewal.path);
	(void)rmdir(target);
	return r < 0 ? err_prefix(err, "give the copy an identity of its own") : 0;
}
