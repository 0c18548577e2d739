/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes of containers by their ids. Runs in jobs. */
#include "agent/guest/ct/volume.h"

int ct_volume_path(struct task_ctx *task, const char *text, struct buf *ret, struct err *err)
{
	struct volid volume;
	int r = volid_parse(text, &volume, err);

	if (r < 0)
		return r;
	/* A guest's volume is a root directory here; its name alone looks like any disk image. */
	if (volume.vmid)
		volume.content = VOLUME_ROOTDIR;
	return task_volume_path(task, &volume, volume.content, ret, err);
}

int ct_volume_free(struct task_ctx *task, const char *text, struct err *err)
{
	struct volid volume;
	int r = volid_parse(text, &volume, err);

	return r < 0 ? r : task_volume_free(task, &volume, VOLUME_ROOTDIR, err);
}
