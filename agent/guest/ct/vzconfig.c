/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: change the configuration; the core checked who may. A running container follows at once where that can be
 * done. Reads again when someone else was faster, unless the caller named the digest that it knows.
 *
 * A volume to make is first named in the configuration as unusedN, then made, then becomes the mount point: a job
 * that is killed leaves nothing that is not named. One to free is freed before its name goes. */
#include <string.h>
#include <strings.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/live.h"
#include "agent/guest/ct/volume_new.h"
#include "agent/guest/update.h"

#define TRIES	   5
#define SEPARATORS ",; "

struct change {
	struct fields set;
	const char *delete_list, *revert_list, *raw;
	struct fields made; /* volumes that this job made or is about to: names */
	bool is_checked;    /* the digest that the caller knows was there */
};

static void read_change(const struct task_ctx *task, struct change *ret)
{
	*ret = (struct change){.delete_list = fields_get(&task->args, "delete"),
			       .revert_list = fields_get(&task->args, "revert"),
			       .raw = fields_get(&task->args, "lxc")};
	for (size_t i = 0; i < task->args.count; i++) {
		const struct field *f = &task->args.items[i];
		const char *key = str_after(f->name, "set.");

		if (key)
			fields_add_n(&ret->set, key, f->value, f->size);
	}
}

/* What this job itself writes on its way is no other user's change. */
static int check(const struct task_ctx *task, struct change *change,
		 const struct guest_config *config, struct err *err)
{
	const char *lock = guest_config_get(config, "lock");
	const char *digest = fields_get(&task->args, "digest");

	if (lock)
		return err_set(err, ERR_BUSY, "CT is locked (%s)", lock);
	if (digest && !change->is_checked && strcasecmp(digest, config->digest) != 0)
		return err_set(
			err, ERR_CONFLICT,
			"detected modified configuration - file changed by other user? Try again.");
	change->is_checked = true;
	return 0;
}

typedef int (*edit_step)(struct task_ctx *task, struct change *change, struct guest_config *config,
			 struct err *err);

/* Reads, edits and writes; again when someone else was faster and the caller did not say what it knows. */
static int edit(struct task_ctx *task, struct change *change, edit_step step, struct err *err)
{
	for (int i = 0;; i++) {
		struct guest_config config;
		uint64_t version;
		int r = task_config_get(task, "lxc", &config, &version, err);

		if (r < 0)
			return r;
		if ((r = check(task, change, &config, err)) == 0 &&
		    (r = step(task, change, &config, err)) == 0)
			r = task_config_put(task, "lxc", &config, version, err);
		guest_config_fini(&config);
		if (r != -ERR_CONFLICT || fields_get(&task->args, "digest") || i >= TRIES)
			return r;
	}
}

/* -- volumes ------------------------------------------------------------------------------------- */

/* The volume that is to be made next stands last. */
static int name_made(struct task_ctx *task, struct change *change, struct guest_config *config,
		     struct err *err)
{
	const char *volid = change->made.items[change->made.count - 1].name;

	(void)task;
	return ct_unused_add(config, volid)
		       ? 0
		       : err_set(err, ERR_LIMIT, "there are too many unused volumes");
}

static int drop_made(struct task_ctx *task, struct change *change, struct guest_config *config,
		     struct err *err)
{
	(void)task;
	(void)err;
	for (unsigned i = 0; i < CT_UNUSED_MAX; i++) {
		autofree char *key = xasprintf("unused%u", i);
		const char *volid = guest_config_get(config, key);

		if (volid && fields_find(&change->made, volid))
			guest_config_delete(config, key);
	}
	return 0;
}

/* A write whose answer was lost may have made mount points of them. Writing the configuration again makes a write
 * that is still on its way come too late. */
