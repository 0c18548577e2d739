/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST …/clone: the copy's configuration is made and stored here, locked and without volumes; a job makes those. Runs
 * on the core's loop. */
#include <inttypes.h>

#include "agent/api/ct_rights.h"
#include "agent/api/guest_bwlimit.h"
#include "agent/api/guest_create.h"
#include "agent/api/guest_keys.h"
#include "agent/api/guest_life.h"
#include "agent/api/guest_snapshot.h"
#include "agent/api/pools.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/clone.h"
#include "agent/guest/snapshots.h"
#include "agent/guest/volumes.h"

static unsigned new_id(const struct api_request *req)
{
	return (unsigned)api_int(req, "newid", 0);
}

static bool is_template(const struct guest_target *target)
{
	return str_eq(guest_config_get(target->guest->config, "template"), "1");
}

/* The state as it is must not change meanwhile: the job belongs to both guests' queues, and locks the source. */
static bool locks_source(const struct api_request *req, const struct guest_target *target)
{
	return !api_str(req, "snapname") && !is_template(target);
}

/* Nothing starts while its images are read. */
static bool reads_images(const struct api_request *req, const struct guest_target *target)
{
	const struct guest_config *config = target->guest->config;
	const struct guest_section *section = guest_snapshot_find(config, api_str(req, "snapname"));

	return section && guest_snapshot_check_open(target->ops, config, section, "", NULL) < 0;
}

static bool asks_for_link(const struct api_request *req)
{
	return api_str(req, "full") && !api_bool(req, "full", false);
}

static int check_parameters(const struct api_request *req, const struct guest_target *target,
			    struct err *err)
{
	const char *node = api_str(req, "target"), *format = api_str(req, "format");

	if (node && !str_eq(node, req->core->node))
		return err_field(err, "target", "only node '%s' itself can hold the copy",
				 req->core->node);
	if (new_id(req) == target->vmid)
		return err_field(err, "newid", "is the id of the source");
	if (str_eq(format, "vmdk"))
		return err_field(err, "format", "'vmdk' is not supported");
	if (asks_for_link(req) && api_str(req, "storage"))
		return err_field(err, "storage", "not allowed for linked clones");
	if (asks_for_link(req) && format)
		return err_field(err, "format", "not allowed for linked clones");
	return 0;
}

static int check_space(const struct api_request *req, const struct guest_target *target,
		       const char *storage, struct err *err)
{
	autofree char *path = xasprintf("/storage/%s", storage);
	int r = api_check(req, path, "Datastore.AllocateSpace", false, err);

	return r < 0 ? r
		     : guest_create_check_storage(req, storage,
						  volume_content_name(target->ops->content), err);
}

/* Every storage that gets a volume. */
static int check_storages(const struct api_request *req, const struct guest_target *target,
			  const struct guest_section *section, struct err *err)
{
	const char *storage = api_str(req, "storage");
	autofree struct guest_volume *volumes = NULL;
	size_t count = 0;
	int r = guest_volumes(target->ops, section, &volumes, &count, err);

	if (r == 0 && storage)
		r = check_space(req, target, storage, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (!volumes[i].is_unused && !storage)
			r = check_space(req, target, volumes[i].volume.storage, err);
	return r;
}

/* What is copied: room for its volumes, the use of its bridges, and nothing that root alone may give to a guest. */
static int check_source(const struct api_request *req, const struct guest_target *target,
			struct err *err)
{
	const struct guest_section *section = &target->guest->config->sections[0];
	const char *snapshot = api_str(req, "snapname");
	int r = 0;

	if (snapshot)
		r = guest_snapshot_require(target->guest->config, snapshot, &section, err);
	if (r == 0 && !target->ops->is_machine)
		r = ct_rights_check_again(req, &section->keys, NULL, err);
	if (r == 0)
		r = guest_keys_check_bridges(req, target->ops, &section->keys, NULL, err);
	return r < 0 ? r : check_storages(req, target, section, err);
}

static int check_features(const struct api_request *req, const struct guest_target *target,
			  struct err *err)
{
	const char *snapshot = api_str(req, "snapname");

	if (asks_for_link(req))
		return guest_check_feature(req, target, snapshot, VOLUME_CLONE, err);
	if (locks_source(req, target) && guest_target_is_running(target))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: full clone of a running %s without a "
			       "snapshot",
			       target->ops->noun);
	int r = guest_check_open(target, snapshot, "copy of a snapshot", err);

	return r < 0 ? r : guest_check_feature(req, target, snapshot, VOLUME_COPY, err);
}

