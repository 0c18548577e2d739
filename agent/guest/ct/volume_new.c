/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes and frees volumes of mount points. Runs in jobs. */
#include "agent/guest/ct/volume_new.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/filesystem.h"

/* Volume ids as the names of fields. */
static void known_volumes(const struct guest_config *config, struct fields *ret)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct fields *keys = &config->sections[i].keys;

		for (size_t k = 0; k < keys->count; k++) {
			autofree char *volume =
				xstrndup(keys->items[k].value, strcspn(keys->items[k].value, ","));

			if (strchr(volume, ':'))
				fields_add(ret, volume, "");
		}
	}
}

int ct_new_volume_open(struct task_ctx *task, const struct ct_mp *mp,
		       const struct guest_config *config, struct ct_new_volume *ret,
		       struct err *err)
{
	struct ct_new_volume volume = {.size = mp->size};
	autofields known = FIELDS_INIT;
	int r = task_storage_open(task, mp->storage, VOLUME_ROOTDIR, &volume.storage, err);

	if (r < 0)
		return err_prefix(err, "mp%u", mp->index);
	known_volumes(config, &known);
	volume.format = volume_default_format(volume.storage.def->type, VOLUME_ROOTDIR);
	volume.name =
		task_volume_next_name(&volume.storage, task->guest, volume.format, &known, err);
	if (!volume.name) {
		ct_new_volume_close(&volume);
		return err_prefix(err, "mp%u: storage '%s'", mp->index, mp->storage);
	}
	snprintf(volume.volid, sizeof(volume.volid), "%s:%u/%s", volume.storage.def->id,
		 task->guest, volume.name);
	*ret = volume;
	return 0;
}

void ct_new_volume_close(struct ct_new_volume *volume)
{
	task_storage_close(&volume->storage);
	free(volume->name);
	*volume = (struct ct_new_volume){0};
}

int ct_volume_mkfs(const char *path, struct err *err)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? 0 : filesystem_make(path, err);
}

int ct_new_volume_make(struct task_ctx *task, struct ct_new_volume *volume, struct err *err)
{
	const struct storage_def *def = volume->storage.def;
	struct volume_alloc what = {.vmid = task->guest,
				    .content = VOLUME_ROOTDIR,
				    .format = volume->format,
				    .name = volume->name,
				    .size = volume->size};
	autobuf path = BUF_INIT;
	struct volid parsed;
	int r;

	task_volume_warn_space(task, &volume->storage, volume->size);
	r = volume->storage.driver->alloc(def, &what, volume->volid, err);
	if (r < 0)
		return r;
	task_log("volume %s, %llu MiB", volume->volid, (unsigned long long)(volume->size >> 20));
	if ((r = volid_parse(volume->volid, &parsed, err)) < 0 ||
	    (r = volume->storage.driver->path(def, &parsed, &path, err)) < 0)
		return r;
	return ct_volume_mkfs(buf_str(&path), err);
}
