/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of configurations by a job, whatever the kind of guest. Runs on the core's loop. */
#include "agent/api/guest_change.h"

#include "agent/api/guest_keys.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

int guest_change_check(const struct api_request *req, const struct guest_target *target,
		       const struct guest_update *update, struct err *err)
{
	int r;

	if ((r = guest_keys_check(req, target, update, err)) < 0 ||
	    (r = guest_request_check_digest(req, "digest", target->guest->config, err)) < 0)
		return r;
	return guest_request_check_lock(req, target, NULL, err);
}

int guest_change_check_result(const struct guest_target *target, const struct guest_update *update,
			      bool (*is_new_volume)(const struct field *f), struct err *err)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini))) = {0};
	autofields set = FIELDS_INIT;
	struct guest_update there = *update;

	for (size_t i = 0; i < update->set->count; i++) {
		const struct field *f = &update->set->items[i];

		if (!is_new_volume(f))
			fields_add_n(&set, f->name, f->value, f->size);
	}
	there.set = &set;
	guest_config_copy(&config, target->guest->config);
	return guest_config_update(target->ops, &config, &there, err);
}

int guest_change_start(struct api_request *req, const struct guest_target *target,
		       const struct guest_update *update, struct fields *args, bool is_awaited,
		       struct err *err)
{
	const char *digest = api_str(req, "digest");
	autofree char *undo = xasprintf("%sconfig-undo", target->ops->task_prefix);
	const struct guest_job job = {.ops = target->ops,
				      .vmid = target->vmid,
				      .verb = "config",
				      .args = args,
				      .undo = undo,
				      .is_awaited = is_awaited};

	for (size_t i = 0; i < update->set->count; i++) {
		const struct field *f = &update->set->items[i];
		autofree char *name = xasprintf("set.%s", f->name);

		fields_add_n(args, name, f->value, f->size);
	}
	fields_add(args, "delete", update->delete_list);
	fields_add(args, "revert", update->revert_list);
	fields_add(args, "lxc", update->raw);
	if (api_bool(req, "skiplock", false))
		fields_add(args, "skiplock", "1");
	fields_add(args, "digest", str_is_empty(digest) ? NULL : digest);
	return guest_request_job(req, &job, err);
}
