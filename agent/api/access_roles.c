/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /access/roles. Core's loop. */
#include <strings.h>

#include "agent/api/access_edit.h"
#include "agent/auth/privs.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static int list_roles(struct api_request *req, struct err *err)
{
	const struct usercfg *cfg = access_usercfg(req->core->access);
	struct json *j = &req->json;
	const char *roleid;

	(void)err;
	json_array_begin(j);
	for (const struct cfg_role *role = map_first(cfg->roles, NULL, &roleid); role;
	     role = map_next(cfg->roles, roleid, &roleid)) {
		autobuf privs = BUF_INIT;

		privset_format(role->privs, ",", &privs);
		json_object_begin(j);
		json_kv_string(j, "roleid", roleid);
		json_kv_string(j, "privs", buf_str(&privs));
		json_kv_bool(j, "special", role->special);
		json_object_end(j);
	}
	json_array_end(j);
	return 0;
}

static int get_role(struct api_request *req, struct err *err)
{
	struct cfg_role *role;
	int r = usercfg_role(access_usercfg(req->core->access), api_str(req, "roleid"), &role, err);

	if (r == 0)
		privset_to_json_object(role->privs, true, &req->json);
	return r;
}

static int given_privs(const struct api_request *req, privset *ret, struct err *err)
{
	const char *text = api_str(req, "privs");

	return privset_from_names(text ? text : "", ret, err);
}

static int apply_create(struct api_request *req, struct access_draft *draft, struct err *err)
{
	privset privs;
	int r = given_privs(req, &privs, err);

	return r < 0 ? r : usercfg_add_role(draft->cfg, api_str(req, "roleid"), privs, err);
}

static int apply_update(struct api_request *req, struct access_draft *draft, struct err *err)
{
	const char *roleid = api_str(req, "roleid");
	struct cfg_role *role;
	privset privs;
	int r = usercfg_role(draft->cfg, roleid, &role, err);

	if (r < 0)
		return r;
	if (role->special)
		return err_set(err, ERR_INVALID, "auto-generated role '%s' cannot be modified",
			       roleid);
	r = given_privs(req, &privs, err);
	if (r == 0)
		role->privs = api_bool(req, "append", false) ? role->privs | privs : privs;
	return r;
}

static int apply_delete(struct api_request *req, struct access_draft *draft, struct err *err)
{
	return usercfg_remove_role(draft->cfg, api_str(req, "roleid"), err);
}

static int create_role(struct api_request *req, struct err *err)
{
	if (strncasecmp(api_str(req, "roleid"), "PVE", 3) == 0)
		return err_field(err, "roleid",
				 "role ID may not start with 'PVE' (namespace is reserved)");
	return api_access_edit(req, apply_create, NULL, err);
}

static int update_role(struct api_request *req, struct err *err)
{
	return api_access_edit(req, apply_update, NULL, err);
}

static int delete_role(struct api_request *req, struct err *err)
{
	return api_access_edit(req, apply_delete, NULL, err);
}

#define ROLEID                                                                                     \
	{                                                                                          \
		.name = "roleid", .format = "pve-roleid", .has_max = true,                         \
		.max = USERCFG_NAME_MAX, .text = "The role."                                       \
	}
#define PRIVS                                                                                      \
	{                                                                                          \
		.name = "privs", .format = "pve-priv-list", .optional = true, .has_max = true,     \
		.max = USERCFG_TEXT_MAX, .text = "List of privileges."                             \
	}

static const struct param name_params[] = {ROLEID, PARAM_END};
static const struct param create_params[] = {ROLEID, PRIVS, PARAM_END};
static const struct param update_params[] = {
	ROLEID,
	PRIVS,
	{.name = "append",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .requires = "privs",
	 .text = "Add the privileges instead of replacing them."},
	PARAM_END,
};

#define MAY_CHANGE                                                                                 \
	{                                                                                          \
		.kind = API_CHECK, .path = "/access", .privs = "Sys.Modify"                        \
	}

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/access/roles",
	 .text = "List the roles.",
	 .permission = {.kind = API_USER},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"privs\":{\"type\":\"string\",\"optional\":1},"
		    "\"roleid\":{\"type\":\"string\"},"
		    "\"special\":{\"type\":\"boolean\",\"optional\":1,\"default\":0}}}}",
	 .handle = list_roles},
	{.verb = API_POST,
	 .path = "/access/roles",
	 .text = "Create a role.",
	 .params = create_params,
	 .permission = MAY_CHANGE,
	 .returns = "{\"type\":\"null\"}",
	 .handle = create_role},
	{.verb = API_GET,
	 .path = "/access/roles/{roleid}",
	 .text = "Show the privileges of a role.",
	 .params = name_params,
	 .permission = {.kind = API_USER},
	 .returns = "{\"type\":\"object\"}",
	 .handle = get_role},
	{.verb = API_PUT,
	 .path = "/access/roles/{roleid}",
	 .text = "Change the privileges of a role.",
	 .params = update_params,
	 .permission = MAY_CHANGE,
	 .returns = "{\"type\":\"null\"}",
	 .handle = update_role},
	{.verb = API_DELETE,
	 .path = "/access/roles/{roleid}",
	 .text = "Delete a role, with its ACL entries.",
	 .params = name_params,
	 .permission = MAY_CHANGE,
	 .returns = "{\"type\":\"null\"}",
	 .handle = delete_role},
};

const struct api_table api_table_access_roles = {routes, ARRAY_SIZE(routes)};
