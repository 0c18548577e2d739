/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: make a guest a template: its volumes become base volumes, which do not change any more. What can be refused is
 * refused before anything is stored. Once a volume is one it only goes forward: whoever finds it begun carries it on, the
 * undo or the same job again. Runs in jobs. */
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/snapshots.h"
#include "agent/guest/underway.h"
#include "agent/task/guest/life_parts.h"

struct template
{
	struct guest_volume *volumes; /* owned */
	size_t count;
	const struct life *life;
	bool is_undo;
	bool is_begun;	 /* by a job before this one */
	bool is_changed; /* a volume is a base, or may be */
};

static int check_snapshots(const struct life *life, const struct guest_config *config,
			   struct err *err)
{
	for (size_t i = 1; i < config->count; i++)
		if (guest_section_is_snapshot(&config->sections[i]))
			return err_set(err, ERR_BUSY,
				       "unable to create template, because %s contains snapshots",
				       life->ops->label);
	return 0;
}

static bool is_begun(const struct life *life, struct guest_config *config)
{
	return life_is_locked(config, life->disk_lock) &&
	       guest_config_section(config, UNDERWAY_TEMPLATE);
}

static int look(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	(void)err;
	((struct template *)ctx)->is_begun = is_begun(life, config);
	return 0;
}

static int begin(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	struct template *t = ctx;
	int r;

	t->is_begun = is_begun(life, config);
	if (t->is_undo && !t->is_begun)
		return err_set(err, ERR_BUSY, "the lock was taken away meanwhile");
	r = life_lock_check(life, config, t->is_begun ? life->disk_lock : NULL, err);
	if (r == 0 && !t->is_begun && str_eq(guest_config_get(config, "template"), "1"))
		r = err_set(err, ERR_BUSY, "%s is a template already", life->ops->label);
	if (r == 0)
		r = check_snapshots(life, config, err);
	free(t->volumes);
	t->volumes = NULL;
	if (r == 0)
		r = life_used_volumes(life, &config->sections[0], &t->volumes, &t->count, err);
	if (r == 0) {
		guest_underway_set(config, UNDERWAY_TEMPLATE, "template", "1");
		guest_config_set(config, "template", "1");
		guest_config_set(config, "lock", life->disk_lock);
	}
	return r;
}

static int take_back(const struct life *life, struct guest_config *config, void *ctx,
		     struct err *err)
{
	(void)ctx;
	(void)err;
	if (!is_begun(life, config))
		return 0;
	guest_config_section_remove(config, UNDERWAY_TEMPLATE);
	guest_config_delete(config, "template");
	guest_config_delete(config, "lock");
	return 0;
}

struct renamed {
	const char *key, *volid;
};

static int set_volume(const struct life *life, struct guest_config *config, void *ctx,
		      struct err *err)
{
	const struct renamed *renamed = ctx;
	const char *before = guest_config_get(config, renamed->key);

	if (!before || !life_is_locked(config, life->disk_lock))
		return err_set(err, ERR_BUSY, "%s was changed meanwhile", renamed->key);
	autofree char *value = guest_volume_value(before, renamed->volid, 0);

	guest_config_set(config, renamed->key, value);
	return 0;
}

/* "local:101/base-101-disk-0.raw" of "local:101/vm-101-disk-0.raw", "…/basevol-…" of "…/subvol-…" */
static char *base_volid(const struct guest_volume *v)
{
	const char *file = v->volume.file, *number = strchr(file, '-');
	size_t before = strlen(v->volid) - strlen(file);

	return number ? xasprintf("%.*s%s%s", (int)before, v->volid,
				  str_starts(file, "subvol-") ? "basevol" : "base", number)
		      : xstrdup(v->volid);
}

/* A job before this one may have renamed the volume and not have written it down. */
static int find_base(const struct task_storage *storage, const struct guest_volume *v,
		     char ret_volid[VOLID_MAX])
{
	autofree char *volid = base_volid(v);
	struct volume_info info;
	struct volid base;

	if (volid_parse(volid, &base, NULL) < 0)
		return -ERR_NOT_FOUND;
	base.content = v->volume.content;
	if (storage->driver->info(storage->def, &base, &info, NULL) < 0)
		return -ERR_NOT_FOUND;
	snprintf(ret_volid, VOLID_MAX, "%s", volid);
	return 0;
}

