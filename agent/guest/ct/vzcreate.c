/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: create a container from a template. The config with "lock: create" is there before; each volume is noted in
 * it before it is made (agent/task/guest/creation.h), so that undoing finds it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/create.h"
#include "agent/guest/ct/image.h"
#include "agent/guest/ct/volume_new.h"
#include "agent/guest/ct_schema.h"
#include "agent/guest/volumes.h"
#include "agent/task/guest/creation.h"
#include "agent/task/guest/slot.h"
#include "agent/task/internal.h"
#include "storage/reserve.h"

#define DEFAULT_STORAGE "local"
#define MIB		(1024.0 * 1024.0)

struct create {
	struct guest_config config;
	uint64_t version;
	struct ct_rootfs_request request;
	struct ct_rootfs rootfs;
	struct task_storage storage;
	struct buf template_path, volume_path;
	struct fields unmade; /* ids of noted volumes that are not made yet, or somebody else's */
	struct reservation space; /* for what the template will take */
};

static void create_fini(struct create *create)
{
	reserve_end(&create->space);
	task_storage_close(&create->storage);
	guest_config_fini(&create->config);
	buf_fini(&create->template_path);
	buf_fini(&create->volume_path);
	fields_fini(&create->unmade);
}

/* From the template's storage to the root's; what is wrong with them comes later. */
static int enter_slot(struct task_ctx *task, struct err *err)
{
	const char *template = fields_get(&task->args, "ostemplate") ?: "";
	autofree char *from = xstrndup(template, strcspn(template, ":"));
	struct ct_rootfs_request request = {0};

	(void)ct_rootfs_request_parse(fields_get(&task->args, "rootfs"),
				      fields_get(&task->args, "storage") ?: DEFAULT_STORAGE,
				      &request, NULL);
	return task_slot_enter(task, from, request.storage, err);
}

static int read_request(struct task_ctx *task, struct create *create, struct err *err)
{
	const char *template = fields_get(&task->args, "ostemplate");
	const char *storage = fields_get(&task->args, "storage");
	int r;

	if (!template)
		return err_field(err, "ostemplate", "no template given");
	r = ct_rootfs_request_parse(fields_get(&task->args, "rootfs"),
				    storage ? storage : DEFAULT_STORAGE, &create->request, err);
	if (r < 0)
		return r;
	if ((r = ct_volume_path(task, template, &create->template_path, err)) < 0)
		return err_prefix(err, "template '%s'", template);
	if (access(buf_str(&create->template_path), R_OK) != 0)
		return err_field(err, "ostemplate", "template '%s' does not exist", template);
	if ((r = ct_image_config(task, buf_str(&create->template_path), &create->config, err)) < 0)
		return r;
	return task_storage_open(task, create->request.storage, VOLUME_ROOTDIR, &create->storage,
				 err);
}

static int store_config(struct task_ctx *task, struct create *create, struct err *err)
{
	autobuf rootfs = BUF_INIT;
	int r;

	ct_rootfs_format(&create->rootfs, &rootfs);
	guest_config_set(&create->config, "rootfs", buf_str(&rootfs));
	if ((r = task_config_put(task, "lxc", &create->config, create->version, err)) < 0)
		return r;
	guest_config_fini(&create->config);
	create->config = (struct guest_config){0};
	return task_config_get(task, "lxc", &create->config, &create->version, err);
}

static void warn_space(struct task_ctx *task, const struct create *create)
{
	const struct task_storage *storage = &create->storage;
	struct storage_space space;

	if (storage->driver->status(storage->def, &space, NULL) == 0 &&
	    space.available < create->request.size)
		task_warn(task, "storage '%s' has less free space than the volume may grow to",
			  storage->def->id);
}

/* The image is sparse: what unpacking will write is promised to nobody else. Twice the archive is less than
 * most take, and refuses nothing that would have fit. */
static int reserve(struct create *create, struct err *err)
{
	uint64_t size = create->request.size;
	struct stat st;

	if (stat(buf_str(&create->template_path), &st) == 0 && (uint64_t)st.st_size * 2 < size)
		size = (uint64_t)st.st_size * 2;
	return reserve_begin(create->storage.def, size, buf_str(&create->volume_path),
			     &create->space, err);
}

/* None that a mount point names, be it there or not. */
static char *next_name(struct task_ctx *task, const struct create *create, const char *format,
		       struct err *err)
{
	autofields known = FIELDS_INIT;

	guest_volume_names(&guest_kind_ct, &create->config, &known);
	return task_volume_next_name(&create->storage, task->guest, format, &known, err);
}

