/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: change the configuration; the core checked who may. Reads again when someone else was faster,
 * unless the caller named the digest that it knows.
 *
 * A volume to make is first named in the configuration as unusedN, then made, then becomes the drive: a job
 * that is killed leaves nothing that is not named. One to free is freed before its name goes. */
#include <strings.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/guest.h"
#include "agent/guest/update.h"
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"
#include "agent/guest/vm/volume.h"
#include "agent/guest/volumes.h"

#define TRIES	   5
#define SEPARATORS ",; "

struct change {
	struct fields set;
	const char *delete_list, *revert_list;
	struct fields made;   /* volumes that this job made, key: volid */
	struct fields unused; /* volumes of deleted drives, as unusedN names them */
	bool is_checked;      /* the digest that the caller knows was there */
};

static void changes(const struct task_ctx *task, struct fields *ret)
{
	for (size_t i = 0; i < task->args.count; i++) {
		const struct field *f = &task->args.items[i];
		const char *key = str_after(f->name, "set.");

		if (key)
			fields_add_n(ret, key, f->value, f->size);
	}
}

/* What this job itself writes on its way is no other user's change. */
static int check(const struct task_ctx *task, struct change *change,
		 const struct guest_config *config, struct err *err)
{
	const char *lock = guest_config_get(config, "lock");
	const char *digest = fields_get(&task->args, "digest");

	if (lock)
		return err_set(err, ERR_BUSY, "VM is locked (%s)", lock);
	if (digest && !change->is_checked && strcasecmp(digest, config->digest) != 0)
		return err_set(
			err, ERR_CONFLICT,
			"detected modified configuration - file changed by other user? Try again.");
	change->is_checked = true;
	return 0;
}

static int free_volume(struct task_ctx *task, const char *volid, struct err *err)
{
	struct volid volume;
	int r;

	task_log("removing volume %s", volid);
	r = volid_parse(volid, &volume, err);
	return r < 0 ? r : task_volume_free(task, &volume, VOLUME_IMAGES, err);
}

static int check_snapshots(const struct guest_config *config, const char *volid, struct err *err)
{
	const char *snapshot = guest_volume_snapshot(&guest_kind_vm, config, volid);

	return snapshot ? err_set(err, ERR_BUSY, "snapshot '%s' needs volume '%s'", snapshot, volid)
			: 0;
}

/* The volume of an unused key; it may have become a drive by the same change. */
static int free_key(struct task_ctx *task, const char *key, const char *volid,
		    struct guest_config *after, struct err *err)
{
	autofree char *drive = vm_volume_drive(after, volid);

	if (drive)
		return err_field(err, key, "its volume '%s' is to be drive %s", volid, drive);
	if (check_snapshots(after, volid, err) < 0)
		return -ERR_BUSY;
	return free_volume(task, volid, err);
}

/* Volumes of unused keys that are to be deleted. */
static int free_deleted(struct task_ctx *task, const struct change *change,
			const struct guest_config *before, struct guest_config *after,
			struct err *err)
{
	autostrv char **deleted = str_split(change->delete_list ?: "", SEPARATORS);
	int r = 0;

	for (size_t i = 0; r == 0 && deleted[i]; i++) {
		const char *volid = guest_config_get(before, deleted[i]);

		if (volid && vm_unused_key(deleted[i], &(unsigned){0}))
			r = free_key(task, deleted[i], volid, after, err);
	}
	return r;
}

/* Those of deleted drives alone: who may free them was asked for no others, and a drive that is replaced, or
 * a waiting one that is taken back, is not deleted. */
static void note_unused(struct change *change, const struct guest_config *before,
			const struct guest_config *after)
{
	const struct fields *keys = &after->sections[0].keys;
	autostrv char **deleted = str_split(change->delete_list ?: "", SEPARATORS);

	fields_fini(&change->unused);
	for (size_t i = 0; i < keys->count; i++) {
		const struct field *f = &keys->items[i];

		if (vm_unused_key(f->name, &(unsigned){0}) &&
		    !str_eq(guest_config_get(before, f->name), f->value) &&
		    vm_drives_hold(before, deleted, f->value))
			fields_add(&change->unused, f->name, f->value);
	}
}

