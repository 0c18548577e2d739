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
#include "agent/guest/ct/mount.h"

#define ATTACH_TIMEOUT (60 * USEC_PER_SEC)

/* What a step is about. */
struct change {
	const struct ct_record *record;
	const struct guest_config *config; /* that shall be */
	const struct ct_idmap *map;	   /* NULL: privileged */
	struct cgroup_layout layout;
	const char *groups;
	bool has_rules; /* its group names what is allowed, else all nodes that it was given work */
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
	return ct_mount_attach(task, attach->change->record->pid, &mount, err);
}

static int set_rule(struct task_ctx *task, const struct change *change, bool allow,
		    const struct ct_device_id *id, const char *how, struct err *err)
{
	autofree char *rule = xasprintf("%c %u:%u %s", id->kind, id->major, id->minor, how);

	return cgroup_device_rule(&change->layout, change->groups, task->guest, allow, rule, err);
}

/* Without rules in its group a new device needs none, unless it denies something. */
static int grant(struct task_ctx *task, const struct change *change, const struct ct_dev *dev,
		 const struct ct_device_id *id, struct err *err)
{
	int r;

	if (!change->layout.v1[CG_DEVICES] && !change->has_rules && !dev->read_only)
		return 0;
	r = set_rule(task, change, true, id, dev->read_only ? "rm" : "rwm", err);
	return r == 0 && dev->read_only ? set_rule(task, change, false, id, "w", err) : r;
}

/* Does it still have this one, by another key or as all do? */
static bool is_kept(const struct change *change, const struct ct_device_id *id)
{
	struct ct_devices devices;
	bool is_kept = cgroup_device_is_common(id->kind, id->major, id->minor);
	autofree char *prefix = xasprintf("%c %u:%u ", id->kind, id->major, id->minor);

	if (ct_devices_read(change->config, &devices, NULL) < 0)
		return true;
	for (size_t i = 0; i < devices.rules.count; i++)
		is_kept |= str_starts(devices.rules.items[i].value, prefix);
	ct_devices_fini(&devices);
	return is_kept;
}

/* Its node goes first: while that is in use nothing changes. */
static int detach(struct task_ctx *task, const struct change *change, const struct ct_dev *dev,
		  struct err *err)
{
	struct ct_device_id id;
	struct err why = ERR_INIT;
	int r = ct_mount_detach(task, change->record->pid, dev->path, err);

	if (r < 0)
		return r;
	task_log("dev%u: %s is taken away", dev->index, dev->path);
	if (ct_device_id(dev, &id, NULL) < 0 || is_kept(change, &id))
		return 0; /* unplugged from the node, or it has it all the same */
	if (set_rule(task, change, false, &id, "rwm", &why) < 0)
		task_warn(task,
			  "dev%u: whoever has it open, or its node at another place, keeps it: %s",
			  dev->index, why.message);
	return 0;
}

static int attach(struct task_ctx *task, const struct change *change, const struct ct_dev *dev,
		  struct err *err)
{
	autofree char *place = ct_mount_point(task->guest);
	autofree char *folder = xasprintf("%s.dev", place);
	struct attach step = {change, dev};
	struct ct_device_id id;
	int r;

	if ((r = ct_device_id(dev, &id, err)) < 0 || (r = grant(task, change, dev, &id, err)) < 0)
		return r;
	r = ct_child_run(task, attach_step, &step, ATTACH_TIMEOUT, err);
	(void)rmdir(folder);
	if (r < 0 && change->layout.v1[CG_DEVICES] && !is_kept(change, &id))
		(void)set_rule(task, change, false, &id, "rwm", NULL);
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
	if (now && (r = detach(task, change, now, err)) < 0)
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

/* Rules were made at its start where it may make nodes by itself, or where a device denied something (devices.h). */
static bool started_with_rules(const struct guest_config *config, const struct ct_dev *now)
{
	autofree struct ct_dev *devs = NULL;
	size_t count = 0;
	bool has = !ct_is_unprivileged(config) || (now && now->read_only);

	if (ct_config_devs(config, &devs, &count, NULL) < 0)
		return true;
	for (size_t i = 0; i < count; i++)
		has |= devs[i].read_only;
	return has;
}

int ct_live_dev(struct task_ctx *task, const struct ct_record *record,
		const struct guest_config *config, const struct ct_dev *now,
		const struct ct_dev *then, struct err *err)
{
	struct ct_idmap map;
	struct change change = {.record = record, .config = config};
	autobuf groups = BUF_INIT;
	int r = 0;

	if (ct_is_unprivileged(config)) {
		if ((r = ct_idmap_read(config, &map, err)) < 0)
			return r;
		change.map = &map;
	}
	change.has_rules = started_with_rules(config, now);
	cgroup_layout_read(&change.layout);
	if ((r = ct_groups_read(record, &groups, err)) < 0)
		return r;
	change.groups = buf_str(&groups);
	return run(task, &change, now, then, err);
}
