/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls liblxc for rules of devices, in a forked step: its command socket has no deadline. */
#include "agent/guest/ct/lxc_device.h"

#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/lxc_open.h"

#define TIMEOUT (20 * USEC_PER_SEC)

struct request {
	const char *device;
	enum cgroup_access access;
};

static int turn(struct lxc_container *c, bool allow, const char *device, const char *how,
		struct err *err)
{
	autofree char *rule = xasprintf("%s %s", device, how);

	if (c->set_cgroup_item(c, allow ? "devices.allow" : "devices.deny", rule))
		return 0;
	return err_set(err, ERR_UNAVAILABLE, "liblxc could not %s device %s",
		       allow ? "allow" : "deny", rule);
}

/* "r" is always before "rw", which would cover it otherwise: turned back, too. */
static int set(struct lxc_container *c, const struct request *what, struct err *err)
{
	bool can_read = what->access != CG_NOTHING, can_write = what->access == CG_WRITE;
	int r = turn(c, can_read, what->device, "r", err);

	return r < 0 ? r : turn(c, can_write, what->device, "rw", err);
}

static int set_step(struct task_ctx *task, void *ctx, struct err *err)
{
	autofree char *lxc_path = path_join(path_run(), "ct");
	struct lxc_container *c;
	int r = lxc_open(lxc_path, task->guest, &c, err);

	if (r < 0)
		return r;
	r = set(c, ctx, err);
	lxc_container_put(c);
	return r;
}

int lxc_device_set(struct task_ctx *task, const char *device, enum cgroup_access access,
		   struct err *err)
{
	struct request what = {device, access};

	return ct_child_run(task, set_step, &what, TIMEOUT, err);
}