static int apply(struct task_ctx *task, struct change *change, struct guest_config *config,
		 struct err *err)
{
	struct guest_config before __attribute__((cleanup(guest_config_fini)));
	struct vm_record record;
	struct guest_update update = {
		.set = &change->set,
		.delete_list = change->delete_list,
		.revert_list = change->revert_list,
		.is_running =
			vm_record_find(task->guest, &record) || vm_bool_arg(task, "is-running"),
	};
	int r;

	guest_config_copy(&before, config);
	if ((r = guest_config_update(&guest_kind_vm, config, &update, err)) < 0 ||
	    (r = free_deleted(task, change, &before, config, err)) < 0)
		return r;
	note_unused(change, &before, config);
	return 0;
}

/* Reads, edits and writes; again when someone else was faster and the caller did not say what it knows. */
static int edit(struct task_ctx *task, struct change *change,
		int (*step)(struct task_ctx *task, struct change *change,
			    struct guest_config *config, struct err *err),
		struct err *err)
{
	for (int i = 0;; i++) {
		struct guest_config config;
		uint64_t version;
		int r = task_config_get(task, "qemu", &config, &version, err);

		if (r < 0)
			return r;
		if ((r = check(task, change, &config, err)) == 0 &&
		    (r = step(task, change, &config, err)) == 0)
			r = task_config_put(task, "qemu", &config, version, err);
		guest_config_fini(&config);
		if (r != -ERR_CONFLICT || fields_get(&task->args, "digest") || i >= TRIES)
			return r;
	}
}

/* The volume that is to be made next stands last. */
static int name_made(struct task_ctx *task, struct change *change, struct guest_config *config,
		     struct err *err)
{
	const char *volid = change->made.items[change->made.count - 1].name;

	(void)task;
	return vm_unused_add(config, volid, NULL)
		       ? 0
		       : err_set(err, ERR_LIMIT, "there are too many unused volumes");
}

/* A write whose answer was lost may have made drives of them. Writing the configuration again makes a write
 * that is still on its way come too late. */
static int keep_drives(struct task_ctx *task, struct change *change, struct guest_config *config,
		       struct err *err)
{
	(void)task;
	(void)err;
	for (size_t i = 0; i < change->made.count;) {
		autofree char *volid = xstrdup(change->made.items[i].name);
		autofree char *drive = vm_volume_drive(config, volid);

		if (drive) {
			task_log("volume %s is drive %s and stays", volid, drive);
			fields_remove(&change->made, volid);
		} else {
			i++;
		}
	}
	return 0;
}

static int drop_made(struct task_ctx *task, struct change *change, struct guest_config *config,
		     struct err *err)
{
	(void)task;
	(void)err;
	for (size_t i = 0; i < config->sections[0].keys.count;) {
		const struct field *f = &config->sections[0].keys.items[i];

		if (vm_unused_key(f->name, &(unsigned){0}) &&
		    fields_find(&change->made, f->value)) {
			autofree char *key = xstrdup(f->name);

			guest_config_delete(config, key);
		} else {
			i++;
		}
	}
	return 0;
}

static void undo_made(struct task_ctx *task, struct change *change)
{
	struct err err = ERR_INIT;
	int r;

	if (change->made.count == 0)
		return;
	task_log("change failed: removing what was made");
	change->is_checked = true;
	r = edit(task, change, keep_drives, &err);
	for (size_t i = 0; r == 0 && i < change->made.count; i++) {
		struct volid volume;

		if ((r = volid_parse(change->made.items[i].name, &volume, &err)) == 0)
			r = task_volume_free(task, &volume, VOLUME_IMAGES, &err);
	}
	if (r == 0 && change->made.count > 0)
		r = edit(task, change, drop_made, &err);
	if (r < 0)
		task_warn(task, "could not remove everything: %s", err.message);
}