static int keep_mounted(struct task_ctx *task, struct change *change, struct guest_config *config,
			struct err *err)
{
	(void)err;
	(void)task;
	for (size_t i = 0; i < change->made.count;) {
		autofree char *volid = xstrdup(change->made.items[i].name);

		if (ct_volume_is_mounted(config, volid))
			fields_remove(&change->made, volid);
		else
			i++;
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
	r = edit(task, change, keep_mounted, &err);
	for (size_t i = 0; r == 0 && i < change->made.count; i++)
		r = ct_volume_free(task, change->made.items[i].name, &err);
	if (r == 0 && change->made.count > 0)
		r = edit(task, change, drop_made, &err);
	if (r < 0)
		task_warn(task, "could not remove everything: %s", err.message);
}

static int make_volume(struct task_ctx *task, struct change *change, const struct ct_mp *mp,
		       struct ct_new_volume *ret, struct err *err)
{
	struct guest_config config;
	int r = task_config_get(task, "lxc", &config, NULL, err);

	if (r < 0)
		return r;
	r = ct_new_volume_open(task, mp, &config, ret, err);
	guest_config_fini(&config);
	if (r < 0)
		return r;
	fields_add(&change->made, ret->volid, "");
	autofree char *named = xstrdup(ret->volid);

	if ((r = edit(task, change, name_made, err)) == 0)
		r = ct_new_volume_make(task, ret, err);
	if (r == -ERR_EXISTS) /* not ours: it must not be freed */
		fields_remove(&change->made, named);
	if (r < 0)
		ct_new_volume_close(ret);
	return r;
}

static int make_volumes(struct task_ctx *task, struct change *change, struct err *err)
{
	for (size_t i = 0; i < change->set.count; i++) {
		autofree char *name = xstrdup(change->set.items[i].name);
		autofree char *value = NULL;
		struct ct_new_volume volume;
		struct ct_mp mp;
		int r;

		if (!str_starts(name, "mp") ||
		    ct_mp_parse(name, change->set.items[i].value, &mp, NULL) < 0 || !mp.is_new)
			continue;
		if ((r = task_check_cancelled(err)) < 0 ||
		    (r = make_volume(task, change, &mp, &volume, err)) < 0)
			return r;
		value = ct_mp_value(change->set.items[i].value, volume.volid, volume.size);
		fields_set(&change->set, name, value);
		ct_new_volume_close(&volume);
	}
	return 0;
}

/* Volumes of unused keys that are to be deleted; one that the same change mounts stays. */
static int free_deleted(struct task_ctx *task, const struct change *change,
			const struct guest_config *before, const struct guest_config *after,
			struct err *err)
{
	autostrv char **deleted = str_split(change->delete_list ?: "", SEPARATORS);
	int r = 0;

	for (size_t i = 0; r == 0 && deleted[i]; i++) {
		const char *volid = guest_config_get(before, deleted[i]);

		if (!volid || !ct_key_index(deleted[i], "unused", CT_UNUSED_MAX, &(unsigned){0}) ||
		    ct_volume_is_mounted(after, volid))
			continue;
		task_log("removing volume %s", volid);
		r = ct_volume_free(task, volid, err);
	}
	return r;
}

/* -- the change ----------------------------------------------------------------------------------- */

static int apply(struct task_ctx *task, struct change *change, struct guest_config *config,
		 struct err *err)
{
	struct guest_config before __attribute__((cleanup(guest_config_fini)));
	struct ct_record record;
	struct guest_update update = {
		.set = &change->set,
		.delete_list = change->delete_list,
		.revert_list = change->revert_list,
		.raw = change->raw,
		.is_running = ct_find_running(task->guest, &record),
	};
	int r;

	guest_config_copy(&before, config);
	r = guest_config_update(&guest_kind_ct, config, &update, err);
	return r < 0 ? r : free_deleted(task, change, &before, config, err);
}

int vzconfig_run(struct task_ctx *task, struct err *err)
{
	struct change change;
	struct ct_record record;
	int r;

	read_change(task, &change);
	if ((r = make_volumes(task, &change, err)) < 0 || (r = edit(task, &change, apply, err)) < 0)
		undo_made(task, &change);
	fields_fini(&change.set);
	fields_fini(&change.made);
	if (r < 0 && err && err->field[0])
		err_prefix(err, "%s", err->field);
	if (r == 0 && ct_find_running(task->guest, &record))
		ct_live_apply(task, &record);
	return r;
}
