/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /nodes/{node}/storage/{storage}/content/{volume}: a copy of a volume under a name of the caller's choice.
 * What can be refused at once is; a job makes the copy and looks again. Core's loop. */
#include <stdio.h>
#include <string.h>

#include "agent/api/storage_use.h"
#include "agent/base/str.h"
#include "agent/core/guests.h"
#include "agent/core/storages.h"
#include "storage/volid/feature.h"

struct copy {
	const struct storage_def *from, *to;
	struct volid source, target;
	unsigned users[2]; /* guests that wait for the copy; 0: none */
	size_t user_count;
};

static bool is_guest_volume(const struct volid *volume)
{
	return volume->content == VOLUME_IMAGES || volume->content == VOLUME_ROOTDIR;
}

static int find_source(const struct api_request *req, struct copy *copy, struct err *err)
{
	int r = storage_find_usable(req, &copy->from, err);
	if (r == 0)
		r = storage_parse_volume(req, &copy->source, err);
	return r < 0 ? r
		     : storage_check_volume(req, copy->source.storage,
					    volume_content_name(copy->source.content),
					    copy->source.vmid, err);
}

/* "STORAGE:NAME", or a NAME on the storage of the source. */
static int parse_target(const struct api_request *req, struct copy *copy, struct err *err)
{
	const char *text = api_str(req, "target");
	autofree char *whole =
		strchr(text, ':') ? xstrdup(text) : xasprintf("%s:%s", copy->source.storage, text);
	int r = volid_parse(whole, &copy->target, err);
	if (r < 0 && err)
		str_copy(err->field, sizeof(err->field), "target");
	return r;
}

static int check_target_name(const struct copy *copy, struct err *err)
{
	const struct volid *source = &copy->source, *target = &copy->target;
	bool is_guest = is_guest_volume(source);
	if (is_guest ? !is_guest_volume(target) : source->content != target->content)
		return err_field(err, "target", "'%s' cannot become '%s' content",
				 volume_content_name(source->content),
				 volume_content_name(target->content));
	if (source->content == VOLUME_SNIPPETS) /* they run as root */
		return err_field(err, "volume", "snippets are put there by hand");
	if (volume_is_base(target) || target->base[0])
		return err_field(err, "target",
				 "a copy is neither a base volume nor a linked clone");
	if (is_guest && volume_copy_owner(target->file))
		return err_field(err, "target", "such names are of volumes that are being made");
	if (!is_guest && !str_eq(source->format, target->format))
		return err_field(err, "target", "a copy of '%s' stays '%s'", source->file,
				 source->format);
	if (str_eq(source->storage, target->storage) && str_eq(source->name, target->name))
		return err_field(err, "target", "is the volume itself");
	return 0;
}

static int find_target(const struct api_request *req, struct copy *copy, struct err *err)
{
	const char *name = copy->target.storage;
	copy->to = storage_cfg_find(storages_config(req->core->storages), name);
	if (!copy->to)
		return err_field(err, "target", "storage '%s' does not exist", name);
	if (!storage_is_enabled(copy->to) || !storage_def_is_on_node(copy->to, req->core->node))
		return err_field(err, "target", "storage '%s' is not available on node '%s'", name,
				 req->core->node);
	return 0;
}

/* A volume's name does not tell whether it is a container's: its owner's kind does. */
static enum volume_content content_of(const struct api_request *req, const struct copy *copy)
{
	const struct guest *guest = guests_find(req->core->guests, copy->target.vmid);
	if (!guest)
		guest = guests_find(req->core->guests, copy->source.vmid);
	if (!is_guest_volume(&copy->source))
		return copy->source.content;
	if (str_eq(copy->source.format, "subvol") || (guest && guest->kind == GUEST_LXC))
		return VOLUME_ROOTDIR;
	return VOLUME_IMAGES;
}

/* A volume leaves its guest and its storage here, so one who may do all with both is asked for. */
static int check_rights(const struct api_request *req, const struct copy *copy,
			enum volume_content content, struct err *err)
{
	char from[128], to[128], guest[32];
	const char *kind = volume_content_name(content);
	snprintf(from, sizeof(from), "/storage/%s", copy->source.storage);
	snprintf(to, sizeof(to), "/storage/%s", copy->target.storage);
	int r = api_check(req, from, "Datastore.Allocate", false, err);
	if (r == 0)
		r = api_check(req, to, "Datastore.Allocate", false, err);
	/* storage_check_volume() asks whoever has the storage for no more */
	snprintf(guest, sizeof(guest), "/vms/%u", copy->target.vmid);
	if (r == 0 && is_guest_volume(&copy->target))
		r = api_check(req, guest, "VM.Config.Disk", false, err);
	if (r == 0)
		r = storage_check_volume(req, copy->target.storage, kind, copy->target.vmid, err);
	if (r == 0 && !storage_def_has_content(copy->to, kind))
		r = err_field(err, "target", "storage '%s' does not support '%s' content",
			      copy->to->id, kind);
	return r;
}

/* -- who uses it ------------------------------------------------------------------------------- */

/* What a guest is writing to is no volume but a moment of it. */
static int check_still(const struct api_request *req, const struct guest *guest, struct err *err)
{
	if (guest->config && guest_config_get(guest->config, "lock"))
		return err_set(err, ERR_BUSY, "guest %u is locked (%s)", guest->vmid,
			       guest_config_get(guest->config, "lock"));
	if (jobs_guest_is_busy(req->core->jobs, guest->vmid))
		return err_set(err, ERR_BUSY, "guest %u is busy with another task", guest->vmid);
	if (facts_guest(req->core->facts, guest->vmid)->state != GUEST_STOPPED)
		return err_set(err, ERR_BUSY,
			       "guest %u is not stopped: its volumes cannot be copied",
			       guest->vmid);
	return 0;
}

