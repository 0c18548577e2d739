/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths and names of virtual machines' volumes. Runs in jobs. */
#include "agent/guest/vm/volume.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/qcow2.h"

/* The emulator may run as a user of its own, which opens the image by its path: it must be able to pass
 * through the guest's folder, whose files stay closed to others. */
static void open_folder(const char *path)
{
	autofree char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	*slash = '\0';
	(void)chmod(folder, 0711);
}

int vm_volume_path(struct task_ctx *task, const struct vm_drive *drive, char **ret, struct err *err)
{
	autobuf path = BUF_INIT;
	int r = 0;

	if (!drive->is_cdrom && drive->volume.vmid != task->guest)
		r = err_set(err, ERR_DENIED, "volume '%s' does not belong to guest %u",
			    drive->volid, task->guest);
	if (r == 0)
		r = task_volume_path(task, &drive->volume, drive->volume.content, &path, err);
	if (r == 0 && access(buf_str(&path), F_OK) != 0)
		r = err_set(err, ERR_NOT_FOUND, "volume '%s' does not exist", drive->volid);
	if (r == 0 && !drive->is_cdrom)
		r = qcow2_check(buf_str(&path), &drive->volume, err);
	if (r < 0)
		return err_prefix(err, "%s", drive->key);
	if (!drive->is_cdrom && strchr(drive->volume.name, '/'))
		open_folder(buf_str(&path));
	*ret = buf_steal(&path);
	return 0;
}

int vm_volume_base_path(struct task_ctx *task, const struct vm_drive *drive, char **ret,
			struct err *err)
{
	autobuf path = BUF_INIT;
	struct volid base;
	int r;

	*ret = NULL;
	if (drive->is_cdrom || !drive->volume.base[0])
		return 0;
	if ((r = volid_base(&drive->volume, &base, err)) == 0)
		r = task_volume_path(task, &base, base.content, &path, err);
	if (r == 0 && access(buf_str(&path), F_OK) != 0)
		r = err_set(err, ERR_NOT_FOUND, "its base volume '%s:%s' does not exist",
			    base.storage, base.name);
	if (r < 0)
		return err_prefix(err, "%s", drive->key);
	open_folder(buf_str(&path));
	*ret = buf_steal(&path);
	return 0;
}

char *vm_volume_next_name(const struct task_storage *storage, const struct guest_config *config,
			  unsigned vmid, const char *format, struct err *err)
{
	const struct fields *keys = &config->sections[0].keys;
	autofree struct vm_drive *drives = NULL;
	autofields known = FIELDS_INIT;
	size_t count = 0;

	if (vm_config_drives(config, &drives, &count, err) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++)
		fields_add(&known, drives[i].volid, "");
	for (size_t i = 0; i < keys->count; i++)
		if (vm_unused_key(keys->items[i].name, &(unsigned){0}))
			fields_add(&known, keys->items[i].value, "");
	return task_volume_next_name(storage, vmid, format, &known, err);
}
