/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes of a guest grow, move, and become a template's. What can be refused at once is; a job does it and looks
 * again. Runs on the core's loop. */
#include <inttypes.h>

#include "agent/api/guest_create.h"
#include "agent/api/guest_bwlimit.h"
#include "agent/api/guest_life.h"
#include "agent/api/guest_snapshot.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/snapshots.h"
#include "agent/guest/underway.h"
#include "agent/guest/volumes.h"

#define ROUND	  UINT64_C(4096) /* sizes are multiples of a file system's block */
#define BYTES_MAX (UINT64_C(131072) << 30)

/* The volume under the key that the parameter `name` says. */
static int find_volume(const struct api_request *req, const struct guest_target *target,
		       const char *name, struct guest_volume *ret, struct err *err)
{
	const char *key = api_str(req, name);
	const char *value = guest_config_get(target->guest->config, key);
	bool is_key = guest_key_is_volume(target->ops, key) || guest_key_is_unused(key);
	int r = value && is_key ? guest_volume_read(target->ops, key, value, ret, err) : 0;

	if (r < 0)
		return r;
	return r == 1 ? 0 : err_field(err, name, "disk '%s' does not exist", key);
}

static int check_space(const struct api_request *req, const char *storage, struct err *err)
{
	autofree char *path = xasprintf("/storage/%s", storage);

	return api_check(req, path, "Datastore.AllocateSpace", false, err);
}

/* -- template -- */

/* A job before may have made some of the volumes a template's, and then failed: another one carries it on. */
static bool template_is_begun(const struct guest_target *target)
{
	struct guest_config *config = target->guest->config;

	return guest_config_section(config, UNDERWAY_TEMPLATE) &&
	       str_eq(guest_config_get(config, "lock"), target->ops->is_machine ? "clone" : "disk");
}

static int check_template(const struct api_request *req, const struct guest_target *target,
			  struct err *err)
{
	const struct guest_config *config = target->guest->config;

	if (api_str(req, "disk"))
		return err_field(err, "disk", "only whole machines become templates");
	if (template_is_begun(target))
		return 0;
	if (str_eq(guest_config_get(config, "template"), "1"))
		return err_set(err, ERR_BUSY, "%s %u is a template already", target->ops->label,
			       target->vmid);
	if (guest_target_is_running(target))
		return err_set(err, ERR_BUSY, "you can't convert a %s to template if it is running",
			       target->ops->label);
	for (size_t i = 1; i < config->count; i++)
		if (guest_section_is_snapshot(&config->sections[i]))
			return err_set(err, ERR_BUSY,
				       "unable to create template, because %s contains snapshots",
				       target->ops->label);
	return guest_check_feature(req, target, NULL, VOLUME_TEMPLATE, err);
}

int guest_handle_template(struct api_request *req, struct err *err)
{
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r == 0)
		r = guest_target_check_lock(&target,
					    template_is_begun(&target)
						    ? guest_config_get(target.guest->config, "lock")
						    : NULL,
					    err);
	if (r == 0)
		r = check_template(req, &target, err);
	if (r < 0)
		return r;
	autofree char *undo = xasprintf("%stemplate", target.ops->task_prefix);

	return guest_request_job(req,
				 &(struct guest_job){.ops = target.ops,
						     .vmid = target.vmid,
						     .verb = "template",
						     .undo = undo,
						     .is_awaited = !target.ops->is_machine},
				 err);
}

/* -- resize -- */

static int new_size(const struct api_request *req, uint64_t before, uint64_t *ret, struct err *err)
{
	const char *text = api_str(req, "size"), *more = str_after(text, "+");
	uint64_t size;

	if (!str_to_bytes(more ? more : text, 1, &size) || size > BYTES_MAX)
		return err_field(err, "size", "'%s' is no size", text);
	if (more && before == 0)
		return err_field(err, "size", "the size is not known: say the whole of it");
	if (more && size > BYTES_MAX - before)
		return err_field(err, "size", "'%s' is too much", text);
	size += more ? before : 0;
	size = (size + ROUND - 1) / ROUND * ROUND;
	if (size < before || size == 0)
		return err_field(err, "size", "unable to shrink disk size");
	*ret = size;
	return 0;
}

static int check_resize(const struct api_request *req, const struct guest_target *target,
			uint64_t *ret_size, struct err *err)
{
	struct guest_volume v;
	int r = find_volume(req, target, "disk", &v, err);

	if (r == 0)
		r = new_size(req, v.size, ret_size, err);
	if (r == 0)
		r = check_space(req, v.volume.storage, err);
	return r < 0 ? r : guest_check_volume_feature(req, &v, NULL, VOLUME_RESIZE, err);
}

