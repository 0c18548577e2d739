/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /storage and /storage/{storage}: the definitions. Core's loop; changes nothing. */
#include <stdio.h>

#include "agent/api/storage_keys.h"
#include "agent/api/storage_use.h"
#include "agent/base/digest.h"
#include "agent/base/str.h"
#include "agent/core/storages.h"

/* Keys whose values are numbers in the contract; everything else is text. */
static const char *const boolean_keys[] = {
	"disable", "shared",	       "mkdir",		 "krbd",
	"sparse",  "saferemove",       "tagged_only",	 "nocow",
	"fuse",	   "create-base-path", "create-subdirs", "snapshot-as-volume-chain"};
static const char *const integer_keys[] = {"max-protected-backups", "port", "saferemove-stepsize"};
static const char *const secret_keys[] = {"password", "encryption-key", "master-pubkey", "keyring"};

static bool is_in(const char *const *list, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		if (str_eq(list[i], key))
			return true;
	}
	return false;
}

static void write_key(struct json *j, const struct field *f)
{
	bool on;
	int64_t number;
	if (is_in(secret_keys, ARRAY_SIZE(secret_keys), f->name))
		return;
	if (is_in(boolean_keys, ARRAY_SIZE(boolean_keys), f->name) && str_to_bool(f->value, &on))
		json_kv_bool(j, f->name, on);
	else if (is_in(integer_keys, ARRAY_SIZE(integer_keys), f->name) &&
		 str_to_i64(f->value, &number))
		json_kv_int(j, f->name, number);
	else
		json_kv_string(j, f->name, f->value);
}

static void write_definition(struct api_request *req, const struct storage_def *def)
{
	struct store_value file;
	char digest[SHA1_HEX_SIZE] = "";
	struct json *j = &req->json;
	json_object_begin(j);
	json_kv_string(j, "storage", def->id);
	json_kv_string(j, "type", def->type);
	for (size_t i = 0; i < def->keys.count; i++)
		write_key(j, &def->keys.items[i]);
	if (store_get(req->core->store, "/storage.cfg", &file))
		digest_sha1_hex(file.data, file.size, digest);
	json_kv_string(j, "digest", digest);
	json_object_end(j);
}

static int list_definitions(struct api_request *req, struct err *err)
{
	const struct storage_cfg *cfg = storages_config(req->core->storages);
	const char *type = api_str(req, "type");
	(void)err;
	json_array_begin(&req->json);
	for (size_t i = 0; i < cfg->count; i++) {
		char path[128];
		snprintf(path, sizeof(path), "/storage/%s", cfg->items[i].id);
		if ((!type || str_eq(type, cfg->items[i].type)) &&
		    api_may(req, path, "Datastore.Audit|Datastore.AllocateSpace"))
			write_definition(req, &cfg->items[i]);
	}
	json_array_end(&req->json);
	return 0;
}

static int get_definition(struct api_request *req, struct err *err)
{
	const struct storage_def *def;
	int r = storage_find(req, &def, err);
	if (r == 0)
		write_definition(req, def);
	return r;
}

static const struct param list_params[] = {
	{.name = "type",
	 .optional = true,
	 .choices = storage_types,
	 .text = "Only storages of this type."},
	PARAM_END,
};

static const struct param get_params[] = {
	PARAM_STORAGE,
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/storage",
	 .text = "List the defined storages.",
	 .params = list_params,
	 .permission = {.kind = API_USER,
			.text = "Storages with Datastore.Audit or Datastore.AllocateSpace."},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"storage\":{\"type\":\"string\"}}}}",
	 .handle = list_definitions},
	{.verb = API_GET,
	 .path = "/storage/{storage}",
	 .text = "The definition of a storage.",
	 .params = get_params,
	 .permission = {.kind = API_CHECK,
			.path = "/storage/{storage}",
			.privs = "Datastore.Allocate"},
	 .returns = "{\"type\":\"object\"}",
	 .handle = get_definition},
};

const struct api_table api_table_storage = {routes, ARRAY_SIZE(routes)};
