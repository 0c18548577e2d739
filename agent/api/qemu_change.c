/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of a virtual machine's configuration: at once (PUT), or by a job (POST). Both check drives here
 * and the rest as for every guest. Runs on the core's loop. */
#include <strings.h>

#include "agent/api/guest_handlers.h"
#include "agent/api/qemu_handlers.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

int vm_handle_config_put(struct api_request *req, struct err *err)
{
	autofields set = FIELDS_INIT;
	int r = api_check_node(req, err);

	guest_request_config_fields(req, &set);
	if (r == 0)
		r = vm_drives_check(req, &set, false, err);
	return r < 0 ? r : guest_handle_config_put(req, err);
}

/* Everything that a PUT would refuse, so that no job starts for it. */
static int check_change(const struct api_request *req, const struct guest_update *update,
			const struct guest_target *target, struct err *err)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini))) = {0};
	const char *digest = api_str(req, "digest");
	int r = guest_request_check_keys(req, update, err);

	if (r == 0 && !str_is_empty(digest) &&
	    strcasecmp(digest, target->guest->config->digest) != 0)
		r = err_set(
			err, ERR_CONFLICT,
			"detected modified configuration - file changed by other user? Try again.");
	if (r == 0)
		r = guest_target_check_lock(target, NULL, err);
	if (r == 0)
		r = vm_drives_check(req, update->set, false, err);
	if (r < 0)
		return r;
	guest_config_copy(&config, target->guest->config);
	return guest_config_update(target->ops, &config, update, err);
}

static int start_job(struct api_request *req, const struct guest_target *target,
		     const struct guest_update *update, struct err *err)
{
	autofields args = FIELDS_INIT;

	for (size_t i = 0; i < update->set->count; i++) {
		const struct field *f = &update->set->items[i];
		autofree char *name = xasprintf("set.%s", f->name);

		fields_add_n(&args, name, f->value, f->size);
	}
	fields_add(&args, "delete", update->delete_list);
	fields_add(&args, "revert", update->revert_list);
	fields_add(&args, "digest",
		   str_is_empty(api_str(req, "digest")) ? NULL : api_str(req, "digest"));
	if (update->is_running)
		fields_add(&args, "is-running", "1");
	return guest_request_job(
		req,
		&(struct guest_job){
			.ops = target->ops, .vmid = target->vmid, .verb = "config", .args = &args},
		err);
}

int vm_handle_config_post(struct api_request *req, struct err *err)
{
	autofields set = FIELDS_INIT;
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	guest_request_config_fields(req, &set);
	/* A guest whose state is not known yet may be running. */
	struct guest_update update = {
		.set = &set,
		.delete_list = api_str(req, "delete"),
		.revert_list = api_str(req, "revert"),
		.is_running = target.fact->state != GUEST_STOPPED,
	};

	if (set.count == 0 && !update.delete_list && !update.revert_list)
		return err_set(err, ERR_INVALID, "no options specified");
	r = check_change(req, &update, &target, err);
	return r < 0 ? r : start_job(req, &target, &update, err);
}
