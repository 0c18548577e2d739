/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /nodes/{node}/storage/{storage}/content/{volume}: describing a volume, and notes of backups, by helpers, removing by
 * jobs. Core's loop. */
#include <stdio.h>
#include <string.h>

#include "agent/api/storage_use.h"
#include "agent/base/str.h"
#include "agent/core/guests.h"

#define READ_TIMEOUT   (1900 * USEC_PER_MSEC) /* clients wait 5 s, reads promise 2 */
#define CHANGE_TIMEOUT (60 * USEC_PER_SEC)

/* Storage definition and volume of the request, usable by the caller. */
static int find_volume(const struct api_request *req, const struct storage_def **ret_def,
		       struct volid *ret, struct err *err)
{
	struct volid volume;
	int r = storage_find_usable(req, ret_def, err);
	if (r == 0)
		r = storage_parse_volume(req, &volume, err);
	if (r == 0)
		r = storage_check_volume(req, volume.storage, volume_content_name(volume.content),
					 volume.vmid, err);
	if (r == 0)
		*ret = volume;
	return r;
}

static void add_volume(struct fields *args, const struct volid *volume)
{
	fields_addf(args, "volid", "%s:%s", volume->storage, volume->name);
}

static int volume_described(struct api_request *req, struct buf *output, struct err *err)
{
	return storage_write_answer(req, output, "{}", err);
}

static int get_volume(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	const struct storage_def *def;
	struct volid volume;
	int r = find_volume(req, &def, &volume, err);
	if (r < 0)
		return r;
	storage_def_encode(def, &args);
	add_volume(&args, &volume);
	return api_run_helper(req, "storage-info", &args, READ_TIMEOUT, volume_described, err);
}

static int attributes_set(struct api_request *req, struct buf *output, struct err *err)
{
	(void)req;
	(void)output;
	(void)err;
	return 0;
}

/* Notes and protection; of other people's backups no business of whoever may only read. */
static int update_volume(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	const struct storage_def *def;
	struct volid volume;
	char path[128];
	int r = find_volume(req, &def, &volume, err);
	if (r < 0)
		return r;
	if (!api_str(req, "notes") && !api_str(req, "protected"))
		return err_field(err, "notes", "neither notes nor protected is given");
	snprintf(path, sizeof(path), "/storage/%s", volume.storage);
	storage_def_encode(def, &args);
	add_volume(&args, &volume);
	if (api_may(req, path, "Datastore.Allocate"))
		fields_add(&args, "owner", "1");
	fields_add(&args, "notes", api_str(req, "notes"));
	if (api_str(req, "protected"))
		fields_add(&args, "protected", api_bool(req, "protected", false) ? "1" : "0");
	return api_run_helper(req, "storage-attributes", &args, CHANGE_TIMEOUT, attributes_set,
			      err);
}

/* A locked or busy guest may be about to use a volume that its configuration does not name yet. */
static int check_idle(const struct api_request *req, const struct guest *guest, struct err *err)
{
	const char *lock = guest->config ? guest_config_get(guest->config, "lock") : NULL;
	if (lock)
		return err_set(err, ERR_BUSY, "guest %u is locked (%s)", guest->vmid, lock);
	if (jobs_guest_is_busy(req->core->jobs, guest->vmid))
		return err_set(err, ERR_BUSY, "guest %u is busy with another task", guest->vmid);
	return 0;
}

static int check_unused(const struct api_request *req, const struct volid *volume, struct err *err)
{
	const struct guest *guest =
		volume->vmid ? guests_find(req->core->guests, volume->vmid) : NULL;
	autofree char *volid = xasprintf("%s:%s", volume->storage, volume->name);
	if (guest && guest->config_is_bad)
		return err_set(err, ERR_BUSY,
			       "the configuration of guest %u cannot be read: it may use volume "
			       "'%s'",
			       guest->vmid, volid);
	for (size_t s = 0; guest && guest->config && s < guest->config->count; s++) {
		const struct fields *keys = &guest->config->sections[s].keys;
		for (size_t i = 0; i < keys->count; i++) {
			if (storage_key_uses(&keys->items[i], volume))
				return err_set(err, ERR_BUSY,
					       "volume '%s' is in use by guest %u (%s)", volid,
					       guest->vmid, keys->items[i].name);
		}
	}
	return guest ? check_idle(req, guest, err) : 0;
}