/* Any guest's, not only that of its name; snapshots too. */
static bool is_used_by(const struct guest *guest, const struct volid *volume)
{
	for (size_t s = 0; guest->config && s < guest->config->count; s++) {
		const struct fields *keys = &guest->config->sections[s].keys;
		for (size_t i = 0; i < keys->count; i++)
			if (storage_key_uses(&keys->items[i], volume))
				return true;
	}
	return false;
}

/* The job joins their queues: until it ended none of them starts. */
static int add_user(const struct api_request *req, const struct guest *guest, struct copy *copy,
		    struct err *err)
{
	if (!str_eq(guest->node, req->core->node))
		return err_set(err, ERR_BUSY, "the volume is in use by guest %u of node '%s'",
			       guest->vmid, guest->node);
	if (copy->user_count == ARRAY_SIZE(copy->users))
		return err_set(err, ERR_BUSY, "the volume is in use by more than %zu guests",
			       copy->user_count);
	copy->users[copy->user_count++] = guest->vmid;
	return check_still(req, guest, err);
}

static int find_users(const struct api_request *req, const struct volid *volume, struct copy *copy,
		      struct err *err)
{
	const struct guest *guest = NULL;
	int r = 0;
	if (!is_guest_volume(volume) || volume_is_base(volume))
		return 0;
	while (r == 0 && (guest = guests_next(req->core->guests, guest ? guest->vmid : 0)))
		if (guest->vmid == volume->vmid || is_used_by(guest, volume))
			r = add_user(req, guest, copy, err);
	return r;
}

static int check_node(const struct api_request *req, struct err *err)
{
	const char *node = api_str(req, "target_node");
	if (!node || str_eq(node, req->core->node) || str_eq(node, "localhost"))
		return 0;
	return err_field(err, "target_node",
			 "feature not available: copy of a volume to another node");
}

static void add_target_def(struct fields *args, const struct storage_def *def)
{
	autofields plain = FIELDS_INIT;
	storage_def_encode(def, &plain);
	for (size_t i = 0; i < plain.count; i++) {
		autofree char *name = xasprintf("to.%s", plain.items[i].name);
		fields_add(args, name, plain.items[i].value);
	}
}

static int start(struct api_request *req, const struct copy *copy, enum volume_content content,
		 struct err *err)
{
	autofields args = FIELDS_INIT;
	autofree char *id = copy->source.vmid
				    ? xasprintf("%u@%s", copy->source.vmid, copy->from->id)
				    : xstrdup(copy->from->id);
	unsigned first = copy->users[0] ?: copy->source.vmid ?: copy->target.vmid;
	unsigned other = copy->users[1] ?: copy->target.vmid;
	storage_def_encode(copy->from, &args);
	add_target_def(&args, copy->to);
	fields_addf(&args, "volid", "%s:%s", copy->source.storage, copy->source.name);
	fields_addf(&args, "target", "%s:%s", copy->target.storage, copy->target.name);
	fields_add(&args, "content", volume_content_name(content));
	struct job_spec job = {.program = JOB_HOST,
			       .command = "volcopy",
			       .undo = "volcopy-undo",
			       .type = "imgcopy",
			       .id = id,
			       .guest = first,
			       .other = other == first ? 0 : other,
			       .args = &args,
			       .fd = -1};
	return api_start_job(req, &job, err);
}

static int copy_volume(struct api_request *req, struct err *err)
{
	struct copy copy = {0};
	int r = check_node(req, err);
	if (r == 0)
		r = find_source(req, &copy, err);
	if (r == 0)
		r = parse_target(req, &copy, err);
	if (r == 0)
		r = check_target_name(&copy, err);
	if (r == 0)
		r = find_target(req, &copy, err);
	if (r < 0)
		return r;
	enum volume_content content = content_of(req, &copy);
	struct volid source = copy.source;
	source.content = content;
	r = check_rights(req, &copy, content, err);
	if (r == 0 && is_guest_volume(&source))
		r = volume_feature_check(copy.from->type, &source, NULL, VOLUME_COPY, err);
	if (r == 0)
		r = find_users(req, &source, &copy, err);
	return r < 0 ? r : start(req, &copy, content, err);
}

static const struct param params[] = {
	PARAM_NODE,
	PARAM_STORAGE,
	{.name = "volume", .text = "Volume id, or the part after the colon."},
	{.name = "target",
	 .has_max = true,
	 .max = VOLID_MAX,
	 .text = "Volume id of the copy, or the part after the colon: on the same storage."},
	{.name = "target_node",
	 .optional = true,
	 .format = "pve-node",
	 .text = "Where the copy goes; this node alone is supported."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_POST,
	 .path = "/nodes/{node}/storage/{storage}/content/{volume}",
	 .text = "Copy a volume.",
	 .params = params,
	 .permission = {.kind = API_HANDLER,
			.text = "root@pam, or: to read the volume, as for GET; Datastore.Allocate "
				"on both "
				"storages; VM.Config.Disk on the guest of the copy. No guest that "
				"uses the "
				"volume runs."},
	 .returns = "{\"type\":\"string\"}",
	 .handle = copy_volume},
};

const struct api_table api_table_storage_copy = {routes, ARRAY_SIZE(routes)};
