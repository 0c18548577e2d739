/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /access/acl. Core's loop. */
#include "agent/api/access_edit.h"
#include "agent/auth/acl.h"
#include "agent/auth/privs.h"
#include "agent/auth/rights.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static void entry_to_json(struct json *j, const char *path, const struct acl_entry *entry)
{
	json_object_begin(j);
	json_kv_string(j, "path", path);
	json_kv_string(j, "type", acl_kind_name(entry->kind));
	json_kv_string(j, "ugid", entry->subject);
	json_kv_string(j, "roleid", entry->role);
	json_kv_bool(j, "propagate", entry->propagate);
	json_object_end(j);
}

static int get_acl(struct api_request *req, struct err *err)
{
	struct access *access = req->core->access;
	const struct usercfg *cfg = access_usercfg(access);
	bool sees_all = api_may(req, "/access", "Sys.Audit|Permissions.Modify");
	const char *path;

	(void)err;
	json_array_begin(&req->json);
	for (const struct acl_node *node = map_first(cfg->acl, NULL, &path); node;
	     node = map_next(cfg->acl, path, &path)) {
		if (!sees_all && !rights_may_modify_acl(access, &req->who, path))
			continue;
		for (size_t i = 0; i < node->count; i++)
			entry_to_json(&req->json, path, &node->items[i]);
	}
	json_array_end(&req->json);
	return 0;
}

static const struct {
	enum acl_kind kind;
	const char *param;
} subjects[] = {{ACL_USER, "users"}, {ACL_GROUP, "groups"}, {ACL_TOKEN, "tokens"}};

/* What a PUT does, taken from its parameters. */
struct acl_change {
	struct api_request *req;
	struct usercfg *cfg;
	const char *path;
	bool is_delete;
};

static int change_entry(const struct acl_change *c, struct acl_entry *entry, struct err *err)
{
	struct cfg_role *role;
	int r = usercfg_role(c->cfg, entry->role, &role, err);

	if (r < 0)
		return r;
	r = rights_check_grant(c->req->core->access, &c->req->who, c->path, role->privs,
			       entry->propagate, err);
	if (r < 0)
		return r;
	if (!c->is_delete)
		return usercfg_acl_set(c->cfg, c->path, entry, err);
	usercfg_acl_unset(c->cfg, c->path, entry);
	return 0;
}

static int change_subjects(const struct acl_change *c, enum acl_kind kind, char **ids, char **roles,
			   struct err *err)
{
	for (; *ids; ids++)
		for (char **role = roles; *role; role++) {
			struct acl_entry entry = {
				.kind = kind,
				.subject = *ids,
				.role = *role,
				.propagate = api_bool(c->req, "propagate", true),
			};
			int r = change_entry(c, &entry, err);

			if (r < 0)
				return r;
		}
	return 0;
}

static int apply_acl(struct api_request *req, struct access_draft *draft, struct err *err)
{
	autofree char *path = acl_path_normalize(api_str(req, "path"));
	autostrv char **roles = api_list(req, "roles");
	struct acl_change change = {
		.req = req,
		.cfg = draft->cfg,
		.path = path,
		.is_delete = api_bool(req, "delete", false),
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(subjects) && r == 0; i++) {
		autostrv char **ids = api_list(req, subjects[i].param);

		r = change_subjects(&change, subjects[i].kind, ids, roles, err);
	}
	return r;
}

static bool has_subject(const struct api_request *req)
{
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		if (!str_is_empty(api_str(req, subjects[i].param)))
			return true;
	return false;
}

static int put_acl(struct api_request *req, struct err *err)
{
	autofree char *path = acl_path_normalize(api_str(req, "path"));

	if (!path)
		return err_field(err, "path", "invalid ACL path '%s'", api_str(req, "path"));
	/* before anything is told about users and roles */
	if (!rights_may_modify_acl(req->core->access, &req->who, path))
		return err_set(err, ERR_DENIED, "Permission check failed (%s, Permissions.Modify)",
			       path);
	if (!has_subject(req))
		return err_field(err, "users", "either 'users', 'groups' or 'tokens' is required");
	return api_access_edit(req, apply_acl, NULL, err);
}

static const struct param put_params[] = {
	{.name = "path",
	 .has_max = true,
	 .max = USERCFG_ACL_PATH_MAX,
	 .text = "Path that the entry is for, such as /vms/100."},
	{.name = "roles",
	 .format = "pve-roleid-list",
	 .has_max = true,
	 .max = USERCFG_TEXT_MAX,
	 .text = "List of roles."},
	{.name = "users",
	 .format = "pve-userid-list",
	 .optional = true,
	 .has_max = true,
	 .max = USERCFG_TEXT_MAX,
	 .text = "List of users."},
	{.name = "groups",
	 .format = "pve-groupid-list",
	 .optional = true,
	 .has_max = true,
	 .max = USERCFG_TEXT_MAX,
	 .text = "List of groups."},
	{.name = "tokens",
	 .format = "pve-tokenid-list",
	 .optional = true,
	 .has_max = true,
	 .max = USERCFG_TEXT_MAX,
	 .text = "List of API tokens."},
	{.name = "propagate",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "1",
	 .text = "Whether the entry also counts below the path."},
	{.name = "delete",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Remove the entries instead."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/access/acl",
	 .text = "List the ACL entries that the caller may see.",
	 .permission = {.kind = API_USER,
			.text = "Shows all with Sys.Audit or Permissions.Modify on /access, else "
				"those that the caller may change."},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"path\":{\"type\":\"string\"},"
		    "\"propagate\":{\"type\":\"boolean\",\"optional\":1,\"default\":1},"
		    "\"roleid\":{\"type\":\"string\"},"
		    "\"type\":{\"type\":\"string\",\"enum\":[\"user\",\"group\",\"token\"]},"
		    "\"ugid\":{\"type\":\"string\"}}}}",
	 .handle = get_acl},
	{.verb = API_PUT,
	 .path = "/access/acl",
	 .text = "Add or remove ACL entries.",
	 .params = put_params,
	 .permission = {.kind = API_HANDLER,
			.text = "Permissions.Modify on the path; or the privilege that creates "
				"what lies there, for roles that the caller holds itself."},
	 .returns = "{\"type\":\"null\"}",
	 .handle = put_acl},
};

const struct api_table api_table_access_acl = {routes, ARRAY_SIZE(routes)};
