/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /nodes/{node}/storage/{storage}/content: listing volumes and making empty ones, by helpers. Core's loop. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "agent/api/storage_use.h"
#include "agent/base/str.h"
#include "agent/core/guests.h"

#define READ_TIMEOUT  (1900 * USEC_PER_MSEC) /* clients wait 5 s, reads promise 2 */
#define ALLOC_TIMEOUT (60 * USEC_PER_SEC)
#define LIST_MAX      (16 * 1024 * 1024)
#define READERS	      "Datastore.Audit|Datastore.AllocateSpace"

/* -- listing ----------------------------------------------------------------------------------- */

static const char *member_text(struct json_object *o, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(o, key, &value) ? json_object_get_string(value) : NULL;
}

static unsigned member_vmid(struct json_object *o)
{
	struct json_object *value;
	return json_object_object_get_ex(o, "vmid", &value) ? (unsigned)json_object_get_int(value)
							    : 0;
}

static void write_visible(struct api_request *req, struct json_object *list)
{
	size_t count = json_object_array_length(list);
	json_array_begin(&req->json);
	for (size_t i = 0; i < count; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *content = member_text(o, "content");
		if (storage_check_volume(req, api_str(req, "storage"), content, member_vmid(o),
					 NULL) < 0)
			continue;
		const char *text = json_object_to_json_string_ext(
			o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
		json_raw(&req->json, text, strlen(text));
	}
	json_array_end(&req->json);
}

/* Whoever may do everything with the storage gets the helper's list as it is. */
static int content_listed(struct api_request *req, struct buf *output, struct err *err)
{
	char path[128];
	struct json_object *list;
	snprintf(path, sizeof(path), "/storage/%s", api_str(req, "storage"));
	if (api_may(req, path, "Datastore.Allocate"))
		return storage_write_answer(req, output, "[]", err);
	int r = json_parse(buf_str(output), output->size, LIST_MAX, &list, err);
	if (r < 0)
		return r;
	if (json_object_is_type(list, json_type_array))
		write_visible(req, list);
	json_object_put(list);
	return 0;
}

/* A volume's name does not tell whether it is a container's: the helper gets all their ids. */
static void add_containers(struct fields *args, const struct guests *guests)
{
	autobuf ids = BUF_INIT;
	const struct guest *guest = guests_next(guests, 0);
	for (; guest; guest = guests_next(guests, guest->vmid)) {
		if (guest->kind == GUEST_LXC)
			buf_addf(&ids, "%s%u", ids.size ? "," : "", guest->vmid);
	}
	fields_add(args, "containers", buf_str(&ids));
}

static int list_content(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	const struct storage_def *def;
	int r = storage_find_usable(req, &def, err);
	if (r < 0)
		return r;
	storage_def_encode(def, &args);
	fields_add(&args, "content", api_str(req, "content"));
	fields_add(&args, "vmid", api_str(req, "vmid"));
	add_containers(&args, req->core->guests);
	return api_run_helper(req, "storage-content", &args, READ_TIMEOUT, content_listed, err);
}

/* -- new volumes ------------------------------------------------------------------------------- */

/* The helper prints the new volume's id, as text or as a JSON string. */
static int volume_made(struct api_request *req, struct buf *output, struct err *err)
{
	const char *text = buf_str(output);
	size_t size = strcspn(text, "\r\n");
	if (size == 0)
		return err_set(err, ERR_INTERNAL, "bad answer of a storage helper");
	if (size > 2 && text[0] == '"' && text[size - 1] == '"')
		json_raw(&req->json, text, size);
	else
		json_string_n(&req->json, text, size);
	return 0;
}

static int alloc_volume(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	const struct storage_def *def;
	uint64_t size;
	int r = storage_find_usable(req, &def, err);
	if (r < 0)
		return r;
	if (!str_to_bytes(api_str(req, "size"), 1024, &size) || size == 0)
		return err_field(err, "size", "value is not a size");
	if (!storage_def_has_content(def, "images") && !storage_def_has_content(def, "rootdir"))
		return err_set(err, ERR_UNSUPPORTED, "storage '%s' does not support guest volumes",
			       def->id);
	storage_def_encode(def, &args);
	fields_add(&args, "vmid", api_str(req, "vmid"));
	fields_add(&args, "name", api_str(req, "filename"));
	fields_add(&args, "format", api_str(req, "format"));
	fields_addf(&args, "size", "%" PRIu64, size);
	const struct guest *guest = guests_find(req->core->guests, api_vmid(req));
	if (guest && guest->kind == GUEST_LXC && storage_def_has_content(def, "rootdir"))
		fields_add(&args, "content", "rootdir");
	return api_run_helper(req, "storage-alloc", &args, ALLOC_TIMEOUT, volume_made, err);
}

/* -- tables ------------------------------------------------------------------------------------ */

#define VMID                                                                                       \
	.name = "vmid", .type = PARAM_INTEGER, .has_min = true, .min = 100, .has_max = true,       \
	.max = 999999999

static const char *const formats[] = {"raw", "qcow2", "subvol", "vmdk", NULL};
static const struct param list_params[] = {
	PARAM_NODE,
	PARAM_STORAGE,
	{.name = "content",
	 .optional = true,
	 .format = "pve-storage-content",
	 .text = "Only volumes of this kind."},
	{VMID, .optional = true, .text = "Only volumes of this guest."},
	PARAM_END,
};

static const struct param alloc_params[] = {
	PARAM_NODE,
	PARAM_STORAGE,
	{.name = "filename",
	 .has_max = true,
	 .max = 255,
	 .text = "Name of the new volume, starting with vm-VMID-."},
	{.name = "format", .optional = true, .choices = formats, .text = "Format of the volume."},
	{.name = "size",
	 .pattern = "[0-9]+[MG]?",
	 .text = "Size in KiB, or with M or G at the end."},
	{VMID, .text = "The guest that it belongs to."},
	PARAM_END,
};

#define STRING	     "{\"type\":\"string\"}"
#define INTEGER	     "{\"type\":\"integer\"}"
#define MAYBE	     "{\"type\":\"integer\",\"optional\":1}"
#define MAYBE_STRING "{\"type\":\"string\",\"optional\":1}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/storage/{storage}/content",
	 .text = "List the volumes of a storage.",
	 .params = list_params,
	 .permission = {.kind = API_CHECK,
			.path = "/storage/{storage}",
			.privs = READERS,
			.any = true,
			.text = "Guest volumes need VM.Config.Disk on the guest."},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"volid\":" STRING ",\"content\":" STRING ",\"format\":" STRING
		    ",\"size\":" INTEGER ",\"used\":" MAYBE ",\"vmid\":" MAYBE ",\"ctime\":" MAYBE
		    ",\"parent\":" MAYBE_STRING ",\"notes\":" MAYBE_STRING
		    ",\"protected\":{\"type\":\"boolean\",\"optional\":1}}}}",
	 .handle = list_content},
	{.verb = API_POST,
	 .path = "/nodes/{node}/storage/{storage}/content",
	 .text = "Make an empty guest volume.",
	 .params = alloc_params,
	 .permission = {.kind = API_CHECK,
			.path = "/storage/{storage}",
			.privs = "Datastore.AllocateSpace"},
	 .returns = STRING,
	 .handle = alloc_volume},
};

const struct api_table api_table_storage_content = {routes, ARRAY_SIZE(routes)};