static int check(const struct api_request *req, const struct guest_target *target, struct err *err)
{
	autofree char *path = xasprintf("/vms/%u", new_id(req));
	int r = check_parameters(req, target, err);

	if (r == 0)
		r = api_check(req, path, "VM.Allocate", false, err);
	if (r == 0)
		r = check_source(req, target, err);
	if (r == 0)
		r = guest_create_check_id(req, target->ops, new_id(req), err);
	if (r == 0 && locks_source(req, target))
		r = guest_target_check_lock(target, NULL, err);
	return r < 0 ? r : check_features(req, target, err);
}

static void add_bwlimit(const struct api_request *req, const struct guest_target *target,
			struct fields *args)
{
	const char *storage = api_str(req, "storage");
	autofields volumes = FIELDS_INIT, storages = FIELDS_INIT;
	uint64_t limit;

	guest_volume_names(target->ops, target->guest->config, &volumes);
	for (size_t i = 0; i < volumes.count; i++) {
		struct volid volume;

		if (volid_parse(volumes.items[i].name, &volume, NULL) == 0)
			fields_set(&storages, volume.storage, "");
	}
	if (storage)
		fields_set(&storages, storage, "");
	if ((limit = guest_bwlimit(req, "clone", &storages)) > 0)
		fields_addf(args, "bwlimit", "%" PRIu64, limit);
}

static int start_job(struct api_request *req, struct err *err)
{
	static const char *const handed_on[] = {"snapname", "storage", "format"};
	const struct guest_kind_ops *ops = guest_request_ops(req);
	autofree char *undo = xasprintf("%sclone-undo", ops->task_prefix);
	autofields args = FIELDS_INIT;
	struct guest_target target;
	int r = guest_request_target(req, &target, err); /* it may be gone by now */

	fields_addf(&args, "source", "%u", api_vmid(req));
	for (size_t i = 0; i < ARRAY_SIZE(handed_on); i++)
		fields_add(&args, handed_on[i], api_str(req, handed_on[i]));
	if (api_str(req, "full"))
		fields_add(&args, "full", api_bool(req, "full", false) ? "1" : "0");
	if (r == 0)
		add_bwlimit(req, &target, &args);
	bool is_locking = r == 0 && locks_source(req, &target);
	bool is_joining = is_locking || (r == 0 && reads_images(req, &target));

	if (is_locking)
		fields_add(&args, "locks-source", "1");
	if (r == 0)
		r = guest_request_job(req,
				      &(struct guest_job){.ops = ops,
							  .vmid = new_id(req),
							  .id = api_vmid(req),
							  .other = is_joining ? api_vmid(req) : 0,
							  .verb = "clone",
							  .undo = undo,
							  .args = &args},
				      err);
	if (r < 0)
		guest_create_abandon(req, new_id(req));
	return r;
}

int guest_handle_clone(struct api_request *req, struct err *err)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini))) = {0};
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r == 0)
		r = api_pool_joins(req, new_id(req), err);
	if (r == 0)
		r = check(req, &target, err);
	if (r < 0)
		return r;
	const struct guest_clone clone = {.vmid = new_id(req),
					  .snapshot = api_str(req, "snapname"),
					  .name = api_str(req, target.ops->name_key),
					  .description = api_str(req, "description")};

	r = guest_clone_config(target.ops, target.guest->config, &clone, &config, err);
	return r < 0 ? r : guest_create_store(req, new_id(req), &config, start_job, err);
}
