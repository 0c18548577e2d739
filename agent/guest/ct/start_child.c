/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forked step of a start: mounts, settings inside, liblxc. Its mount namespace is the one of the container's
 * monitor and of its hooks. */
#include "agent/guest/ct/start.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/mount.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/image.h"
#include "agent/guest/ct/lxc_start.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/record.h"
#include "agent/guest/ct/setup.h"
#include "agent/task/guest/record.h"

#define SECCOMP_MAX (1024 * 1024)

/* No MS_NOSUID: it would carry into the container, and su, sudo and ping need setuid there. Device
 * nodes are of no use without privileges. */
static unsigned long mount_flags(const struct start *start)
{
	return (ct_is_unprivileged(&start->config) ? MS_NODEV : 0) | start->rootfs.flags |
	       (start->rootfs.read_only ? MS_RDONLY : 0);
}

static int mount_root(struct task_ctx *task, const struct start *start, const char *target,
		      enum ct_init *ret_init, struct err *err)
{
	const struct ct_mount_tuning tuning = {start->rootfs.discard, start->rootfs.acl};
	autofd int root = -1;
	int r;

	if ((r = ct_mount_isolate(err)) < 0 ||
	    (r = ct_mount_volume(start->volume.data, target, mount_flags(start), err)) < 0 ||
	    (r = ct_mount_tune(start->volume.data, target, mount_flags(start), &tuning, err)) < 0)
		return r;
	root = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(err, ERR_IO, "open the mounted root");
	*ret_init = ct_init_detect(root);
	if (start->rootfs.read_only)
		return 0;
	return ct_setup_settings(task, root, &start->config, false, err);
}

/* What is mounted from outside goes into the plan of the hook that comes before init. */
static int mount_others(struct task_ctx *task, const struct start *start, struct fields *plan,
			struct err *err)
{
	bool is_unprivileged = ct_is_unprivileged(&start->config);
	int r = 0;

	for (size_t i = 0; r == 0 && i < start->mp_count; i++) {
		struct ct_mount mount;

		r = ct_mount_prepare(&start->mps[i], start->mp_paths[i], task->guest,
				     is_unprivileged, &mount, err);
		if (r == 0)
			ct_mounts_encode(&mount, plan);
	}
	if (r == 0)
		r = ct_devices_prepare(&start->devices, task->guest,
				       is_unprivileged ? &start->host.idmap : NULL, plan, err);
	return r;
}

/* No other start, of this container or another one, has this name. */
static char *new_name(void)
{
	uint64_t number;

	random_bytes(&number, sizeof(number));
	return xasprintf("%016" PRIx64, number);
}

static int write_plan(const struct task_ctx *task, const struct start *start, const char *name,
		      const struct fields *items, struct fields *plan, struct err *err)
{
	fields_add(plan, "start", name);
	fields_add(plan, "script", start->script.size ? start->script.data : NULL);
	fields_add(plan, "rules", ct_items_name_devices(items) ? "1" : "0");
	return task_record_write_beside(task->guest, CT_PLAN_SUFFIX, plan, err);
}

/* The profile of this start, where the features ask for another one than that of all. */
static int write_seccomp(struct task_ctx *task, struct start *start, char **ret, struct err *err)
{
	autofree char *path = path_join(path_run(), "ct/%u.seccomp", task->guest);
	autobuf base = BUF_INIT, text = BUF_INIT;
	int r;

	if (!start->host.seccomp)
		return 0;
	if ((r = file_read(start->host.seccomp, SECCOMP_MAX, &base, err)) < 0)
		return r;
	ct_seccomp_text(buf_str(&base), &start->features, ct_is_unprivileged(&start->config),
			&text);
	if (text.size == 0)
		return 0;
	if ((r = file_write_atomic(path, text.data, text.size, 0600, err)) < 0)
		return r;
	*ret = TAKE(path);
	start->host.seccomp = *ret;
	return 0;
}

int ct_start_child(struct task_ctx *task, void *ctx, struct err *err)
{
	struct start *start = ctx;
	autofree char *lxc_path = path_join(path_run(), "ct");
	autofree char *log = path_join(path_run(), "ct/%u.log", task->guest);
	autofree char *target = ct_mount_point(task->guest);
	autofree char *seccomp = NULL, *name = new_name();
	autofields items = FIELDS_INIT, plan = FIELDS_INIT, warnings = FIELDS_INIT;
	enum ct_init init = CT_INIT_OTHER;
	int r;

	if ((r = mount_root(task, start, target, &init, err)) < 0 ||
	    (r = mount_others(task, start, &plan, err)) < 0 ||
	    (r = write_seccomp(task, start, &seccomp, err)) < 0)
		return r;
	const struct ct_items in = {.config = &start->config,
				    .host = &start->host,
				    .vmid = task->guest,
				    .rootfs = target,
				    .devices = &start->devices.rules,
				    .denies_devices = start->devices.denies,
				    .halt_signal = ct_halt_signal(&start->config, init),
				    .start = name};
	if ((r = ct_items_build(&in, &items, &warnings, err)) < 0 ||
	    (r = write_plan(task, start, name, &items, &plan, err)) < 0)
		return r;
	for (size_t i = 0; i < warnings.count; i++)
		task_warn(task, "%s", warnings.items[i].value);
	return lxc_start_items(lxc_path, task->guest, &items, log, start->is_debug, err);
}