int guest_handle_resize(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	struct guest_target target;
	uint64_t size;
	int r = guest_request_unlocked(req, &target, &args, err);

	if (r == 0)
		r = guest_request_check_digest(req, "digest", target.guest->config, err);
	if (r == 0)
		r = check_resize(req, &target, &size, err);
	if (r < 0)
		return r;
	autofree char *undo = xasprintf("%sresize", target.ops->task_prefix);

	fields_add(&args, "disk", api_str(req, "disk"));
	fields_addf(&args, "size", "%" PRIu64, size);
	return guest_request_job(req,
				 &(struct guest_job){.ops = target.ops,
						     .vmid = target.vmid,
						     .verb = "resize",
						     .type = "resize",
						     .undo = undo,
						     .args = &args},
				 err);
}

/* -- move -- */

struct move {
	const char *volume, *target_volume; /* names of the parameters */
	unsigned other;			    /* guest, 0: none */
};

static int check_to_storage(const struct api_request *req, const struct guest_target *target,
			    const struct guest_volume *v, struct err *err)
{
	const char *storage = api_str(req, "storage"), *format = api_str(req, "format");
	int r = check_space(req, storage, err);

	if (r == 0)
		r = guest_create_check_storage(req, storage,
					       volume_content_name(target->ops->content), err);
	if (r == 0 && str_eq(format, "vmdk"))
		r = err_field(err, "format", "'vmdk' is not supported");
	if (r == 0 && str_eq(storage, v->volume.storage) &&
	    (!format || str_eq(format, v->volume.format)))
		r = err_field(err, "storage", "the volume is on storage '%s' already", storage);
	return r < 0 ? r : guest_check_volume_feature(req, v, NULL, VOLUME_COPY, err);
}

static int find_other(const struct api_request *req, const struct guest_target *target,
		      unsigned vmid, struct guest_target *ret, struct err *err)
{
	const struct guest *guest = guests_find(req->core->guests, vmid);

	if (vmid == target->vmid)
		return err_field(err, "target-vmid", "is the guest itself");
	if (!guest || guest->kind != target->guest->kind || !str_eq(guest->node, req->core->node) ||
	    guest->config_is_bad)
		return err_field(err, "target-vmid", "%s %u does not exist on this node",
				 target->ops->label, vmid);
	*ret = (struct guest_target){.ops = target->ops,
				     .guest = guest,
				     .fact = facts_guest(req->core->facts, vmid),
				     .vmid = vmid};
	return 0;
}

/* With the volume's options, unless nothing uses it there. */
static int check_received(const struct guest_target *target, const struct guest_target *other,
			  const struct move *move, const struct guest_volume *v, const char *key,
			  struct err *err)
{
	const char *value = guest_config_get(target->guest->config, v->key);
	struct guest_config theirs;
	struct err why = ERR_INIT;
	int r;

	guest_config_copy(&theirs, other->guest->config);
	guest_config_set(&theirs, key, guest_key_is_unused(key) ? v->volid : value);
	r = guest_config_check(target->ops, &theirs, &why);
	guest_config_fini(&theirs);
	if (r < 0)
		return err_field(err, move->target_volume, "%s %u cannot have it: %s: %s",
				 target->ops->label, other->vmid, why.field, why.message);
	return 0;
}

static int check_other_key(const struct api_request *req, const struct guest_target *target,
			   const struct guest_target *other, const struct move *move,
			   const char *key, struct err *err)
{
	const char *own = api_str(req, move->volume);

	if (!guest_key_is_volume(target->ops, key) && !guest_key_is_unused(key))
		return err_field(err, move->target_volume, "'%s' is no disk", key);
	if (str_eq(own, "rootfs"))
		return err_field(err, move->volume,
				 "a container's root volume cannot be given away");
	if (guest_key_is_unused(own) && !guest_key_is_unused(key) && !target->ops->is_machine)
		return err_field(err, move->target_volume,
				 "an unused volume can become an unused one only: where it would "
				 "be mounted is not known");
	if (guest_config_get(other->guest->config, key))
		return err_field(err, move->target_volume, "%s %u has '%s' already",
				 target->ops->label, other->vmid, key);
	return 0;
}

