/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of a virtual machine's configuration: at once (PUT), or by a job (POST). Both check drives here and
 * the rest as for every guest. Where volumes are made or freed PUT waits for a job. Runs on the core's loop. */
#include <string.h>

#include "agent/api/guest_change.h"
#include "agent/api/guest_handlers.h"
#include "agent/api/qemu_handlers.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm_schema.h"

#define SEPARATORS ",; "

static bool is_drive(const char *key)
{
	enum vm_bus bus;
	unsigned index;

	return vm_drive_key(key, &bus, &index);
}

static bool is_unused(const char *key)
{
	return vm_unused_key(key, &(unsigned){0});
}

static bool is_new_volume(const struct field *f)
{
	struct vm_drive drive;

	return is_drive(f->name) && vm_drive_parse(f->name, f->value, &drive, NULL) == 0 &&
	       drive.is_new;
}

static bool needs_job(const struct api_request *req, const struct guest_update *update)
{
	autostrv char **deleted = str_split(update->delete_list ?: "", SEPARATORS);
	bool needs = api_bool(req, "force", false);

	for (size_t i = 0; !needs && i < update->set->count; i++)
		needs = is_new_volume(&update->set->items[i]);
	for (size_t i = 0; !needs && deleted[i]; i++)
		needs = is_unused(deleted[i]);
	return needs;
}

/* A volume that goes needs the right to its room, and a machine that may lose one; one that a running machine may use
 * stays. */
static int check_freed(const struct api_request *req, const struct guest_update *update,
		       const struct guest_target *target, struct err *err)
{
	autostrv char **deleted = str_split(update->delete_list ?: "", SEPARATORS);
	bool force = api_bool(req, "force", false);

	for (size_t i = 0; deleted[i]; i++) {
		const char *value = guest_config_get(target->guest->config, deleted[i]);
		autofree char *storage = value ? xstrndup(value, strcspn(value, ":")) : NULL;
		autofree char *path = xasprintf("/storage/%s", storage ?: "");
		bool is_freed = is_unused(deleted[i]) || (force && is_drive(deleted[i]));
		int r;

		if (!value || !is_freed || str_starts(value, "none"))
			continue;
		if (force && is_drive(deleted[i]) && update->is_running)
			return err_set(err, ERR_BUSY,
				       "VM %u is running: '%s' cannot be removed by force",
				       target->vmid, deleted[i]);
		if (guest_config_flag(target->guest->config, "protection"))
			return err_set(err, ERR_BUSY,
				       "can't remove volume '%.*s' - protection mode enabled",
				       (int)strcspn(value, ","), value);
		if ((r = api_check(req, path, "Datastore.AllocateSpace", false, err)) < 0)
			return r;
	}
	return 0;
}

/* Everything that can be refused at once, so that no job starts for it. */
static int check_change(const struct api_request *req, const struct guest_update *update,
			const struct guest_target *target, struct err *err)
{
	int r;

	if ((r = guest_change_check(req, target, update, err)) < 0 ||
	    (r = vm_drives_check(req, update->set, err)) < 0 ||
	    (r = check_freed(req, update, target, err)) < 0)
		return r;
	return guest_change_check_result(target, update, is_new_volume, err);
}

static int start_job(struct api_request *req, const struct guest_target *target,
		     const struct guest_update *update, bool is_awaited, struct err *err)
{
	autofields args = FIELDS_INIT;

	if (update->is_running)
		fields_add(&args, "is-running", "1");
	if (api_bool(req, "force", false))
		fields_add(&args, "force", "1");
	return guest_change_start(req, target, update, &args, is_awaited, err);
}

static int change_by_job(struct api_request *req, const struct guest_target *target,
			 const struct guest_update *update, bool is_awaited, struct err *err)
{
	int r;

	if (update->set->count == 0 && !update->delete_list && !update->revert_list)
		return err_set(err, ERR_INVALID, "no options specified");
	r = check_change(req, update, target, err);
	return r < 0 ? r : start_job(req, target, update, is_awaited, err);
}

static void read_update(const struct api_request *req, const struct guest_target *target,
			const struct fields *set, struct guest_update *ret)
{
	*ret = (struct guest_update){
		.set = set,
		.delete_list = api_str(req, "delete"),
		.revert_list = api_str(req, "revert"),
		.is_running = guest_target_may_run(req, target),
	};
}

/* PUT answers when the change is made, POST with the task that makes it. */
static int change(struct api_request *req, bool is_awaited, struct err *err)
{
	autofields set = FIELDS_INIT;
	struct guest_target target;
	struct guest_update update;
	int r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	guest_request_config_fields(req, &set);
	read_update(req, &target, &set, &update);
	if (!is_awaited || needs_job(req, &update))
		return change_by_job(req, &target, &update, is_awaited, err);
	r = vm_drives_check(req, &set, err);
	return r < 0 ? r : guest_handle_config_put(req, err);
}

int vm_handle_config_put(struct api_request *req, struct err *err)
{
	return change(req, true, err);
}

int vm_handle_config_post(struct api_request *req, struct err *err)
{
	return change(req, false, err);
}

int vm_handle_unlink(struct api_request *req, struct err *err)
{
	autofields none = FIELDS_INIT;
	struct guest_target target;
	struct guest_update update;
	int r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	read_update(req, &target, &none, &update);
	update.delete_list = api_str(req, "idlist");
	autostrv char **ids = str_split(update.delete_list, SEPARATORS);

	if (!ids[0])
		return err_field(err, "idlist", "names no disk");
	for (size_t i = 0; ids[i]; i++)
		if (!is_drive(ids[i]) && !is_unused(ids[i]))
			return err_field(err, "idlist", "'%s' is no disk", ids[i]);
	return change_by_job(req, &target, &update, true, err);
}
