/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a container's images mounted. Runs in jobs. */
#include "agent/guest/ct/mounted.h"

#include <fcntl.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/mount.h"
#include "agent/guest/ct/volume.h"
#include "agent/guest/volumes.h"

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
		if (!volumes[i].is_unused && str_eq(volumes[i].volume.format, "raw") &&
		    volumes[i].volume.vmid == task->guest)
			r = wait_for_one(task, &volumes[i], wait, err);
	return r;
}
