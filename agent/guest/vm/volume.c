/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds storages and volumes for jobs of virtual machines. Runs in jobs. */
#include "agent/guest/vm/volume.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define DISKS_MAX 256

static int read_storages(struct storage_cfg *ret, struct err *err)
{
	autobuf text = BUF_INIT;
	int r = task_store_get("/storage.cfg", &text, NULL, err);

	if (r == 0)
		r = storage_cfg_parse(buf_str(&text), text.size, ret, err);
	return r < 0 ? err_prefix(err, "storage.cfg") : 0;
}

static bool is_usable(const struct task_ctx *task, const struct storage_def *def)
{
	const char *disable = storage_def_get(def, "disable");
	bool is_disabled = false;

	if (disable)
		str_to_bool(disable, &is_disabled);
	return !is_disabled && storage_def_is_on_node(def, task->node);
}

static int find_storage(const char *id, struct vm_storage *storage, struct err *err)
{
	int r = read_storages(&storage->cfg, err);

	if (r < 0)
		return r;
	storage->def = storage_cfg_find(&storage->cfg, id);
	if (!storage->def)
		return err_set(err, ERR_NOT_FOUND, "storage '%s' does not exist", id);
	storage->driver = storage_driver_find(storage->def->type);
	if (!storage->driver)
		return err_set(err, ERR_UNSUPPORTED, "storage '%s': type '%s' is not supported", id,
			       storage->def->type);
	return 0;
}

static int check_storage(const struct task_ctx *task, const struct vm_storage *storage,
			 enum volume_content content, struct err *err)
{
	const struct storage_def *def = storage->def;

	if (!is_usable(task, def))
		return err_set(err, ERR_UNAVAILABLE, "storage '%s' is not available on node '%s'",
			       def->id, task->node);
	if (!storage_def_has_content(def, volume_content_name(content)))
		return err_set(err, ERR_UNSUPPORTED,
			       "storage '%s' does not support content type '%s'", def->id,
			       volume_content_name(content));
	return storage->driver->activate(def, err);
}

int vm_storage_open(struct task_ctx *task, const char *id, enum volume_content content,
		    struct vm_storage *ret, struct err *err)
{
	struct vm_storage storage = {0};
	int r;

	if ((r = find_storage(id, &storage, err)) < 0 ||
	    (r = check_storage(task, &storage, content, err)) < 0) {
		vm_storage_close(&storage);
		return r;
	}
	*ret = storage;
	return 0;
}

void vm_storage_close(struct vm_storage *storage)
{
	storage_cfg_fini(&storage->cfg);
	*storage = (struct vm_storage){0};
}

static int check_owner(const struct task_ctx *task, const struct volid *volume, struct err *err)
{
	if (volume->vmid == task->guest)
		return 0;
	return err_set(err, ERR_DENIED, "volume '%s:%s' does not belong to guest %u",
		       volume->storage, volume->name, task->guest);
}

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
	struct vm_storage storage;
	autobuf path = BUF_INIT;
	int r = drive->is_cdrom ? 0 : check_owner(task, &drive->volume, err);

	if (r == 0)
		r = vm_storage_open(task, drive->storage, drive->volume.content, &storage, err);
	if (r < 0)
		return err_prefix(err, "%s", drive->key);
	r = storage.driver->path(storage.def, &drive->volume, &path, err);
	vm_storage_close(&storage);
	if (r == 0 && access(buf_str(&path), F_OK) != 0)
		r = err_set(err, ERR_NOT_FOUND, "volume '%s' does not exist", drive->volid);
	if (r < 0)
		return err_prefix(err, "%s", drive->key);
	if (!drive->is_cdrom && strchr(drive->volume.name, '/'))
		open_folder(buf_str(&path));
	*ret = buf_steal(&path);
	return 0;
}

int vm_volume_free(struct task_ctx *task, const struct volid *volume, struct err *err)
{
	struct vm_storage storage;
	int r = check_owner(task, volume, err);

	if (r == 0)
		r = vm_storage_open(task, volume->storage, VOLUME_IMAGES, &storage, err);
	if (r < 0)
		return r;
	r = storage.driver->free(storage.def, volume, err);
	vm_storage_close(&storage);
	return r == -ERR_NOT_FOUND ? 0 : r;
}

struct names {
	unsigned vmid;
	bool is_taken[DISKS_MAX];
};

static void see_name(struct names *names, const char *text)
{
	struct volid volume;
	unsigned owner, number;

	if (volid_parse(text, &volume, NULL) == 0 && volume.vmid == names->vmid &&
	    sscanf(volume.file, "vm-%u-disk-%u", &owner, &number) == 2 && number < DISKS_MAX)
		names->is_taken[number] = true;
}

static int see_volume(const struct volume_info *info, void *ctx)
{
	see_name(ctx, info->volid);
	return 0;
}

char *vm_volume_next_name(const struct vm_storage *storage, const struct guest_config *config,
			  unsigned vmid, const char *format, struct err *err)
{
	const struct fields *keys = &config->sections[0].keys;
	struct names names = {.vmid = vmid};
	autofree struct vm_drive *drives = NULL;
	size_t count = 0;

	if (storage->driver->list(storage->def, see_volume, &names, err) < 0 ||
	    vm_config_drives(config, &drives, &count, err) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++)
		see_name(&names, drives[i].volid);
	for (size_t i = 0; i < keys->count; i++)
		if (vm_unused_key(keys->items[i].name, &(unsigned){0}))
			see_name(&names, keys->items[i].value);
	for (unsigned i = 0; i < DISKS_MAX; i++) {
		if (!names.is_taken[i])
			return xasprintf("vm-%u-disk-%u.%s", vmid, i, format);
	}
	err_set(err, ERR_LIMIT, "storage '%s' has too many volumes of guest %u", storage->def->id,
		vmid);
	return NULL;
}

void vm_volume_warn_space(struct task_ctx *task, const struct vm_storage *storage, uint64_t size)
{
	struct storage_space space;

	if (storage->driver->status(storage->def, &space, NULL) == 0 && space.available < size)
		task_warn(task, "storage '%s' has less free space than the volume may grow to",
			  storage->def->id);
}

struct found {
	unsigned vmid;
	struct fields volids;
};

static int collect(const struct volume_info *info, void *ctx)
{
	struct found *found = ctx;

	if (info->vmid == found->vmid && str_eq(info->content, "images"))
		fields_add(&found->volids, "volid", info->volid);
	return 0;
}

static int free_found(struct task_ctx *task, const struct found *found, struct err *err)
{
	struct volid volume;
	int r = 0;

	for (size_t i = 0; r == 0 && i < found->volids.count; i++) {
		task_log("removing volume %s", found->volids.items[i].value);
		if ((r = volid_parse(found->volids.items[i].value, &volume, err)) == 0)
			r = vm_volume_free(task, &volume, err);
	}
	return r;
}

int vm_volumes_free_all(struct task_ctx *task, struct err *err)
{
	struct storage_cfg cfg = {0};
	struct found found = {.vmid = task->guest};
	int r = read_storages(&cfg, err);

	for (size_t i = 0; r == 0 && i < cfg.count; i++) {
		const struct storage_def *def = &cfg.items[i];
		const struct storage_driver *driver = storage_driver_find(def->type);

		if (driver && is_usable(task, def) && storage_def_has_content(def, "images") &&
		    (r = driver->activate(def, err)) == 0)
			r = driver->list(def, collect, &found, err);
	}
	if (r == 0)
		r = free_found(task, &found, err);
	fields_fini(&found.volids);
	storage_cfg_fini(&cfg);
	return r;
}