static char *next_name(struct task_ctx *task, const struct task_storage *storage,
		       const struct vm_drive *drive, struct err *err)
{
	struct guest_config config;
	int r = task_config_get(task, "qemu", &config, NULL, err);

	if (r < 0)
		return NULL;
	char *name = vm_volume_next_name(storage, &config, task->guest, drive->format, err);

	guest_config_fini(&config);
	return name;
}

static int make_on(struct task_ctx *task, struct change *change, const struct task_storage *storage,
		   const struct vm_drive *drive, char ret[VOLID_MAX], struct err *err)
{
	autofree char *name = next_name(task, storage, drive, err);
	struct volume_alloc what = {.vmid = task->guest,
				    .content = VOLUME_IMAGES,
				    .format = drive->format,
				    .name = name,
				    .size = drive->size};
	int r;

	if (!name)
		return -err->code;
	autofree char *volid = xasprintf("%s:%u/%s", storage->def->id, task->guest, name);

	task_volume_warn_space(task, storage, drive->size);
	fields_add(&change->made, volid, "");
	if ((r = edit(task, change, name_made, err)) < 0 ||
	    (r = storage->driver->alloc(storage->def, &what, ret, err)) < 0) {
		/* not ours: it must not be freed */
		if (r == -ERR_EXISTS)
			fields_remove(&change->made, volid);
		return r;
	}
	task_log("%s: volume %s, %llu MiB", drive->key, ret,
		 (unsigned long long)(drive->size >> 20));
	return 0;
}

static int make_volume(struct task_ctx *task, struct change *change, const struct vm_drive *drive,
		       char ret[VOLID_MAX], struct err *err)
{
	struct task_storage storage;
	int r = task_storage_open(task, drive->storage, VOLUME_IMAGES, &storage, err);

	if (r == 0) {
		r = make_on(task, change, &storage, drive, ret, err);
		task_storage_close(&storage);
	}
	return r < 0 ? err_prefix(err, "%s", drive->key) : 0;
}

static int make_volumes(struct task_ctx *task, struct change *change, struct err *err)
{
	for (size_t i = 0; i < change->set.count; i++) {
		struct field *f = &change->set.items[i];
		struct vm_drive drive;
		enum vm_bus bus;
		unsigned index;
		char volid[VOLID_MAX];
		int r;

		if (!vm_drive_key(f->name, &bus, &index) ||
		    vm_drive_parse(f->name, f->value, &drive, NULL) < 0 || !drive.is_new)
			continue;
		if ((r = task_check_cancelled(err)) < 0 ||
		    (r = make_volume(task, change, &drive, volid, err)) < 0)
			return r;
		autofree char *name = xstrdup(f->name);
		autofree char *value = vm_drive_value(f->value, volid, drive.size);

		fields_set(&change->set, name, value);
	}
	return 0;
}

/* What became of the keys meanwhile is another user's. */
static int free_noted(struct task_ctx *task, struct change *change, struct guest_config *config,
		      struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < change->unused.count; i++) {
		const struct field *f = &change->unused.items[i];

		if (!str_eq(guest_config_get(config, f->name), f->value))
			continue;
		if ((r = check_snapshots(config, f->value, err)) == 0 &&
		    (r = free_volume(task, f->value, err)) == 0)
			guest_config_delete(config, f->name);
	}
	return r;
}

/* Asked for by force: what the change took from its drives goes altogether. */
static int free_unused(struct task_ctx *task, struct change *change, struct err *err)
{
	return change->unused.count > 0 ? edit(task, change, free_noted, err) : 0;
}

int qmconfig_run(struct task_ctx *task, struct err *err)
{
	struct change change = {.delete_list = fields_get(&task->args, "delete"),
				.revert_list = fields_get(&task->args, "revert")};
	int r;

	changes(task, &change.set);
	if ((r = make_volumes(task, &change, err)) < 0 || (r = edit(task, &change, apply, err)) < 0)
		undo_made(task, &change);
	else if (vm_bool_arg(task, "force"))
		r = free_unused(task, &change, err);
	fields_fini(&change.set);
	fields_fini(&change.made);
	fields_fini(&change.unused);
	return r;
}
