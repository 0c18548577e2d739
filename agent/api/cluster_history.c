/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The routes of /cluster/history; GET /cluster/history and /cluster/history/value: who changed a configuration when, and what it said
 * before. An addition to the contract. Core's loop; the store's writer thread reads. */
#include "agent/api/cluster_history.h"

#include "agent/base/digest.h"
#include "agent/base/str.h"
#include "agent/core/config_rules.h"
#include "agent/core/guests.h"

#define LIMIT_DEFAULT 50
#define VERSION_MAX   9007199254740991.0 /* what a double holds exactly */

/* An id may have had other owners: who only sees the guest sees the present one's configurations. */
static int check_guest(const struct api_request *req, unsigned vmid, bool *ret_since_created,
		       struct err *err)
{
	autofree char *path = xasprintf("/vms/%u", vmid);

	if (api_may(req, "/", "Sys.Audit"))
		return 0;
	*ret_since_created = true;
	return api_check(req, path, "VM.Audit", false, err);
}

int api_history_check(const struct api_request *req, const char *path, bool *ret_since_created,
		      struct err *err)
{
	const struct config_rule *rule = config_rule_find(path);
	struct store_value value;
	struct guest key = {0};

	*ret_since_created = false;
	if (!store_path_is_valid(path))
		return err_field(err, "path", "is not a path of the configuration store");
	if (rule)
		return api_check(req, rule->path, rule->read, false, err);
	if (guest_config_path_parse(path, &key) && store_get(req->core->store, path, &value))
		return check_guest(req, key.vmid, ret_since_created, err);
	return api_check(req, "/", "Sys.Audit", false, err);
}

/* ---- waiting for the store ---- */

struct reading {
	struct api_request *req; /* NULL: nobody waits any more */
	api_history_step step;
};

static void forget(struct api_request *req)
{
	struct reading *reading = req->ctx;

	reading->req = NULL;
}

static void on_read(const struct store_history *history, const struct err *err, void *ctx)
{
	struct reading *reading = ctx;
	struct api_request *req = reading->req;
	api_history_step step = reading->step;
	struct err failure = *err;
	int r = history ? 0 : -failure.code;

	free(reading);
	if (!req)
		return;
	req->cancel = NULL;
	if (r == 0)
		r = step(req, history, &failure);
	if (r < 0)
		api_fail(req, &failure);
	else if (r != API_LATER)
		api_finish(req);
}

int api_history_read(struct api_request *req, const struct store_history_query *query,
		     api_history_step step, struct err *err)
{
	struct reading *reading = xcalloc(1, sizeof(*reading));
	struct store *store = req->core->store;
	int r = query->version ? store_history_value(store, query, on_read, reading, err)
			       : store_history_list(store, query, on_read, reading, err);

	if (r < 0) {
		free(reading);
		return r;
	}
	*reading = (struct reading){.req = req, .step = step};
	req->ctx = reading;
	req->cancel = forget;
	return API_LATER;
}

/* ---- the list ---- */

static const char *const kinds[] = {[STORE_HISTORY_CREATED] = "created",
				    [STORE_HISTORY_CHANGED] = "changed",
				    [STORE_HISTORY_DELETED] = "deleted"};

static void write_entry(struct json *j, const struct store_history_entry *e, bool is_private)
{
	json_object_begin(j);
	json_kv_uint(j, "version", e->version);
	json_kv_uint(j, "time", e->when / USEC_PER_SEC);
	json_kv_string(j, "user", e->who);
	if (!is_private) {
		json_kv_string(j, "change", kinds[e->kind]);
		json_kv_uint(j, "size", e->size);
		json_kv_uint(j, "previous", e->previous);
	}
	json_object_end(j);
}

static int listed(struct api_request *req, const struct store_history *history, struct err *err)
{
	bool is_private = str_starts(api_str(req, "path"), STORE_PRIVATE_PATH);
	(void)err;

	json_array_begin(&req->json);
	for (size_t i = 0; i < history->count; i++)
		write_entry(&req->json, &history->entries[i], is_private);
	json_array_end(&req->json);
	fields_add(&req->extra, "more", history->has_more ? "1" : "0");
	return 0;
}

static int get_history(struct api_request *req, struct err *err)
{
	struct store_history_query query = {
		.path = api_str(req, "path"),
		.limit = (unsigned)api_int(req, "limit", LIMIT_DEFAULT),
		.before = (uint64_t)api_int(req, "before", 0),
	};
	int r = api_history_check(req, query.path, &query.since_created, err);

	return r < 0 ? r : api_history_read(req, &query, listed, err);
}

