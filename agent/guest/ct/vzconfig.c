/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: change a container's configuration (agent/task/guest/change.h). A running container follows at once where
 * that can be done. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/live.h"
#include "agent/guest/ct/volume_new.h"
#include "agent/guest/volumes.h"
#include "agent/task/guest/change.h"

static int make_volume(struct task_ctx *task, struct guest_change *change, const struct ct_mp *mp,
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
	autofree char *named = xstrdup(ret->volid);

	if ((r = guest_change_name(task, change, named, err)) == 0)
		r = ct_new_volume_make(task, ret, err);
	if (r == -ERR_EXISTS)
		guest_change_disown(change, named);
	if (r < 0)
		ct_new_volume_close(ret);
	return r;
}

static int make_volumes(struct task_ctx *task, struct guest_change *change, struct err *err)
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
static void doom_deleted(struct guest_change *change, const struct guest_config *before,
			 const struct guest_config *after)
{
	autostrv char **deleted = guest_change_deleted(change);

	for (size_t i = 0; deleted[i]; i++) {
		const char *volid = guest_config_get(before, deleted[i]);

		if (volid && guest_key_is_unused(deleted[i]) &&
		    !guest_volume_is_used(change->ops, after, volid))
			guest_change_doom(change, volid);
	}
}

static int free_doomed(struct task_ctx *task, struct guest_change *change,
		       const struct guest_config *after, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < change->doomed.count; i++) {
		autofree char *volid = xstrdup(change->doomed.items[i].name);

		if (guest_volume_is_used(change->ops, after, volid))
			continue; /* somebody took it into use meanwhile */
		task_log("removing volume %s", volid);
		r = guest_change_free_volume(task, change, volid, err);
	}
	return r;
}

/* -- the change ----------------------------------------------------------------------------------- */

static int update(struct task_ctx *task, struct guest_change *change, struct guest_config *config,
		  struct err *err)
{
	struct ct_record record;
	struct guest_update what =
		guest_change_update(change, ct_find_running(task->guest, &record));

	return guest_config_update(&guest_kind_ct, config, &what, err);
}

/* Which volumes will go, once nothing speaks against the change. */
static int doom(struct task_ctx *task, struct guest_change *change, struct guest_config *config,
		struct err *err)
{
	struct guest_config after __attribute__((cleanup(guest_config_fini)));
	int r;

	guest_config_copy(&after, config);
	if ((r = update(task, change, &after, err)) < 0)
		return r;
	doom_deleted(change, config, &after);
	return guest_change_note_doomed(task, change, config, err);
}

static int apply(struct task_ctx *task, struct guest_change *change, struct guest_config *config,
		 struct err *err)
{
	int r = update(task, change, config, err);

	if (r == 0)
		r = free_doomed(task, change, config, err);
	guest_change_end(change, config);
	return r;
}

static int change_config(struct task_ctx *task, struct guest_change *change, struct err *err)
{
	int r = make_volumes(task, change, err);

	if (r == 0 && change->delete_list)
		r = guest_change_edit(task, change, doom, err);
	return r < 0 ? r : guest_change_edit(task, change, apply, err);
}

int vzconfig_undo_run(struct task_ctx *task, struct err *err)
{
	return guest_change_undo_run(task, &guest_kind_ct, err);
}

int vzconfig_run(struct task_ctx *task, struct err *err)
{
	struct guest_change change;
	struct ct_record record;
	int r;

	guest_change_read(task, &guest_kind_ct, &change);
	if ((r = change_config(task, &change, err)) < 0)
		guest_change_undo(task, &change);
	guest_change_fini(&change);
	if (r < 0 && err && err->field[0])
		err_prefix(err, "%s", err->field);
	if (r == 0 && ct_find_running(task->guest, &record)) {
		if (fields_get(&task->args, "lxc"))
			task_log("lxc: counts from the next start: liblxc reads it there");
		ct_live_apply(task, &record);
	}
	return r;
}