static int delete_volume(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	const struct storage_def *def;
	struct volid volume;
	char path[128], id[160];
	int r = find_volume(req, &def, &volume, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/storage/%s", volume.storage);
	bool is_backup = volume.content == VOLUME_BACKUP && volume.vmid;
	if (!is_backup && (r = api_check(req, path, "Datastore.Allocate", false, err)) < 0)
		return r;
	if ((r = check_unused(req, &volume, err)) < 0)
		return r;
	storage_def_encode(def, &args);
	add_volume(&args, &volume);
	if (volume.vmid)
		snprintf(id, sizeof(id), "%u@%s", volume.vmid, volume.storage);
	else
		str_copy(id, sizeof(id), volume.storage);
	struct job_spec job = {.program = JOB_HOST,
			       .command = "imgdel",
			       .id = id,
			       .guest = volume.vmid,
			       .args = &args,
			       .fd = -1};
	return api_start_job(req, &job, err);
}

/* -- tables ------------------------------------------------------------------------------------ */

#define VOLUME                                                                                     \
	{                                                                                          \
		.name = "volume", .text = "Volume id, or the part after the colon."                \
	}

static const struct param volume_params[] = {PARAM_NODE, PARAM_STORAGE, VOLUME, PARAM_END};

static const struct param update_params[] = {
	PARAM_NODE,
	PARAM_STORAGE,
	VOLUME,
	{.name = "notes",
	 .optional = true,
	 .has_max = true,
	 .max = 65536,
	 .text = "Notes of a backup; empty: none."},
	{.name = "protected",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Keep a backup from being removed."},
	PARAM_END,
};

static const struct param delete_params[] = {
	PARAM_NODE,
	PARAM_STORAGE,
	VOLUME,
	{.name = "delay",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 1,
	 .has_max = true,
	 .max = 30,
	 .text = "Accepted for compatibility: the task is always answered at once."},
	PARAM_END,
};

#define STRING	     "{\"type\":\"string\"}"
#define INTEGER	     "{\"type\":\"integer\"}"
#define MAYBE_STRING "{\"type\":\"string\",\"optional\":1}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/storage/{storage}/content/{volume}",
	 .text = "Path, size and format of a volume.",
	 .params = volume_params,
	 .permission = {.kind = API_HANDLER,
			.text = "Guest volumes need VM.Config.Disk on the guest, others a right to "
				"read the storage."},
	 .returns = "{\"type\":\"object\",\"properties\":{\"path\":" STRING ",\"format\":" STRING
		    ",\"size\":" INTEGER ",\"used\":" INTEGER ",\"notes\":" MAYBE_STRING
		    ",\"protected\":{\"type\":\"boolean\",\"optional\":1}}}",
	 .handle = get_volume},
	{.verb = API_PUT,
	 .path = "/nodes/{node}/storage/{storage}/content/{volume}",
	 .text = "Change notes and protection of a backup.",
	 .params = update_params,
	 .permission = {.kind = API_HANDLER,
			.text = "Backups of a guest: Datastore.AllocateSpace and VM.Backup."},
	 .returns = "{\"type\":\"null\"}",
	 .handle = update_volume},
	{.verb = API_DELETE,
	 .path = "/nodes/{node}/storage/{storage}/content/{volume}",
	 .text = "Remove a volume.",
	 .params = delete_params,
	 .permission =
		 {.kind = API_HANDLER,
		  .text = "Datastore.Allocate; backups of a guest: Datastore.AllocateSpace and "
			  "VM.Backup."},
	 .returns = STRING,
	 .handle = delete_volume},
};

const struct api_table api_table_storage_volume = {routes, ARRAY_SIZE(routes)};