/* A volume that cannot become one stays what it is, unless its name is gone: then it had become one. */
static bool is_untouched(const struct task_storage *storage, const struct guest_volume *v)
{
	struct volume_info info;

	return storage->driver->info(storage->def, &v->volume, &info, NULL) == 0;
}

static int make_base(const struct task_storage *storage, const struct guest_volume *v,
		     struct template *t, char ret_volid[VOLID_MAX], struct err *err)
{
	struct err why = ERR_INIT;
	int r = storage->driver->to_base(storage->def, &v->volume, ret_volid, &why);

	if (r == -ERR_NOT_FOUND)
		r = find_base(storage, v, ret_volid);
	if (r == 0 || !is_untouched(storage, v))
		t->is_changed = true;
	return r < 0 ? err_set(err, (enum err_code)why.code, "%s: %s", v->key, why.message) : 0;
}

static int convert(struct task_ctx *task, const struct task_storage *storage,
		   const struct guest_volume *v, void *ctx, struct err *err)
{
	struct template *t = ctx;
	char volid[VOLID_MAX];
	int r = make_base(storage, v, t, volid, err);

	if (r < 0 || str_eq(volid, v->volid))
		return r;
	struct renamed renamed = {v->key, volid};

	task_log("volume %s is %s now", v->volid, volid);
	return life_edit(task, t->life, set_volume, &renamed, err);
}

static int count_snapshot(const char *name, uint64_t ctime, void *ctx)
{
	(void)name;
	(void)ctime;
	++*(size_t *)ctx;
	return 0;
}

/* The volume may have snapshots that the configuration does not know. */
static int check_one(struct task_ctx *task, const struct task_storage *storage,
		     const struct guest_volume *v, void *ctx, struct err *err)
{
	const struct template *t = ctx;
	struct err why = ERR_INIT;
	size_t count = 0;
	int r;

	(void)task;
	if (volume_is_base(&v->volume))
		return 0;
	r = volume_feature_check(storage->def->type, &v->volume, NULL, VOLUME_TEMPLATE, &why);
	if (r == 0)
		r = storage->driver->snapshots(storage->def, &v->volume, count_snapshot, &count,
					       &why);
	if (r == -ERR_NOT_FOUND && t->is_begun)
		return 0; /* it may have its new name */
	if (r == 0 && count > 0)
		r = err_set(&why, ERR_BUSY, "volume %s has snapshots", v->volid);
	return r < 0 ? err_set(err, (enum err_code)why.code, "%s: %s", v->key, why.message) : 0;
}

static int check_all(struct task_ctx *task, const struct life *life, struct template *t,
		     struct err *err)
{
	struct guest_volume *volumes = NULL;
	struct guest_config config;
	size_t count = 0;
	int r = life_read(task, life, &config, err);

	if (r < 0)
		return r;
	t->is_begun = is_begun(life, &config);
	r = life_used_volumes(life, &config.sections[0], &volumes, &count, err);
	if (r == 0)
		r = life_each_volume(task, life, volumes, count, check_one, t, err);
	free(volumes);
	guest_config_fini(&config);
	return r;
}

/* Without a volume that has become a base the guest is again what it was. */
static void give_up(struct task_ctx *task, const struct life *life, const struct template *t)
{
	struct err why = ERR_INIT;

	if (t->is_begun || t->is_changed)
		task->is_unfinished = true;
	else if (life_edit(task, life, take_back, NULL, &why) < 0)
		task_leave(task, "it stays locked: %s", why.message);
}

static int make(struct task_ctx *task, const struct life *life, struct template *t, struct err *err)
{
	int r;

	if ((r = life->require_stopped(task, err)) < 0 || (r = check_all(task, life, t, err)) < 0 ||
	    (r = life_edit(task, life, begin, t, err)) < 0)
		return r;
	r = life_each_volume(task, life, t->volumes, t->count, convert, t, err);
	if (r < 0)
		give_up(task, life, t);
	else if ((r = life_unlock(task, life, life->disk_lock, UNDERWAY_TEMPLATE, err)) < 0)
		task->is_unfinished = true;
	return r;
}

/* The undo asks first whether it was begun: a guest that was not may run, or be on storages that are away. */
int life_template_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct template t = {.life = life, .is_undo = life_is_undo(task)};
	int r = t.is_undo ? life_edit(task, life, look, &t, err) : 0;

	if (t.is_undo && (r < 0 || !t.is_begun))
		return life_is_over(task, r) ? 0 : r;
	r = make(task, life, &t, err);
	free(t.volumes);
	return r;
}