static int make_volume(struct task_ctx *task, struct create *create, struct err *err)
{
	const struct task_storage *storage = &create->storage;
	const char *format = volume_default_format(storage->def->type, VOLUME_ROOTDIR);
	autofree char *name = next_name(task, create, format, err);
	char volid[VOLID_MAX];
	struct volid parsed;
	struct volume_alloc what = {.vmid = task->guest,
				    .content = VOLUME_ROOTDIR,
				    .format = format,
				    .name = name,
				    .size = create->request.size};
	int r;

	if (!name)
		return err_prefix(err, "storage '%s'", storage->def->id);
	warn_space(task, create);
	create->rootfs = (struct ct_rootfs){.size = create->request.size,
					    .read_only = create->request.read_only};
	str_copy(create->rootfs.options, sizeof(create->rootfs.options), create->request.options);
	snprintf(create->rootfs.volume, sizeof(create->rootfs.volume), "%s:%u/%s", storage->def->id,
		 task->guest, name);
	autofree char *planned = xstrdup(create->rootfs.volume);

	fields_set(&create->unmade, planned, "");
	guest_creation_note(&create->config, planned);
	if ((r = store_config(task, create, err)) < 0 ||
	    (r = storage->driver->alloc(storage->def, &what, volid, err)) < 0)
		return r;
	fields_remove(&create->unmade, planned);
	if (!str_eq(volid, planned)) {
		guest_creation_disown(&create->config, planned);
		guest_creation_note(&create->config, volid);
		str_copy(create->rootfs.volume, sizeof(create->rootfs.volume), volid);
		if ((r = store_config(task, create, err)) < 0)
			return r;
	}
	task_log("volume %s, %.0f MiB", volid, (double)create->request.size / MIB);
	if ((r = volid_parse(volid, &parsed, err)) < 0)
		return r;
	return storage->driver->path(storage->def, &parsed, &create->volume_path, err);
}

static int make_mp(struct task_ctx *task, struct create *create, const struct field *f,
		   struct err *err)
{
	const char *key = f->name + strlen("set.");
	autofree char *value = NULL;
	struct ct_new_volume volume;
	struct ct_mp mp;
	int r = ct_mp_parse(key, f->value, &mp, err);

	if (r < 0 || (r = ct_new_volume_open(task, &mp, &create->config, &volume, err)) < 0)
		return r;
	autofree char *planned = xstrdup(volume.volid);

	value = ct_mp_value(f->value, planned, volume.size);
	guest_config_set(&create->config, key, value);
	guest_creation_note(&create->config, planned);
	fields_set(&create->unmade, planned, "");
	r = store_config(task, create, err);
	/* any other failure may have left something */
	if (r == 0 && (r = ct_new_volume_make(task, &volume, err)) != -ERR_EXISTS)
		fields_remove(&create->unmade, planned);
	ct_new_volume_close(&volume);
	return r < 0 ? err_prefix(err, "%s", key) : 0;
}

static int make_mps(struct task_ctx *task, struct create *create, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < task->args.count; i++)
		if (str_starts(task->args.items[i].name, "set.mp"))
			r = make_mp(task, create, &task->args.items[i], err);
	return r;
}

static int fill(struct task_ctx *task, struct create *create, struct err *err)
{
	const struct create_root root = {.config = &create->config,
					 .template_path = buf_str(&create->template_path),
					 .volume_path = buf_str(&create->volume_path),
					 .storage = create->request.storage};

	return create_root_fill(task, &root, err);
}

static int create_steps(struct task_ctx *task, struct create *create, struct err *err)
{
	int r;

	if ((r = read_request(task, create, err)) < 0 || (r = make_volume(task, create, err)) < 0 ||
	    (r = task_check_cancelled(err)) < 0 || (r = reserve(create, err)) < 0 ||
	    (r = ct_volume_mkfs(buf_str(&create->volume_path), err)) < 0 ||
	    (r = make_mps(task, create, err)) < 0 || (r = task_check_cancelled(err)) < 0 ||
	    (r = fill(task, create, err)) < 0)
		return r;
	guest_creation_end(&create->config);
	return store_config(task, create, err);
}

static void undo(struct task_ctx *task, const struct create *create)
{
	const struct guest_creation made = {
		.ops = &guest_kind_ct, .foreign = &create->unmade, .clean = ct_clean};
	struct err err = ERR_INIT;

	task_log("creation failed: removing what was made");
	if (guest_creation_undo(task, &made, &err) < 0)
		task_leave(task, "could not remove everything: %s", err.message);
}

/* The container's monitor is a fork of this process and lives as long as the container. */
static void forget_secrets(struct task_ctx *task)
{
	static const char *const names[] = {"password", "ssh-public-keys"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct field *field = fields_find(&task->args, names[i]);

		if (field)
			explicit_bzero(field->value, field->size);
		fields_remove(&task->args, names[i]);
	}
}

int vzcreate_run(struct task_ctx *task, struct err *err)
{
	struct create create = {0};
	int r;

	if ((r = task_config_get(task, "lxc", &create.config, &create.version, err)) < 0) {
		task->is_unfinished = true; /* the core stored it, with its lock */
		return r;
	}
	if (!str_eq(guest_config_get(&create.config, "lock"), "create")) {
		create_fini(&create);
		return err_set(err, ERR_BUSY, "CT %u is not being created", task->guest);
	}
	if ((r = enter_slot(task, err)) == 0)
		r = create_steps(task, &create, err);
	if (r < 0)
		undo(task, &create);
	task_slot_leave();
	create_fini(&create);
	forget_secrets(task);
	if (r == 0 && ct_bool_arg(task, "start"))
		return ct_start(task, err);
	return r < 0 ? err_prefix(err, "unable to create CT %u", task->guest) : 0;
}
