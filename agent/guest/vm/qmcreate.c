/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: create a virtual machine's volumes. The config with "lock: create" is there before; each volume is noted in
 * it before it is made (agent/task/guest/creation.h), so that undoing finds it. */
#include <stdio.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"
#include "agent/guest/vm/volume.h"
#include "agent/guest/vm_schema.h"
#include "agent/task/guest/creation.h"

#define DISK_PREFIX "disk."
#define MIB	    (1024.0 * 1024.0)

struct create {
	struct guest_config config;
	uint64_t version;
	struct fields unmade; /* id of the volume that is noted, but not made by us yet */
};

static int store_config(struct task_ctx *task, struct create *create, struct err *err)
{
	int r = task_config_put(task, "qemu", &create->config, create->version, err);

	if (r < 0)
		return r;
	guest_config_fini(&create->config);
	create->config = (struct guest_config){0};
	return task_config_get(task, "qemu", &create->config, &create->version, err);
}

/* Names it in the config, makes it, and corrects the name if the driver chose another. */
static int make_named(struct task_ctx *task, struct create *create,
		      const struct task_storage *storage, const struct vm_drive *drive,
		      const char *value, const char *name, struct err *err)
{
	autofree char *planned = xasprintf("%s:%u/%s", storage->def->id, task->guest, name);
	autofree char *stored = vm_drive_value(value, planned, drive->size);
	struct volume_alloc what = {.vmid = task->guest,
				    .content = VOLUME_IMAGES,
				    .format = drive->format,
				    .name = name,
				    .size = drive->size};
	char volid[VOLID_MAX];
	int r;

	fields_set(&create->unmade, planned, "");
	guest_creation_note(&create->config, planned);
	guest_config_set(&create->config, drive->key, stored);
	if ((r = store_config(task, create, err)) < 0 ||
	    (r = storage->driver->alloc(storage->def, &what, volid, err)) < 0)
		return err_prefix(err, "%s", drive->key);
	fields_remove(&create->unmade, planned);
	task_log("%s: volume %s, %.0f MiB", drive->key, volid, (double)drive->size / MIB);
	if (str_eq(volid, planned))
		return 0;
	autofree char *corrected = vm_drive_value(value, volid, drive->size);

	guest_config_set(&create->config, drive->key, corrected);
	guest_creation_disown(&create->config, planned);
	guest_creation_note(&create->config, volid);
	return store_config(task, create, err);
}

static int make_volume(struct task_ctx *task, struct create *create, const char *key,
		       const char *value, struct err *err)
{
	struct task_storage storage;
	struct vm_drive drive;
	int r;

	if ((r = vm_drive_parse(key, value, &drive, err)) < 0)
		return r;
	if (!drive.is_new)
		return err_field(err, key, "no new volume is asked for");
	if ((r = task_storage_open(task, drive.storage, VOLUME_IMAGES, &storage, err)) < 0)
		return err_prefix(err, "%s", key);
	task_volume_warn_space(task, &storage, drive.size);
	autofree char *name =
		vm_volume_next_name(&storage, &create->config, task->guest, drive.format, err);

	r = name ? make_named(task, create, &storage, &drive, value, name, err) : -err->code;
	task_storage_close(&storage);
	return r;
}

static int create_steps(struct task_ctx *task, struct create *create, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < task->args.count; i++) {
		const struct field *f = &task->args.items[i];
		const char *key = str_after(f->name, DISK_PREFIX);

		if (key && (r = task_check_cancelled(err)) == 0)
			r = make_volume(task, create, key, f->value, err);
	}
	if (r < 0)
		return r;
	guest_creation_end(&create->config);
	return store_config(task, create, err);
}

static void undo(struct task_ctx *task, const struct create *create)
{
	const struct guest_creation made = {.ops = &guest_kind_vm, .foreign = &create->unmade};
	struct err err = ERR_INIT;

	task_log("creation failed: removing what was made");
	if (guest_creation_undo(task, &made, &err) < 0)
		task_leave(task, "could not remove everything: %s", err.message);
}

/* The machine is made all the same: it may be meant for another time, or another node. */
static void warn_kvm(struct task_ctx *task, const struct guest_config *config)
{
	struct err err = ERR_INIT;
	bool wants_kvm = true;

	str_to_bool(guest_config_get(config, "kvm"), &wants_kvm);
	if (wants_kvm && vm_kvm_check(task, &err) < 0)
		task_warn(task, "this machine will not start as it is: %s", err.message);
}

int qmcreate_run(struct task_ctx *task, struct err *err)
{
	struct create create = {0};
	int r;

	if ((r = task_config_get(task, "qemu", &create.config, &create.version, err)) < 0) {
		task->is_unfinished = true; /* the core stored it, with its lock */
		return r;
	}
	if (str_eq(guest_config_get(&create.config, "lock"), "create")) {
		r = create_steps(task, &create, err);
		if (r < 0)
			undo(task, &create);
		else
			warn_kvm(task, &create.config);
	} else {
		r = err_set(err, ERR_BUSY, "VM %u is not being created", task->guest);
	}
	guest_config_fini(&create.config);
	fields_fini(&create.unmade);
	if (r == 0 && vm_bool_arg(task, "start"))
		return vm_start(task, err);
	return r < 0 ? err_prefix(err, "unable to create VM %u", task->guest) : 0;
}
