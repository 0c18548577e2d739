/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A volume copied, in full or linked, for a job that writes the new name down before it is made. Runs in jobs. */
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/guest/copy_progress.h"
#include "agent/task/guest/life_parts.h"
#include "agent/task/guest/slot.h"
#include "storage/copy.h"

/* The format that the storage will give it, for its name. */
static const char *format_of(const struct life_copy *copy, const struct task_storage *to)
{
	const char *format = copy->volume->volume.format;

	if (!copy->is_linked)
		return copy->format ? copy->format : format;
	return str_eq(to->def->type, "dir") ? "qcow2" : format;
}

static int make_linked(const struct life_copy *copy, const struct task_storage *from,
		       const struct volume_alloc *as, char ret_volid[VOLID_MAX], struct err *err)
{
	return from->driver->clone(from->def, &copy->volume->volume, copy->snapshot, as, ret_volid,
				   err);
}

static int make_full(const struct life_copy *copy, const struct task_storage *from,
		     const struct task_storage *to, const struct volume_alloc *as,
		     char ret_volid[VOLID_MAX], struct err *err)
{
	const struct volume_copy full = {.from = from->def,
					 .volume = &copy->volume->volume,
					 .snapshot = copy->snapshot,
					 .to = to->def,
					 .as = *as,
					 .bwlimit = copy->bwlimit,
					 .is_stopped = task_is_cancelled,
					 .progress = copy_progress};

	copy_progress_begin();
	return volume_copy(&full, ret_volid, err);
}

static int make(struct task_ctx *task, const struct life *life, const struct life_copy *copy,
		const struct task_storage *from, const struct task_storage *to,
		char ret_volid[VOLID_MAX], struct err *err)
{
	const char *format = format_of(copy, to);
	autofree char *name = task_volume_next_name(to, copy->vmid, format, copy->taken, err);
	struct volume_alloc as = {.vmid = copy->vmid,
				  .content = life->ops->content,
				  .format = copy->is_linked ? NULL : format,
				  .name = name};
	char planned[VOLID_MAX];
	int r;

	if (!name)
		return -ERR_LIMIT;
	if (!copy->is_linked)
		task_volume_warn_space(task, to, copy->volume->size);
	snprintf(planned, sizeof(planned), "%.100s:%u/%.300s", to->def->id, copy->vmid, name);
	if ((r = copy->note(task, planned, copy->ctx, err)) < 0)
		return r;
	task_log("%s volume %s as %s", copy->is_linked ? "linking" : "copying", copy->volume->volid,
		 planned);
	r = copy->is_linked ? make_linked(copy, from, &as, ret_volid, err)
			    : make_full(copy, from, to, &as, ret_volid, err);
	if (r == -ERR_EXISTS)
		(void)copy->note(task, NULL, copy->ctx, NULL);
	else if (r == 0 && !str_eq(ret_volid, planned))
		r = copy->note(task, ret_volid, copy->ctx, err);
	return r;
}

/* Where they are several, the first one stands for all. */
int life_slot_enter(struct task_ctx *task, const struct life *life, struct task_ctx *source,
		    const char *key, struct err *err)
{
	struct guest_volume *volumes = NULL;
	struct guest_config config;
	const char *from = NULL, *to = life_arg(task, "storage");
	size_t count = 0;
	int r = life_read(source, life, &config, err);

	if (r < 0)
		return r;
	if (guest_volumes(life->ops, &config.sections[0], &volumes, &count, NULL) < 0)
		count = 0; /* the job itself says what is wrong with them */
	for (size_t i = 0; !from && i < count; i++)
		if (key ? str_eq(volumes[i].key, key) : volumes[i].volume.vmid != 0)
			from = volumes[i].volume.storage;
	r = task_slot_enter(task, from, to ? to : from, err);
	free(volumes);
	guest_config_fini(&config);
	return r;
}

int life_copy_volume(struct task_ctx *task, const struct life *life, const struct life_copy *copy,
		     char ret_volid[VOLID_MAX], struct err *err)
{
	struct task_storage from, to;
	const char *target = copy->storage ? copy->storage : copy->volume->volume.storage;
	int r;

	if ((r = life_storage_open(task, life, copy->volume, &from, err)) < 0)
		return r;
	if ((r = task_storage_open(task, target, life->ops->content, &to, err)) == 0) {
		r = make(task, life, copy, &from, &to, ret_volid, err);
		task_storage_close(&to);
	}
	task_storage_close(&from);
	return r < 0 ? err_prefix(err, "%s", copy->volume->key) : 0;
}
