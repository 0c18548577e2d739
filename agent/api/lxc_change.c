/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PUT /nodes/{node}/lxc/{vmid}/config. What is only written is stored here; where volumes are made or freed, or a
 * running container is to follow at once, a job does it and the answer waits for it. Runs on the core's loop. */
#include <string.h>

#include "agent/api/ct_rights.h"
#include "agent/api/guest_change.h"
#include "agent/api/guest_handlers.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define SEPARATORS ",; "

static bool is_unused(const char *key)
{
	return ct_key_index(key, "unused", CT_UNUSED_MAX, &(unsigned){0});
}

static bool is_new_volume(const struct field *f)
{
	struct ct_mp mp;

	return f->size > 0 && str_starts(f->name, "mp") &&
	       ct_mp_parse(f->name, f->value, &mp, NULL) == 0 && mp.is_new;
}

static bool handles_volumes(const struct guest_update *update)
{
	autostrv char **deleted = str_split(update->delete_list ?: "", SEPARATORS);

	for (size_t i = 0; i < update->set->count; i++)
		if (is_new_volume(&update->set->items[i]))
			return true;
	for (size_t i = 0; deleted[i]; i++)
		if (is_unused(deleted[i]))
			return true;
	return false;
}

/* Something that a running container is to be told of, or to be told why it cannot take it. */
static bool is_hot(const struct guest_update *update)
{
	autostrv char **deleted = str_split(update->delete_list ?: "", SEPARATORS);

	if (update->raw)
		return true;
	for (size_t i = 0; i < update->set->count; i++)
		if (!guest_key_is_in(ct_live_keys, update->set->items[i].name))
			return true;
	for (size_t i = 0; deleted[i]; i++)
		if (!guest_key_is_in(ct_live_keys, deleted[i]))
			return true;
	return false;
}

/* A job of this container that goes on (a shutdown that waits) would keep the answer waiting: the change then waits
 * for the next start like any other. */
static bool needs_job(const struct api_request *req, const struct guest_target *target,
		      const struct guest_update *update)
{
	return handles_volumes(update) || (guest_target_is_running(target) && is_hot(update) &&
					   !jobs_guest_is_busy(req->core->jobs, target->vmid));
}

/* A volume that goes needs the right to its room, and a container that may lose one. */
static int check_freed(const struct api_request *req, const struct guest_target *target,
		       const struct guest_update *update, struct err *err)
{
	autostrv char **deleted = str_split(update->delete_list ?: "", SEPARATORS);

	for (size_t i = 0; deleted[i]; i++) {
		const char *volume = guest_config_get(target->guest->config, deleted[i]);
		int r;

		if (!volume || !is_unused(deleted[i]))
			continue;
		autofree char *storage = xstrndup(volume, strcspn(volume, ":"));
		autofree char *path = xasprintf("/storage/%s", storage);

		if (ct_config_flag(target->guest->config, "protection"))
			return err_set(err, ERR_BUSY,
				       "can't remove volume '%s' - protection mode enabled",
				       volume);
		if ((r = api_check(req, path, "Datastore.AllocateSpace", false, err)) < 0)
			return r;
	}
	return 0;
}

static int change_by_job(struct api_request *req, const struct guest_target *target,
			 const struct guest_update *update, struct err *err)
{
	autofields args = FIELDS_INIT;
	int r;

	if ((r = guest_change_check(req, target, update, err)) < 0 ||
	    (r = check_freed(req, target, update, err)) < 0 ||
	    (r = guest_change_check_result(target, update, is_new_volume, err)) < 0)
		return r;
	return guest_change_start(req, target, update, &args, true, err);
}

int ct_handle_config_put(struct api_request *req, struct err *err)
{
	autofields set = FIELDS_INIT;
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	guest_request_config_fields(req, &set);
	struct guest_update update = {
		.set = &set,
		.delete_list = api_str(req, "delete"),
		.revert_list = api_str(req, "revert"),
		.raw = api_str(req, "lxc"),
		.is_running = guest_target_may_run(req, &target),
	};

	r = ct_rights_check(req, &set, ct_config_flag(target.guest->config, "unprivileged"), err);
	if (r < 0)
		return r;
	return needs_job(req, &target, &update) ? change_by_job(req, &target, &update, err)
						: guest_handle_config_put(req, err);
}
