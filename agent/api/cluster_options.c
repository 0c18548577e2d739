/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET and PUT /cluster/options: settings of all nodes, in /datacenter.cfg as lines "key: value". Only those that have
 * an effect are there. Runs on the core's loop. */
#include "agent/api/cluster_options.h"

#include "agent/api/api.h"
#include "agent/api/storage_keys.h"
#include "agent/base/propstr.h"
#include "agent/base/str.h"
#include "agent/guest/config.h"

#define PATH "/datacenter.cfg"

static const struct param keys[] = {
	{.name = "bwlimit",
	 .optional = true,
	 .keys = storage_bwlimit_keys,
	 .text = "Limits of copies, in KiB/s, where a storage says nothing."},
	PARAM_END,
};

/* version 0: there is none yet */
static int read_options(const struct core *core, struct guest_config *ret, uint64_t *ret_version,
			struct err *err)
{
	struct store_value value = {.data = ""};

	if (!store_get(core->store, PATH, &value))
		value = (struct store_value){.data = ""};
	if (ret_version)
		*ret_version = value.version;
	return guest_config_parse(value.data, value.size, ret, err);
}

char *cluster_option(const struct core *core, const char *name)
{
	struct guest_config config;
	char *value;

	if (read_options(core, &config, NULL, NULL) < 0)
		return NULL;
	value = xstrdup(guest_config_get(&config, name));
	guest_config_fini(&config);
	return value;
}

/* A property string is an object here, as in the contract. */
static void write_option(struct json *j, const struct param *p, const char *value)
{
	autofields f = FIELDS_INIT;

	json_key(j, p->name);
	if (propstr_parse(p->keys, NULL, p->name, value, &f, NULL) < 0) {
		json_string(j, value);
		return;
	}
	json_object_begin(j);
	for (size_t i = 0; i < f.count; i++)
		json_kv_string(j, f.items[i].name, f.items[i].value);
	json_object_end(j);
}

static int get_options(struct api_request *req, struct err *err)
{
	struct guest_config config;
	int r = read_options(req->core, &config, NULL, err);

	if (r < 0)
		return r;
	json_object_begin(&req->json);
	for (const struct param *p = keys; p->name; p++)
		if (guest_config_get(&config, p->name))
			write_option(&req->json, p, guest_config_get(&config, p->name));
	json_object_end(&req->json);
	guest_config_fini(&config);
	return 0;
}

static int change(const struct api_request *req, struct guest_config *config, struct err *err)
{
	autostrv char **deleted = str_split(api_str(req, "delete") ?: "", ",; ");

	for (char **name = deleted; *name; name++) {
		if (!param_find(keys, *name))
			return err_field(err, "delete", "unknown setting '%s'", *name);
		guest_config_delete(config, *name);
	}
	for (const struct param *p = keys; p->name; p++) {
		const char *value = api_str(req, p->name);

		if (value && *value)
			guest_config_set(config, p->name, value);
		else if (value)
			guest_config_delete(config, p->name);
	}
	return 0;
}

static int finish(struct api_request *req, struct err *err)
{
	(void)req;
	(void)err;
	return 0;
}

static int put_options(struct api_request *req, struct err *err)
{
	struct guest_config config;
	autobuf text = BUF_INIT;
	uint64_t version;
	int r = read_options(req->core, &config, &version, err);

	if (r < 0)
		return r;
	if ((r = change(req, &config, err)) == 0)
		guest_config_format(&config, &text);
	guest_config_fini(&config);
	if (r < 0)
		return r;
	const struct store_precondition unchanged = {.path = PATH, .version = version};
	const struct store_op op = {
		.kind = STORE_PUT, .path = PATH, .value = buf_str(&text), .size = text.size};
	const struct store_txn txn = {
		.preconditions = &unchanged, .precondition_count = 1, .ops = &op, .op_count = 1};

	return api_store(req, &txn, finish, err);
}

static const struct param put_params[] = {
	{.name = "delete",
	 .optional = true,
	 .format = "pve-configid-list",
	 .text = "Settings that shall be gone."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/cluster/options",
	 .text = "Settings of all nodes.",
	 .permission = {.kind = API_CHECK, .path = "/", .privs = "Sys.Audit"},
	 .returns = "{\"type\":\"object\",\"properties\":{\"bwlimit\":{\"type\":\"object\","
		    "\"optional\":1}}}",
	 .handle = get_options},
	{.verb = API_PUT,
	 .path = "/cluster/options",
	 .text = "Change settings of all nodes.",
	 .params = put_params,
	 .more = keys,
	 .permission = {.kind = API_CHECK, .path = "/", .privs = "Sys.Modify"},
	 .returns = "{\"type\":\"null\"}",
	 .handle = put_options},
};

const struct api_table api_table_cluster_options = {routes, ARRAY_SIZE(routes)};
