/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds storages and volumes for jobs of guests. Runs in jobs. */
#include "agent/task/guest/storage.h"

#include <string.h>

#include "agent/base/exec.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define DISKS_MAX     256
#define PROBE_TIMEOUT (10 * USEC_PER_SEC)

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

static int find_storage(const char *id, struct task_storage *storage, struct err *err)
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

static int check_storage(const struct task_ctx *task, const struct task_storage *storage,
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

int task_storage_open(struct task_ctx *task, const char *id, enum volume_content content,
		      struct task_storage *ret, struct err *err)
{
	struct task_storage storage = {0};
	int r;

	if ((r = find_storage(id, &storage, err)) < 0 ||
	    (r = check_storage(task, &storage, content, err)) < 0) {
		task_storage_close(&storage);
		return r;
	}
	*ret = storage;
	return 0;
}

void task_storage_close(struct task_storage *storage)
{
	storage_cfg_fini(&storage->cfg);
	*storage = (struct task_storage){0};
}

int task_volume_path(struct task_ctx *task, const struct volid *volume, enum volume_content content,
		     struct buf *ret, struct err *err)
{
	struct task_storage storage;
	int r = task_storage_open(task, volume->storage, content, &storage, err);

	if (r < 0)
		return r;
	r = storage.driver->path(storage.def, volume, ret, err);
	task_storage_close(&storage);
	return r;
}

int task_volume_free(struct task_ctx *task, const struct volid *volume, enum volume_content content,
		     struct err *err)
{
	struct task_storage storage;
	int r;

	if (volume->vmid != task->guest)
		return err_set(err, ERR_DENIED, "volume '%s:%s' does not belong to guest %u",
			       volume->storage, volume->name, task->guest);
	if ((r = task_storage_open(task, volume->storage, content, &storage, err)) < 0)
		return r;
	r = storage.driver->free(storage.def, volume, err);
	task_storage_close(&storage);
	return r == -ERR_NOT_FOUND ? 0 : r;
}

struct names {
	unsigned vmid;
	bool is_taken[DISKS_MAX];
};

static void see_name(struct names *names, const char *text)
{
	struct volid volume;
	uint64_t number;

	if (volid_parse(text, &volume, NULL) < 0 || volume.vmid != names->vmid)
		return;
	const char *at =
		strstr(volume.file, "-disk-"); /* behind vm-, base- or subvol- and the id */
	autofree char *digits = at ? xstrndup(at + 6, strcspn(at + 6, ".")) : NULL;

	if (digits && str_to_u64(digits, &number) && number < DISKS_MAX)
		names->is_taken[number] = true;
}

static int see_volume(const struct volume_info *info, void *ctx)
{
	see_name(ctx, info->volid);
	return 0;
}

char *task_volume_next_name(const struct task_storage *storage, unsigned vmid, const char *format,
			    const struct fields *known, struct err *err)
{
	struct names names = {.vmid = vmid};

	if (storage->driver->list(storage->def, see_volume, &names, err) < 0)
		return NULL;
	for (size_t i = 0; known && i < known->count; i++)
		see_name(&names, known->items[i].name);
	for (unsigned i = 0; i < DISKS_MAX; i++) {
		if (!names.is_taken[i])
			return xasprintf("%s-%u-disk-%u.%s",
					 str_eq(format, "subvol") ? "subvol" : "vm", vmid, i,
					 format);
	}
	err_set(err, ERR_LIMIT, "storage '%s' has too many volumes of guest %u", storage->def->id,
		vmid);
	return NULL;
}

void task_volume_warn_space(struct task_ctx *task, const struct task_storage *storage,
			    uint64_t size)
{
	struct storage_space space;

	if (storage->driver->status(storage->def, &space, NULL) == 0 && space.available < size)
		task_warn(task, "storage '%s' has less free space than the volume may grow to",
			  storage->def->id);
}

struct found {
	unsigned vmid;
	const char *content;
	struct fields volids;
};

static int collect(const struct volume_info *info, void *ctx)
{
	struct found *found = ctx;

	/* an image does not tell what kind of guest has it; the id is one guest's */
	bool is_disk = str_eq(info->content, "images") || str_eq(info->content, "rootdir");

	if (info->vmid == found->vmid && (is_disk || str_eq(info->content, found->content)))
		fields_add(&found->volids, "volid", info->volid);
	return 0;
}

static int free_found(struct task_ctx *task, const struct found *found, enum volume_content content,
		      struct err *err)
{
	struct volid volume;
	int r = 0;

	for (size_t i = 0; r == 0 && i < found->volids.count; i++) {
		task_log("removing volume %s", found->volids.items[i].value);
		if ((r = volid_parse(found->volids.items[i].value, &volume, err)) == 0)
			r = task_volume_free(task, &volume, content, err);
	}
	return r;
}

/* Asked in a process of its own: one that hangs must not hang the job of a guest that has nothing there. */
static int probe(const struct storage_def *def, struct err *err)
{
	autofree char *program = path_join(path_libexec(), "lodge-task");
	const char *const argv[] = {program, "helper", "storage-status", NULL};
	autofields args = FIELDS_INIT;
	autobuf input = BUF_INIT;

	storage_def_encode(def, &args);
	fields_encode(&args, &input);
	return exec_run(&(struct exec_run){.argv = argv,
					   .input = input.data,
					   .input_size = input.size,
					   .deadline = clock_monotonic() + PROBE_TIMEOUT},
			NULL, err);
}

static bool answers(struct task_ctx *task, const struct storage_def *def)
{
	struct err err = ERR_INIT;

	if (probe(def, &err) == 0)
		return true;
	task_warn(task, "storage '%s' does not answer: what the guest has there is left (%s)",
		  def->id, err.message);
	return false;
}

int task_volumes_free_all(struct task_ctx *task, enum volume_content content, struct err *err)
{
	struct storage_cfg cfg = {0};
	struct found found = {.vmid = task->guest, .content = volume_content_name(content)};
	int r = read_storages(&cfg, err);

	for (size_t i = 0; r == 0 && i < cfg.count; i++) {
		const struct storage_def *def = &cfg.items[i];
		const struct storage_driver *driver = storage_driver_find(def->type);

		if (driver && is_usable(task, def) && storage_def_has_content(def, found.content) &&
		    answers(task, def))
			r = driver->list(def, collect, &found, err);
	}
	if (r == 0)
		r = free_found(task, &found, content, err);
	fields_fini(&found.volids);
	storage_cfg_fini(&cfg);
	return r;
}
