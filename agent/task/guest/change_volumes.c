/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes that a change makes and frees, and how they are told from the others when it does not come to its end. Runs
 * in jobs. */
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/underway.h"
#include "agent/guest/volumes.h"
#include "agent/task/guest/change.h"

#define FOREIGN "foreign"

/* ---- what is under way ---- */

void guest_change_end(const struct guest_change *change, struct guest_config *config)
{
	guest_underway_drop(config, UNDERWAY_CONFIG, NULL, change->owner);
}

/* The volume that is to be made next stands last. */
static int name_made(struct task_ctx *task, struct guest_change *change,
		     struct guest_config *config, struct err *err)
{
	const char *volid = change->made.items[change->made.count - 1].name;

	(void)task;
	guest_underway_note(config, UNDERWAY_CONFIG, volid, change->owner);
	return guest_unused_add(config, volid, NULL, err);
}

int guest_change_name(struct task_ctx *task, struct guest_change *change, const char *volid,
		      struct err *err)
{
	fields_add(&change->made, volid, "");
	return guest_change_edit(task, change, name_made, err);
}

void guest_change_disown(struct guest_change *change, const char *volid)
{
	fields_set(&change->made, volid, FOREIGN);
}

void guest_change_doom(struct guest_change *change, const char *volid)
{
	fields_set(&change->doomed, volid, "");
}

int guest_change_note_doomed(struct task_ctx *task, struct guest_change *change,
			     struct guest_config *config, struct err *err)
{
	(void)task;
	(void)err;
	for (size_t i = 0; i < change->doomed.count; i++)
		guest_underway_note(config, UNDERWAY_CONFIG, change->doomed.items[i].name,
				    change->owner);
	return 0;
}

/* ---- undoing ---- */

/* A write whose answer was lost may have put them in their place. Writing the configuration again makes a write that
 * is still on its way come too late. */
static int keep_used(struct task_ctx *task, struct guest_change *change,
		     struct guest_config *config, struct err *err)
{
	(void)task;
	(void)err;
	for (size_t i = 0; i < change->made.count;) {
		autofree char *volid = xstrdup(change->made.items[i].name);

		if (guest_volume_is_used(change->ops, config, volid)) {
			task_log("volume %s is in use and stays", volid);
			fields_remove(&change->made, volid);
		} else {
			i++;
		}
	}
	return 0;
}

/* Made or named by this job, and gone now, or never its own; or freed by it. */
static bool is_over(const struct guest_change *change, const char *volid)
{
	const struct field *doom = volid_find(&change->doomed, volid);

	return volid_find(&change->made, volid) || (doom && doom->size > 0);
}

static int drop_names(struct task_ctx *task, struct guest_change *change,
		      struct guest_config *config, struct err *err)
{
	(void)task;
	(void)err;
	for (size_t i = 0; i < config->sections[0].keys.count;) {
		const struct field *f = &config->sections[0].keys.items[i];

		if (guest_key_is_unused(f->name) && is_over(change, f->value)) {
			autofree char *key = xstrdup(f->name);

			guest_config_delete(config, key);
		} else {
			i++;
		}
	}
	guest_change_end(change, config);
	return 0;
}

/* A storage that is no more has nothing of it: that would fail for ever. */
static int free_made(struct task_ctx *task, struct guest_change *change, const char *volid,
		     struct err *err)
{
	struct err why = ERR_INIT;
	int r = guest_change_free_volume(task, change, volid, &why);

	if (r == -ERR_NOT_FOUND)
		task_warn(task, "volume %s is left: %s", volid, why.message);
	else if (r < 0)
		return err_set(err, (enum err_code)why.code, "%s", why.message);
	return 0;
}

static int undo(struct task_ctx *task, struct guest_change *change, struct err *err)
{
	int r = guest_change_edit(task, change, keep_used, err);

	for (size_t i = 0; r == 0 && i < change->made.count; i++) {
		const struct field *f = &change->made.items[i];

		if (!str_eq(f->value, FOREIGN))
			r = free_made(task, change, f->name, err);
	}
	return r < 0 ? r : guest_change_edit(task, change, drop_names, err);
}

void guest_change_undo(struct task_ctx *task, struct guest_change *change)
{
	struct err err = ERR_INIT;

	if (change->made.count == 0 && change->doomed.count == 0)
		return;
	if (change->made.count > 0)
		task_log("change failed: removing what was made");
	change->is_checked = change->is_undone = true;
	if (undo(task, change, &err) < 0)
		task_leave(task, "could not remove everything: %s", err.message);
}

static int claim(struct task_ctx *task, struct guest_change *change, struct guest_config *config,
		 struct err *err)
{
	(void)task;
	(void)err;
	fields_fini(&change->made);
	change->made = (struct fields)FIELDS_INIT;
	guest_underway_volumes(config, UNDERWAY_CONFIG, change->owner, &change->made);
	return 0;
}

/* After a power cut nobody knows which jobs there were: all of them are gone. */
static const char *undone_job(const struct task_ctx *task)
{
	const char *undo_of = fields_get(&task->args, "undo-of");

	return str_eq(undo_of, "boot") ? NULL : undo_of;
}

int guest_change_undo_run(struct task_ctx *task, const struct guest_kind_ops *ops, struct err *err)
{
	struct guest_change change = {
		.ops = ops, .owner = undone_job(task), .is_checked = true, .is_undone = true};
	int r = guest_change_edit(task, &change, claim, err);

	if (r == 0 && change.made.count > 0) {
		task_log("removing what an unfinished change left");
		r = undo(task, &change, err);
	}
	guest_change_fini(&change);
	return r == -ERR_NOT_FOUND ? 0 : r; /* the guest is gone */
}
