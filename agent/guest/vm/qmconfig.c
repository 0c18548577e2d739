/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: change a virtual machine's configuration (agent/task/guest/change.h). */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"
#include "agent/guest/vm/volume.h"
#include "agent/guest/volumes.h"
#include "agent/task/guest/change.h"

struct change {
	struct guest_change base;
	struct fields unused; /* volumes of deleted drives, as unusedN names them */
};

static struct change *change_of(struct guest_change *base)
{
	return CONTAINER_OF(base, struct change, base);
}

static int free_volume(struct task_ctx *task, struct guest_change *change, const char *volid,
		       struct err *err)
{
	task_log("removing volume %s", volid);
	return guest_change_free_volume(task, change, volid, err);
}

static int check_snapshots(const struct guest_config *config, const char *volid, struct err *err)
{
	const char *snapshot = guest_volume_snapshot(&guest_kind_vm, config, volid);

	return snapshot ? err_set(err, ERR_BUSY, "snapshot '%s' needs volume '%s'", snapshot, volid)
			: 0;
}

/* The volume of an unused key that is to be deleted; it may have become a drive by the same change. */
static int check_key(const char *key, const char *volid, struct guest_config *after,
		     struct err *err)
{
	autofree char *drive = vm_volume_drive(after, volid);

	if (drive)
		return err_field(err, key, "its volume '%s' is to be drive %s", volid, drive);
	return check_snapshots(after, volid, err);
}

static int doom_deleted(struct guest_change *change, const struct guest_config *before,
			struct guest_config *after, struct err *err)
{
	autostrv char **deleted = guest_change_deleted(change);
	int r = 0;

	for (size_t i = 0; r == 0 && deleted[i]; i++) {
		const char *volid = guest_config_get(before, deleted[i]);

		if (!volid || !vm_unused_key(deleted[i], &(unsigned){0}))
			continue;
		if ((r = check_key(deleted[i], volid, after, err)) == 0)
			guest_change_doom(change, volid);
	}
	return r;
}

/* Volumes of unused keys that are to be deleted. */
static int free_deleted(struct task_ctx *task, struct guest_change *change,
			const struct guest_config *before, struct guest_config *after,
			struct err *err)
{
	autostrv char **deleted = guest_change_deleted(change);
	int r = doom_deleted(change, before, after, err);

	for (size_t i = 0; r == 0 && deleted[i]; i++) {
		const char *volid = guest_config_get(before, deleted[i]);

		if (volid && vm_unused_key(deleted[i], &(unsigned){0}))
			r = free_volume(task, change, volid, err);
	}
	return r;
}

/* Those of deleted drives alone: who may free them was asked for no others, and a drive that is replaced, or
 * a waiting one that is taken back, is not deleted. */
static void note_unused(struct change *change, const struct guest_config *before,
			const struct guest_config *after)
{
	const struct fields *keys = &after->sections[0].keys;
	autostrv char **deleted = guest_change_deleted(&change->base);

	fields_fini(&change->unused);
	for (size_t i = 0; i < keys->count; i++) {
		const struct field *f = &keys->items[i];

		if (vm_unused_key(f->name, &(unsigned){0}) &&
		    !str_eq(guest_config_get(before, f->name), f->value) &&
		    vm_drives_hold(before, deleted, f->value))
			fields_add(&change->unused, f->name, f->value);
	}
}

/* By force they go altogether, in a step of their own. */
static void doom_unused(struct task_ctx *task, struct guest_change *change,
			struct guest_config *config)
{
	const struct fields *unused = &change_of(change)->unused;

	for (size_t i = 0; i < unused->count; i++)
		if (check_snapshots(config, unused->items[i].value, NULL) == 0)
			guest_change_doom(change, unused->items[i].value);
	(void)guest_change_note_doomed(task, change, config, NULL);
}

static int update(struct task_ctx *task, struct guest_change *change, struct guest_config *config,
		  struct err *err)
{
	struct vm_record record;
	struct guest_update what = guest_change_update(
		change, vm_record_find(task->guest, &record) || vm_bool_arg(task, "is-running"));

	return guest_config_update(&guest_kind_vm, config, &what, err);
}

