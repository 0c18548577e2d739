/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of guests: listed, described and shown from the configuration; made, deleted and gone back to by jobs,
 * which check again. Runs on the core's loop. */
#include "agent/api/guest_snapshot.h"

#include "agent/api/ct_rights.h"
#include "agent/api/guest_keys.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/snapshots.h"
#include "agent/guest/view.h"

int guest_snapshot_show(struct api_request *req, const struct guest_target *target,
			const char *name, struct err *err)
{
	struct guest_config shown __attribute__((cleanup(guest_config_fini))) = {0};

	if (!guest_snapshot_find(target->guest->config, name))
		return err_set(err, ERR_NOT_FOUND, "snapshot '%s' does not exist", name);
	guest_snapshot_config(target->guest->config, name, &shown);
	guest_config_write(target->ops, &shown, true, &req->json);
	return 0;
}

static int start_job(struct api_request *req, const struct guest_target *target, const char *verb,
		     const char *undo, const struct fields *args, struct err *err)
{
	autofree char *command = xasprintf("%s%s", target->ops->task_prefix, undo);

	return guest_request_job(req,
				 &(struct guest_job){.ops = target->ops,
						     .vmid = target->vmid,
						     .verb = verb,
						     .undo = command,
						     .args = args},
				 err);
}

int guest_handle_snapshot_list(struct api_request *req, struct err *err)
{
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r == 0)
		guest_snapshots_write(target.guest->config, guest_target_is_running(&target),
				      &req->json);
	return r;
}

int guest_handle_snapshot_index(struct api_request *req, struct err *err)
{
	static const char *const commands[] = {"config", "rollback"};

	(void)err;
	json_array_begin(&req->json);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		json_object_begin(&req->json);
		json_kv_string(&req->json, "cmd", commands[i]);
		json_object_end(&req->json);
	}
	json_array_end(&req->json);
	return 0;
}

/* A machine's memory is not kept, and its images are snapshot while no emulator has them open. */
static int check_state(const struct api_request *req, const struct guest_target *target,
		       struct err *err)
{
	if (api_bool(req, "vmstate", false))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: snapshot with the state of the memory");
	if (target->ops->is_machine && guest_target_is_running(target))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: snapshot of a running %s",
			       target->ops->noun);
	return 0;
}

int guest_handle_snapshot_create(struct api_request *req, struct err *err)
{
	const char *name = api_str(req, "snapname");
	autofields args = FIELDS_INIT;
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r == 0)
		r = guest_target_check_lock(&target, NULL, err);
	if (r == 0)
		r = guest_snapshot_name_check(name, err);
	if (r == 0 && guest_snapshot_find(target.guest->config, name))
		r = err_set(err, ERR_EXISTS, "snapshot name '%s' already used", name);
	if (r == 0)
		r = check_state(req, &target, err);
	if (r == 0)
		r = guest_check_feature(req, &target, NULL, VOLUME_SNAPSHOT, err);
	if (r < 0)
		return r;
	fields_add(&args, "snapname", name);
	fields_add(&args, "description", api_str(req, "description"));
	return start_job(req, &target, "snapshot", "snapshot-undo", &args, err);
}

int guest_handle_snapshot_delete(struct api_request *req, struct err *err)
{
	const char *name = api_str(req, "snapname");
	autofields args = FIELDS_INIT;
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r == 0)
		r = guest_target_check_lock(&target, "snapshot-delete", err);
	if (r == 0 && !guest_snapshot_find(target.guest->config, name))
		r = err_set(err, ERR_NOT_FOUND, "snapshot '%s' does not exist", name);
	if (r == 0 && !api_bool(req, "force", false))
		r = guest_check_open(&target, name, "deletion of a snapshot", err);
	if (r < 0)
		return r;
	fields_add(&args, "snapname", name);
	if (api_bool(req, "force", false))
		fields_add(&args, "force", "1");
	return start_job(req, &target, "delsnapshot", "delsnapshot", &args, err);
}

int guest_handle_snapshot_rollback(struct api_request *req, struct err *err)
{
	const struct guest_section *section;
	autofields args = FIELDS_INIT;
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r == 0)
		r = guest_target_check_lock(&target, "rollback", err);
	if (r == 0)
		r = guest_snapshot_require(target.guest->config, api_str(req, "snapname"), &section,
					   err);
	if (r == 0 && !target.ops->is_machine)
		r = ct_rights_check_again(req, &section->keys, target.guest->config, err);
	if (r == 0)
		r = guest_keys_check_bridges(req, target.ops, &section->keys, target.guest->config,
					     err);
	if (r < 0)
		return r;
	fields_add(&args, "snapname", section->name);
	if (api_bool(req, "start", false))
		fields_add(&args, "start", "1");
	return start_job(req, &target, "rollback", "rollback", &args, err);
}

int guest_handle_snapshot_config_get(struct api_request *req, struct err *err)
{
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	return r < 0 ? r : guest_snapshot_show(req, &target, api_str(req, "snapname"), err);
}

int guest_handle_snapshot_config_put(struct api_request *req, struct err *err)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini))) = {0};
	const char *name = api_str(req, "snapname"), *text = api_str(req, "description");
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r == 0)
		r = guest_target_check_lock(&target, NULL, err);
	if (r == 0 && !guest_snapshot_find(target.guest->config, name))
		r = err_set(err, ERR_NOT_FOUND, "snapshot '%s' does not exist", name);
	if (r < 0 || !text)
		return r;
	guest_config_copy(&config, target.guest->config);
	guest_snapshot_describe(&config, name, text);
	return guest_request_store(req, &target, &config, err);
}
