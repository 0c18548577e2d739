/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds storages and volumes for container jobs. Runs in jobs. */
#include "agent/guest/ct/volume.h"

#include <stdio.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define DISKS_MAX 256

static int find_storage(const char *id, struct ct_storage *storage, struct err *err)
{
	autobuf text = BUF_INIT;
	int r;

	if ((r = task_store_get("/storage.cfg", &text, NULL, err)) < 0)
		return r;
	if ((r = storage_cfg_parse(buf_str(&text), text.size, &storage->cfg, err)) < 0)
		return err_prefix(err, "storage.cfg");
	storage->def = storage_cfg_find(&storage->cfg, id);
	if (!storage->def)
		return err_set(err, ERR_NOT_FOUND, "storage '%s' does not exist", id);
	storage->driver = storage_driver_find(storage->def->type);
	if (!storage->driver)
		return err_set(err, ERR_UNSUPPORTED, "storage '%s': type '%s' is not supported", id,
			       storage->def->type);
	return 0;
}

static int check_storage(struct task_ctx *task, const struct ct_storage *storage,
			 enum volume_content content, struct err *err)
{
	const struct storage_def *def = storage->def;
	const char *disable = storage_def_get(def, "disable");
	bool is_disabled = false;

	if ((disable && str_to_bool(disable, &is_disabled) && is_disabled) ||
	    !storage_def_is_on_node(def, task->node))
		return err_set(err, ERR_UNAVAILABLE, "storage '%s' is not available on node '%s'",
			       def->id, task->node);
	if (!storage_def_has_content(def, volume_content_name(content)))
		return err_set(err, ERR_UNSUPPORTED,
			       "storage '%s' does not support content type '%s'", def->id,
			       volume_content_name(content));
	return storage->driver->activate(def, err);
}

int ct_storage_open(struct task_ctx *task, const char *id, enum volume_content content,
		    struct ct_storage *ret, struct err *err)
{
	struct ct_storage storage = {0};
	int r;

	if ((r = find_storage(id, &storage, err)) < 0 ||
	    (r = check_storage(task, &storage, content, err)) < 0) {
		ct_storage_close(&storage);
		return r;
	}
	*ret = storage;
	return 0;
}

void ct_storage_close(struct ct_storage *storage)
{
	storage_cfg_fini(&storage->cfg);
	*storage = (struct ct_storage){0};
}

int ct_volume_path(struct task_ctx *task, const char *text, struct buf *ret, struct err *err)
{
	struct ct_storage storage;
	struct volid volume;
	int r;

	if ((r = volid_parse(text, &volume, err)) < 0)
		return r;
	/* A guest's volume is a root directory here; its name alone looks like any disk image. */
	if (volume.vmid)
		volume.content = VOLUME_ROOTDIR;
	if ((r = ct_storage_open(task, volume.storage, volume.content, &storage, err)) < 0)
		return r;
	r = storage.driver->path(storage.def, &volume, ret, err);
	ct_storage_close(&storage);
	return r;
}

int ct_volume_free(struct task_ctx *task, const char *text, struct err *err)
{
	struct ct_storage storage;
	struct volid volume;
	int r;

	if ((r = volid_parse(text, &volume, err)) < 0)
		return r;
	if (volume.vmid != task->guest)
		return err_set(err, ERR_DENIED, "volume '%s' does not belong to guest %u", text,
			       task->guest);
	if ((r = ct_storage_open(task, volume.storage, VOLUME_ROOTDIR, &storage, err)) < 0)
		return r;
	r = storage.driver->free(storage.def, &volume, err);
	ct_storage_close(&storage);
	return r == -ERR_NOT_FOUND ? 0 : r;
}

struct names {
	unsigned vmid;
	bool is_taken[DISKS_MAX];
};

static int see_volume(const struct volume_info *info, void *ctx)
{
	struct names *names = ctx;
	struct volid volume;
	unsigned owner, number;

	if (info->vmid == names->vmid && volid_parse(info->volid, &volume, NULL) == 0 &&
	    sscanf(volume.file, "vm-%u-disk-%u", &owner, &number) == 2 && number < DISKS_MAX)
		names->is_taken[number] = true;
	return 0;
}

char *ct_volume_next_name(const struct ct_storage *storage, unsigned vmid, struct err *err)
{
	struct names names = {.vmid = vmid};

	if (storage->driver->list(storage->def, see_volume, &names, err) < 0)
		return NULL;
	for (unsigned i = 0; i < DISKS_MAX; i++)
		if (!names.is_taken[i])
			return xasprintf("vm-%u-disk-%u.raw", vmid, i);
	err_set(err, ERR_LIMIT, "storage '%s' has too many volumes of guest %u", storage->def->id,
		vmid);
	return NULL;
}