static int check_to_guest(const struct api_request *req, const struct guest_target *target,
			  const struct guest_volume *v, const struct move *move, struct err *err)
{
	const char *key = api_str(req, move->target_volume) ?: v->key;
	autofree char *path = xasprintf("/vms/%u", move->other);
	struct guest_target other;
	const char *snapshot = guest_volume_snapshot(target->ops, target->guest->config, v->volid);
	int r = api_check(req, path, "VM.Config.Disk", false, err);

	if (r == 0)
		r = find_other(req, target, move->other, &other, err);
	if (r == 0)
		r = guest_target_check_lock(&other, NULL, err);
	if (r == 0)
		r = guest_request_check_digest(req, "target-digest", other.guest->config, err);
	if (r == 0)
		r = check_other_key(req, target, &other, move, key, err);
	if (r == 0)
		r = check_received(target, &other, move, v, key, err);
	if (r == 0 && guest_target_is_running(&other))
		r = err_set(err, ERR_BUSY, "%s %u is running", target->ops->label, other.vmid);
	if (r == 0)
		r = check_space(req, v->volume.storage, err);
	if (r == 0 && snapshot)
		r = err_set(err, ERR_BUSY, "snapshot '%s' needs volume '%s'", snapshot, v->volid);
	if (r == 0 && volume_is_base(&v->volume))
		r = err_set(err, ERR_BUSY, "a base volume belongs to its template");
	return r < 0 ? r : guest_check_volume_feature(req, v, NULL, VOLUME_COPY, err);
}

static int check_move(const struct api_request *req, const struct guest_target *target,
		      const struct move *move, struct err *err)
{
	bool to_storage = api_str(req, "storage") != NULL;
	struct guest_volume v;
	int r;

	if (to_storage == (move->other != 0))
		return err_field(err, "storage",
				 to_storage ? "either a storage or a target-vmid, not both"
					    : "a storage or a target-vmid is needed");
	if (api_str(req, move->target_volume) && !move->other)
		return err_field(err, move->target_volume, "needs a target-vmid");
	if ((r = find_volume(req, target, move->volume, &v, err)) < 0)
		return r;
	if (guest_target_is_running(target))
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: move of a volume of a running %s",
			       target->ops->noun);
	return to_storage ? check_to_storage(req, target, &v, err)
			  : check_to_guest(req, target, &v, move, err);
}

static int start_move(struct api_request *req, const struct guest_target *target,
		      const struct move *move, struct err *err)
{
	static const char *const handed_on[] = {"storage", "format"};
	autofree char *undo = xasprintf("%smove-undo", target->ops->task_prefix);
	const char *volume = api_str(req, move->volume);
	const char *storage = api_str(req, "storage");
	autofields args = FIELDS_INIT, storages = FIELDS_INIT;
	struct guest_volume v;

	if (find_volume(req, target, move->volume, &v, NULL) == 0)
		fields_add(&storages, v.volume.storage, "");
	if (storage)
		fields_add(&storages, storage, "");
	uint64_t bwlimit = guest_bwlimit(req, "move", &storages);

	fields_add(&args, "volume", volume);
	for (size_t i = 0; i < ARRAY_SIZE(handed_on); i++)
		fields_add(&args, handed_on[i], api_str(req, handed_on[i]));
	if (api_bool(req, "delete", false))
		fields_add(&args, "delete", "1");
	if (bwlimit)
		fields_addf(&args, "bwlimit", "%" PRIu64, bwlimit);
	if (move->other) {
		fields_addf(&args, "target-vmid", "%u", move->other);
		fields_add(&args, "target-volume", api_str(req, move->target_volume) ?: volume);
	}
	return guest_request_job(
		req,
		&(struct guest_job){.ops = target->ops,
				    .vmid = target->vmid,
				    .other = move->other,
				    .verb = "move",
				    .type = target->ops->is_machine ? "qmmove" : "move_volume",
				    .undo = undo,
				    .args = &args},
		err);
}

int guest_handle_move(struct api_request *req, struct err *err)
{
	struct guest_target target;
	int r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	const struct move move = {
		.volume = target.ops->is_machine ? "disk" : "volume",
		.target_volume = target.ops->is_machine ? "target-disk" : "target-volume",
		.other = (unsigned)api_int(req, "target-vmid", 0),
	};

	r = guest_target_check_lock(&target, NULL, err);
	if (r == 0)
		r = guest_request_check_digest(req, "digest", target.guest->config, err);
	if (r == 0)
		r = check_move(req, &target, &move, err);
	return r < 0 ? r : start_move(req, &target, &move, err);
}