/* Which volumes will go, once nothing speaks against the change. */
static int doom(struct task_ctx *task, struct guest_change *change, struct guest_config *config,
		struct err *err)
{
	struct guest_config after __attribute__((cleanup(guest_config_fini)));
	int r;

	guest_config_copy(&after, config);
	if ((r = update(task, change, &after, err)) < 0 ||
	    (r = doom_deleted(change, config, &after, err)) < 0)
		return r;
	return guest_change_note_doomed(task, change, config, err);
}

static int apply(struct task_ctx *task, struct guest_change *change, struct guest_config *config,
		 struct err *err)
{
	struct guest_config before __attribute__((cleanup(guest_config_fini)));
	int r;

	guest_config_copy(&before, config);
	if ((r = update(task, change, config, err)) < 0 ||
	    (r = free_deleted(task, change, &before, config, err)) < 0)
		return r;
	guest_change_end(change, config);
	note_unused(change_of(change), &before, config);
	if (vm_bool_arg(task, "force"))
		doom_unused(task, change, config);
	return 0;
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

static int make_on(struct task_ctx *task, struct guest_change *change,
		   const struct task_storage *storage, const struct vm_drive *drive,
		   char ret[VOLID_MAX], struct err *err)
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
	if ((r = guest_change_name(task, change, volid, err)) < 0 ||
	    (r = storage->driver->alloc(storage->def, &what, ret, err)) < 0) {
		if (r == -ERR_EXISTS)
			guest_change_disown(change, volid);
		return r;
	}
	task_log("%s: volume %s, %llu MiB", drive->key, ret,
		 (unsigned long long)(drive->size >> 20));
	return 0;
}

static int make_volume(struct task_ctx *task, struct guest_change *change,
		       const struct vm_drive *drive, char ret[VOLID_MAX], struct err *err)
{
	struct task_storage storage;
	int r = task_storage_open(task, drive->storage, VOLUME_IMAGES, &storage, err);

	if (r == 0) {
		r = make_on(task, change, &storage, drive, ret, err);
		task_storage_close(&storage);
	}
	return r < 0 ? err_prefix(err, "%s", drive->key) : 0;
}

static int make_volumes(struct task_ctx *task, struct guest_change *change, struct err *err)
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
static int free_noted(struct task_ctx *task, struct guest_change *change,
		      struct guest_config *config, struct err *err)
{
	const struct fields *unused = &change_of(change)->unused;
	int r = 0;

	for (size_t i = 0; r == 0 && i < unused->count; i++) {
		const struct field *f = &unused->items[i];

		if (!str_eq(guest_config_get(config, f->name), f->value))
			continue;
		if ((r = check_snapshots(config, f->value, err)) == 0 &&
		    (r = free_volume(task, change, f->value, err)) == 0)
			guest_config_delete(config, f->name);
	}
	guest_change_end(change, config);
	return r;
}

/* Asked for by force: what the change took from its drives goes altogether. */
static int free_unused(struct task_ctx *task, struct change *change, struct err *err)
{
	change->base.is_checked = true; /* it is changed; they are looked at again */
	return change->unused.count > 0 ? guest_change_edit(task, &change->base, free_noted, err)
					: 0;
}

static int change_config(struct task_ctx *task, struct change *change, struct err *err)
{
	struct guest_change *base = &change->base;
	int r = make_volumes(task, base, err);

	if (r == 0 && base->delete_list)
		r = guest_change_edit(task, base, doom, err);
	if (r == 0)
		r = guest_change_edit(task, base, apply, err);
	if (r == 0 && vm_bool_arg(task, "force"))
		r = free_unused(task, change, err);
	return r;
}

int qmconfig_run(struct task_ctx *task, struct err *err)
{
	struct change change = {.unused = FIELDS_INIT};
	int r;

	guest_change_read(task, &guest_kind_vm, &change.base);
	if ((r = change_config(task, &change, err)) < 0)
		guest_change_undo(task, &change.base);
	guest_change_fini(&change.base);
	fields_fini(&change.unused);
	return r;
}

int qmconfig_undo_run(struct task_ctx *task, struct err *err)
{
	return guest_change_undo_run(task, &guest_kind_vm, err);
}
