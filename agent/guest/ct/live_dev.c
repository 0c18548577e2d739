/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of a running container: the rule of its control group, and the node, which comes and goes like a mount
 * point. Runs in jobs. */
#include <string.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/cgroup.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/devices.h"
#include "agent/guest/ct/items.h"
#include "agent/guest/ct/live.h"
#include "agent/guest/ct/lxc_device.h"
#include "agent/guest/ct/mount.h"

#define ATTACH_TIMEOUT (60 * USEC_PER_SEC)

/* What a step is about. */
struct change {
	const struct ct_record *record;
	const struct guest_config *others; /* what counts without the key that this is about */
	const struct ct_idmap *map;	   /* NULL: privileged */
	struct cgroup_layout layout;
	const char *groups;
};

struct attach {
	const struct change *change;
	const struct ct_dev *dev;
};

/* The node is made on a file system that is this process' alone; the container keeps the copy. */
static int attach_step(struct task_ctx *task, void *ctx, struct err *err)
{
	const struct attach *attach = ctx;
	struct ct_dev dev = *attach->dev;
	const struct ct_devices one = {.devs = &dev, .count = 1};
	autofields plan = FIELDS_INIT;
	struct ct_mount mount;
	int r;

	if ((r = ct_mount_isolate(err)) < 0 ||
	    (r = ct_devices_prepare(&one, task->guest, attach->change->map, &plan, err)) < 0)
		return r;
	if (!ct_mounts_decode(&plan, 0, &mount))
		return err_set(err, ERR_INTERNAL, "dev%u: cannot be attached", dev.index);
	return ct_mount_attach(task, attach->change->record, &mount, err);
}

static enum cgroup_access access_of(const struct ct_dev *dev)
{
	return dev->read_only ? CG_READ : CG_WRITE;
}

static enum cgroup_access more_of(enum cgroup_access a, enum cgroup_access b)
{
	return a > b ? a : b;
}

/* One without rules can make no nodes and opens what it was given: it has none until it is started with the first. */
static int set_access(struct task_ctx *task, const struct change *change,
		      const struct ct_device_id *id, enum cgroup_access access, struct err *err)
{
	autofree char *device = xasprintf("%c %u:%u", id->kind, id->major, id->minor);

	if (change->layout.v1[CG_DEVICES])
		return cgroup_device_set(&change->layout, change->groups, task->guest, device,
					 access, err);
	if (change->record->has_rules)
		return lxc_device_set(task, device, access, err);
	return access == CG_WRITE ? 0
				  : err_set(err, ERR_UNSUPPORTED,
					    "whether it has rules of devices is decided at start");
}

/* What it may do with it without the key that this is about: by another one, or as all may. */
static enum cgroup_access access_by_others(const struct change *change,
					   const struct ct_device_id *id)
{
	struct ct_devices devices;
	bool is_common = cgroup_device_is_common(id->kind, id->major, id->minor);
	enum cgroup_access access = is_common ? CG_WRITE : CG_NOTHING;
	autofree char *prefix = xasprintf("%c %u:%u ", id->kind, id->major, id->minor);

	if (ct_devices_read(change->others, &devices, NULL) < 0)
		return CG_WRITE;
	for (size_t i = 0; i < devices.rules.count; i++) {
		const char *how = str_after(devices.rules.items[i].value, prefix);

		if (how)
			access = more_of(access, strchr(how, 'w') ? CG_WRITE : CG_READ);
	}
	ct_devices_fini(&devices);
	return access;
}

static void settle_rule(struct task_ctx *task, const struct change *change,
			const struct ct_dev *dev, const struct ct_device_id *id)
{
	enum cgroup_access access = access_by_others(change, id);
	struct err why = ERR_INIT;

	if (access < access_of(dev) && set_access(task, change, id, access, &why) < 0)
		task_warn(task,
			  "dev%u: whoever has it open, or its node at another place, keeps it: %s",
			  dev->index, why.message);
}

/* Its node goes first: while that is in use nothing changes. then: what comes in its place, or NULL. */
static int detach(struct task_ctx *task, const struct change *change, const struct ct_dev *dev,
		  const struct ct_dev *then, struct err *err)
{
	struct ct_device_id id;
	int r = ct_mount_detach(task, change->record, dev->path, true, err);

	if (r < 0)
		return r;
	task_log("dev%u: %s is taken away", dev->index, dev->path);
	if (then && str_eq(then->path, dev->path))
		return 0;		       /* attaching it settles its rule */
	if (ct_device_id(dev, &id, NULL) == 0) /* it may be unplugged */
		settle_rule(task, change, dev, &id);
	return 0;
}

static bool has_rules(const struct change *change)
{
	return change->layout.v1[CG_DEVICES] || change->record->has_rules;
}

/* One that fails leaves no rule: who may make nodes would have the device by a node of its own. */
static int attach(struct task_ctx *task, const struct change *change, const struct ct_dev *dev,
		  struct err *err)
{
	autofree char *place = ct_mount_point(task->guest);
	autofree char *folder = xasprintf("%s.dev", place);
	struct attach step = {change, dev};
	struct ct_device_id id;
	int r;

	if ((r = ct_device_id(dev, &id, err)) < 0)
		return r;
	r = set_access(task, change, &id, more_of(access_of(dev), access_by_others(change, &id)),
		       err);
	if (r == 0)
		r = ct_child_run(task, attach_step, &step, ATTACH_TIMEOUT, err);
	(void)rmdir(folder);
	if (r < 0 && has_rules(change))
		settle_rule(task, change, dev, &id);
	return r;
}

static bool is_same(const struct ct_dev *a, const struct ct_dev *b)
{
	return str_eq(a->path, b->path) && a->uid == b->uid && a->gid == b->gid &&
	       a->mode == b->mode && a->read_only == b->read_only;
}

static int run(struct task_ctx *task, const struct change *change, const struct ct_dev *now,
	       const struct ct_dev *then, struct err *err)
{
	int r;

	if (now && then && is_same(now, then))
		return 0;
	if (now && (r = detach(task, change, now, then, err)) < 0)
		return r;
	if (!then)
		return 0;
	if ((r = attach(task, change, then, err)) < 0) {
		if (now && attach(task, change, now, NULL) < 0)
			task_warn(task, "dev%u: is not there any more", now->index);
		return r;
	}
	task_log("dev%u: %s is there", then->index, then->path);
	return 0;
}

int ct_live_dev(struct task_ctx *task, const struct ct_record *record,
		const struct guest_config *config, const struct ct_dev *now,
		const struct ct_dev *then, struct err *err)
{
	struct guest_config others __attribute__((cleanup(guest_config_fini))) = {0};
	autofree char *key = xasprintf("dev%u", then ? then->index : now->index);
	struct ct_idmap map;
	struct change change = {.record = record, .others = &others};
	autobuf groups = BUF_INIT;
	int r = 0;

	guest_config_copy(&others, config);
	guest_config_delete(&others, key);
	if (ct_is_unprivileged(config)) {
		if ((r = ct_idmap_read(config, &map, err)) < 0)
			return r;
		change.map = &map;
	}
	cgroup_layout_read(&change.layout);
	if ((r = ct_groups_read(record, &groups, err)) < 0)
		return r;
	change.groups = buf_str(&groups);
	return run(task, &change, now, then, err);
}
