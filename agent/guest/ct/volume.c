/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes of containers by their ids. Runs in jobs. */
#include "agent/guest/ct/volume.h"

#include <stdio.h>
#include <sys/stat.h>

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

int ct_mp_path(struct task_ctx *task, const struct ct_mp *mp, struct buf *ret, struct err *err)
{
	struct stat st;
	char key[16];
	int r;

	snprintf(key, sizeof(key), "mp%u", mp->index);
	if (!mp->is_folder) {
		r = ct_volume_path(task, mp->volume, ret, err);
		return r < 0 ? err_prefix(err, "%s", key) : 0;
	}
	if (stat(mp->volume, &st) != 0 || !S_ISDIR(st.st_mode))
		return err_field(err, key, "'%s' is no folder of this node", mp->volume);
	buf_add_str(ret, mp->volume);
	buf_str(ret);
	return 0;
}
