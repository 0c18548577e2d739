/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mount points of a running container. Runs in jobs. */
#include <string.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/child.h"
#include "agent/guest/ct/items.h"
#include "agent/guest/ct/live.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/mounts.h"
#include "agent/guest/ct/volume.h"

#define ATTACH_TIMEOUT (60 * USEC_PER_SEC)

struct attach {
	const struct ct_record *record;
	const struct ct_mp *mp;
	const char *path;
	bool is_unprivileged;
};

/* The mount at its place on the host is this process' alone; the container keeps the copy. */
static int attach_step(struct task_ctx *task, void *ctx, struct err *err)
{
	const struct attach *attach = ctx;
	struct ct_mount mount;
	int r;

	if ((r = ct_mount_isolate(err)) < 0 ||
	    (r = ct_mount_prepare(attach->mp, attach->path, task->guest, attach->is_unprivileged,
				  &mount, err)) < 0)
		return r;
	return ct_mount_attach(task, attach->record, &mount, err);
}

static int attach(struct task_ctx *task, const struct ct_record *record,
		  const struct guest_config *config, const struct ct_mp *mp, struct err *err)
{
	autofree char *point = ct_mount_point(task->guest);
	autofree char *place = xasprintf("%s.mp%u", point, mp->index);
	autobuf path = BUF_INIT;
	int r = ct_mp_path(task, mp, &path, err);

	if (r < 0)
		return r;
	struct attach step = {record, mp, buf_str(&path), ct_is_unprivileged(config)};

	r = ct_child_run(task, attach_step, &step, ATTACH_TIMEOUT, err);
	(void)rmdir(place);
	return r;
}

static bool is_same_mount(const struct ct_mp *a, const struct ct_mp *b)
{
	return volid_text_same(a->volume, b->volume) && str_eq(a->path, b->path) &&
	       a->flags == b->flags && a->read_only == b->read_only && a->discard == b->discard &&
	       a->acl == b->acl && a->keep_attributes == b->keep_attributes;
}

int ct_live_mp(struct task_ctx *task, const struct ct_record *record,
	       const struct guest_config *config, const struct ct_mp *now, const struct ct_mp *then,
	       struct err *err)
{
	int r;

	if (now && then && is_same_mount(now, then))
		return 0;
	if (now && (r = ct_mount_detach(task, record, now->path, false, err)) < 0)
		return r;
	if (now)
		task_log("mp%u: unmounted from %s", now->index, now->path);
	if (!then)
		return 0;
	if ((r = attach(task, record, config, then, err)) < 0) {
		/* as it was, so that what counts says what is */
		if (now && attach(task, record, config, now, NULL) < 0)
			task_warn(task, "mp%u: is not mounted any more", now->index);
		return r;
	}
	task_log("mp%u: mounted on %s", then->index, then->path);
	return 0;
}