/* ---- one value ---- */

static int value_read(struct api_request *req, const struct store_history *history, struct err *err)
{
	char digest[SHA1_HEX_SIZE];
	struct json *j = &req->json;

	if (!str_is_utf8(history->data, history->size))
		return err_set(err, ERR_UNSUPPORTED, "this value is not text");
	digest_sha1_hex(history->data, history->size, digest);
	json_object_begin(j);
	json_kv_string(j, "path", api_str(req, "path"));
	json_kv_int(j, "version", api_int(req, "version", 0));
	json_key(j, "value");
	json_string_n(j, history->data, history->size);
	json_kv_string(j, "digest", digest);
	json_object_end(j);
	return 0;
}

static int get_value(struct api_request *req, struct err *err)
{
	struct store_history_query query = {
		.path = api_str(req, "path"),
		.version = (uint64_t)api_int(req, "version", 0),
	};
	int r = api_history_check(req, query.path, &query.since_created, err);

	return r < 0 ? r : api_history_read(req, &query, value_read, err);
}

/* ---- routes ---- */

#define PARAM_PATH                                                                                 \
	{                                                                                          \
		.name = "path", .has_max = true, .max = STORE_PATH_MAX,                            \
		.text = "Path in the configuration store, as /storage.cfg."                        \
	}
#define PARAM_VERSION                                                                              \
	{                                                                                          \
		.name = "version", .type = PARAM_INTEGER, .has_min = true, .min = 1,               \
		.has_max = true, .max = VERSION_MAX, .text = "Version that the path had."          \
	}

static const struct param list_params[] = {
	PARAM_PATH,
	{.name = "limit",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 1,
	 .has_max = true,
	 .max = STORE_HISTORY_MAX,
	 .default_text = "50",
	 .text = "At most so many changes."},
	{.name = "before",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 1,
	 .has_max = true,
	 .max = VERSION_MAX,
	 .text = "Only changes older than the one that gave this version."},
	PARAM_END,
};

static const struct param value_params[] = {PARAM_PATH, PARAM_VERSION, PARAM_END};

static const struct param revert_params[] = {
	PARAM_PATH,
	PARAM_VERSION,
	{.name = "digest",
	 .optional = true,
	 .has_max = true,
	 .max = 40,
	 .text = "Only if the configuration has this digest now."},
	PARAM_END,
};

#define WHO_MAY                                                                                    \
	"VM.Audit on /vms/{vmid} for a guest's configuration, since the guest was created; "       \
	"Datastore.Audit on /storage for /storage.cfg, Sys.Audit on /access for /user.cfg, "       \
	"Sys.Audit on / for all else."

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/cluster/history",
	 .text = "Changes of a configuration, newest first; below /priv who and when only.",
	 .params = list_params,
	 .permission = {.kind = API_HANDLER, .text = WHO_MAY},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"version\":{\"type\":\"integer\"},\"time\":{\"type\":\"integer\"},"
		    "\"user\":{\"type\":\"string\"},\"change\":{\"type\":\"string\"},"
		    "\"size\":{\"type\":\"integer\"},\"previous\":{\"type\":\"integer\"}}}}",
	 .handle = get_history},
	{.verb = API_GET,
	 .path = "/cluster/history/value",
	 .text = "The value that a configuration had with a version, the current one as well.",
	 .params = value_params,
	 .permission = {.kind = API_HANDLER, .text = WHO_MAY},
	 .returns = "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},"
		    "\"version\":{\"type\":\"integer\"},\"value\":{\"type\":\"string\"},"
		    "\"digest\":{\"type\":\"string\"}}}",
	 .handle = get_value},
	{.verb = API_POST,
	 .path = "/cluster/history/revert",
	 .text = "Brings back an old version of a configuration, as a new change. A guest's "
		 "volumes and "
		 "lock stay as they are.",
	 .params = revert_params,
	 .permission =
		 {.kind = API_HANDLER,
		  .text = "Sys.Modify on /; for a guest's configuration VM.Config.Options on "
			  "/vms/{vmid} as well and the privilege of each key that changes; for "
			  "/storage.cfg Datastore.Allocate on /storage; /user.cfg is root's."},
	 .returns = "{\"type\":\"null\"}",
	 .handle = api_history_revert},
};

const struct api_table api_table_cluster_history = {routes, ARRAY_SIZE(routes)};
