/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be done with a guest, by what its storages can do with its volumes. Runs on the core's loop. */
#include "agent/api/guest_snapshot.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/storages.h"
#include "agent/guest/snapshots.h"
#include "agent/guest/volumes.h"

int guest_check_volume_feature(const struct api_request *req, const struct guest_volume *v,
			       const char *snapshot, enum volume_feature feature, struct err *err)
{
	const struct storage_def *def =
		storage_cfg_find(storages_config(req->core->storages), v->volume.storage);

	if (!def)
		return err_set(err, ERR_NOT_FOUND, "%s: storage '%s' does not exist", v->key,
			       v->volume.storage);
	return volume_feature_check(def->type, &v->volume, snapshot, feature, err);
}

int guest_check_feature(const struct api_request *req, const struct guest_target *target,
			const char *snapshot, enum volume_feature feature, struct err *err)
{
	const struct guest_section *section = &target->guest->config->sections[0];
	autofree struct guest_volume *volumes = NULL;
	size_t count = 0;
	int r = 0;

	if (snapshot)
		r = guest_snapshot_require(target->guest->config, snapshot, &section, err);
	if (r == 0)
		r = guest_volumes(target->ops, section, &volumes, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (!volumes[i].is_unused)
			r = guest_check_volume_feature(req, &volumes[i], snapshot, feature, err);
	return r;
}

int guest_check_open(const struct guest_target *target, const char *snapshot, const char *action,
		     struct err *err)
{
	const struct guest_config *config = target->guest->config;
	const struct guest_section *section = guest_snapshot_find(config, snapshot);

	if (!section || !guest_target_is_running(target))
		return 0;
	return guest_snapshot_check_open(target->ops, config, section, action, err);
}

/* In full: what is as it is must stand still for it. */
static int check_copy(const struct guest_target *target, const char *snapshot,
		      enum volume_feature feature, struct err *err)
{
	if (feature == VOLUME_COPY && snapshot)
		return guest_check_open(target, snapshot, "copy of a snapshot", err);
	if (feature != VOLUME_COPY || snapshot || !guest_target_is_running(target))
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "feature not available: copy of a running %s without a snapshot",
		       target->ops->noun);
}

static int check(const struct api_request *req, const struct guest_target *target, struct err *err)
{
	const char *snapshot = api_str(req, "snapname");
	enum volume_feature feature;
	int r = volume_feature_from_name(api_str(req, "feature"), &feature, err);

	if (r == 0)
		r = check_copy(target, snapshot, feature, err);
	if (r == 0 && feature == VOLUME_SNAPSHOT && target->ops->is_machine &&
	    guest_target_is_running(target))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: snapshot of a running %s",
			       target->ops->noun);
	return r < 0 ? r : guest_check_feature(req, target, snapshot, feature, err);
}

int guest_handle_feature(struct api_request *req, struct err *err)
{
	struct guest_target target;
	struct err why = ERR_INIT;
	int r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	if ((r = check(req, &target, &why)) < 0 && r != -ERR_UNSUPPORTED) {
		*err = why;
		return r;
	}
	json_object_begin(&req->json);
	json_kv_int(&req->json, "hasFeature", r == 0);
	if (r < 0)
		json_kv_string(&req->json, "reason", why.message);
	if (target.ops->is_machine) {
		json_key(&req->json, "nodes");
		json_array_begin(&req->json);
		if (r == 0)
			json_string(&req->json, req->core->node);
		json_array_end(&req->json);
	}
	json_object_end(&req->json);
	return 0;
}
