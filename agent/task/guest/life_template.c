/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: make a guest a template: its volumes become base volumes, which do not change any more. Once begun it only
 * goes forward. Runs in jobs. */
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
	bool is_there; /* nothing is left to be done */
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

static int begin(const struct life *life, struct guest_config *config, void *ctx, struct err *err)
{
	struct template *t = ctx;
	bool is_begun = life_is_locked(config, life->disk_lock) &&
			str_eq(guest_config_get(config, "template"), "1");
	int r = life_lock_check(life, config, is_begun ? life->disk_lock : NULL, err);

	t->is_there = t->is_undo && !is_begun;
	if (r == 0 && t->is_there)
		return 0;
	if (r == 0 && !is_begun && str_eq(guest_config_get(config, "template"), "1"))
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

static int convert(struct task_ctx *task, const struct task_storage *storage,
		   const struct guest_volume *v, void *ctx, struct err *err)
{
	const struct template *t = ctx;
	char volid[VOLID_MAX];
	struct err why = ERR_INIT;
	int r = storage->driver->to_base(storage->def, &v->volume, volid, &why);

	if (r == -ERR_NOT_FOUND)
		r = find_base(storage, v, volid);
	if (r < 0)
		return err_set(err, (enum err_code)why.code, "%s: %s", v->key, why.message);
	if (str_eq(volid, v->volid))
		return 0;
	struct renamed renamed = {v->key, volid};

	task_log("volume %s is %s now", v->volid, volid);
	return life_edit(task, t->life, set_volume, &renamed, err);
}

static int check_all(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct guest_volume *volumes = NULL;
	struct guest_config config;
	size_t count = 0;
	int r = life_read(task, life, &config, err);

	if (r < 0)
		return r;
	r = life_used_volumes(life, &config.sections[0], &volumes, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (!volume_is_base(&volumes[i].volume))
			r = life_check_feature(task, life, &volumes[i], NULL, VOLUME_TEMPLATE, err);
	free(volumes);
	guest_config_fini(&config);
	return r;
}

int life_template_run(struct task_ctx *task, const struct life *life, struct err *err)
{
	struct template t = {.life = life, .is_undo = life_is_undo(task)};
	int r;

	if ((r = life->require_stopped(task, err)) < 0 || (r = check_all(task, life, err)) < 0)
		return r;
	if ((r = life_edit(task, life, begin, &t, err)) == 0 && !t.is_there &&
	    (r = life_each_volume(task, life, t.volumes, t.count, convert, &t, err)) == 0)
		r = life_unlock(task, life, life->disk_lock, UNDERWAY_TEMPLATE, err);
	free(t.volumes);
	return r == -ERR_NOT_FOUND && t.is_undo ? 0 : r;
}
