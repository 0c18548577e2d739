/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Look-up of storages and volumes for the storage handlers, and who may see a volume. Core's loop.
 */
#include "agent/api/storage_use.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/str.h"
#include "agent/core/storages.h"

static bool key_is_on(const struct storage_def *def, const char *key)
{
	bool on = false;
	const char *text = storage_def_get(def, key);
	return text && str_to_bool(text, &on) && on;
}

bool storage_is_enabled(const struct storage_def *def)
{
	return !key_is_on(def, "disable");
}

bool storage_is_shared(const struct storage_def *def)
{
	return key_is_on(def, "shared");
}

int storage_find(const struct api_request *req, const struct storage_def **ret, struct err *err)
{
	const char *id = api_str(req, "storage");
	const struct storage_def *def =
		id ? storage_cfg_find(storages_config(req->core->storages), id) : NULL;
	if (!def)
		return err_set(err, ERR_NOT_FOUND, "storage '%s' does not exist", id ? id : "");
	*ret = def;
	return 0;
}

int storage_find_usable(const struct api_request *req, const struct storage_def **ret,
			struct err *err)
{
	const struct storage_def *def;
	int r = storage_find(req, &def, err);
	if (r < 0)
		return r;
	if (!storage_is_enabled(def))
		return err_set(err, ERR_BUSY, "storage '%s' is disabled", def->id);
	if (!storage_def_is_on_node(def, req->core->node))
		return err_set(err, ERR_NOT_FOUND, "storage '%s' is not available on node '%s'",
			       def->id, req->core->node);
	*ret = def;
	return 0;
}

int storage_parse_volume(const struct api_request *req, struct volid *ret, struct err *err)
{
	const char *storage = api_str(req, "storage"), *volume = api_str(req, "volume");
	struct volid parsed;
	autofree char *text = strchr(volume, ':') || !storage ? xstrdup(volume)
							      : xasprintf("%s:%s", storage, volume);
	int r = volid_parse(text, &parsed, err);
	if (r < 0) {
		if (err && !err->field[0])
			str_copy(err->field, sizeof(err->field), "volume");
		return r;
	}
	if (storage && !str_eq(storage, parsed.storage))
		return err_field(err, "volume", "the volume is not on storage '%s'", storage);
	*ret = parsed;
	return 0;
}

int storage_check_volume(const struct api_request *req, const char *storage, const char *content,
			 unsigned vmid, struct err *err)
{
	char path[128], guest[32];
	bool is_disk = str_eq(content, "images") || str_eq(content, "rootdir");
	bool is_backup = str_eq(content, "backup");
	snprintf(path, sizeof(path), "/storage/%s", storage);
	snprintf(guest, sizeof(guest), "/vms/%u", vmid);
	if (api_may(req, path, "Datastore.Allocate"))
		return 0;
	if (is_disk && vmid)
		return api_check(req, guest, "VM.Config.Disk", false, err);
	if (is_disk)
		return api_check(req, path, "Datastore.Allocate", false, err);
	if (!is_backup)
		return api_check(req, path, "Datastore.Audit|Datastore.AllocateSpace", true, err);
	int r = api_check(req, path, "Datastore.AllocateSpace", false, err);
	return r < 0 || !vmid ? r : api_check(req, guest, "VM.Backup", false, err);
}

int storage_write_answer(struct api_request *req, struct buf *output, const char ends[2],
			 struct err *err)
{
	while (output->size > 0 && strchr(" \t\r\n", output->data[output->size - 1]))
		output->size--;
	if (output->size < 2 || output->data[0] != ends[0] ||
	    output->data[output->size - 1] != ends[1])
		return err_set(err, ERR_INTERNAL, "bad answer of a storage helper");
	json_raw(&req->json, output->data, output->size);
	return 0;
}

bool storage_key_uses(const struct field *key, const struct volid *volume)
{
	if (!strstr(key->value, volume->file))
		return false; /* soon said, as all guests are asked */
	const char *value = str_after(key->value, "volume=") ?: key->value;
	value = str_after(value, "file=") ?: value;
	autofree char *text = xstrndup(value, strcspn(value, ","));
	struct volid used;
	return !str_starts(key->name, "unused") && volid_parse(text, &used, NULL) == 0 &&
	       volid_same(&used, volume);
}
