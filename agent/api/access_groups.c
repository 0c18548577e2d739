/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /access/groups. Core's loop. */
#include "agent/api/access_edit.h"
#include "agent/auth/privs.h"
#include "agent/auth/rights.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define MAY_SEE (PRIV(USER_MODIFY) | PRIV(SYS_AUDIT) | PRIV(GROUP_ALLOCATE))

static void members_to_text(const struct cfg_group *group, struct buf *out)
{
	const char *userid;

	for (void *m = map_first(group->members, NULL, &userid); m;
	     m = map_next(group->members, userid, &userid))
		buf_addf(out, "%s%s", out->size ? "," : "", userid);
}

static void group_to_json(struct json *j, const char *groupid, const struct cfg_group *group)
{
	autobuf members = BUF_INIT;

	members_to_text(group, &members);
	json_object_begin(j);
	json_kv_string(j, "groupid", groupid);
	json_kv_string(j, "users", buf_str(&members));
	if (group->comment)
		json_kv_string(j, "comment", group->comment);
	json_object_end(j);
}

static int list_groups(struct api_request *req, struct err *err)
{
	const struct usercfg *cfg = access_usercfg(req->core->access);
	const char *groupid;

	(void)err;
	json_array_begin(&req->json);
	for (const struct cfg_group *g = map_first(cfg->groups, NULL, &groupid); g;
	     g = map_next(cfg->groups, groupid, &groupid))
		if (rights_over_group(req->core->access, &req->who, groupid, MAY_SEE, true))
			group_to_json(&req->json, groupid, g);
	json_array_end(&req->json);
	return 0;
}

static int get_group(struct api_request *req, struct err *err)
{
	struct json *j = &req->json;
	struct cfg_group *group;
	const char *userid;
	int r = usercfg_group(access_usercfg(req->core->access), api_str(req, "groupid"), &group,
			      err);

	if (r < 0)
		return r;
	json_object_begin(j);
	if (group->comment)
		json_kv_string(j, "comment", group->comment);
	json_key(j, "members");
	json_array_begin(j);
	for (void *m = map_first(group->members, NULL, &userid); m;
	     m = map_next(group->members, userid, &userid))
		json_string(j, userid);
	json_array_end(j);
	json_object_end(j);
	return 0;
}

static int apply_create(struct api_request *req, struct access_draft *draft, struct err *err)
{
	struct cfg_group *group;
	int r = usercfg_add_group(draft->cfg, api_str(req, "groupid"), &group, err);

	if (r == 0)
		api_take_text(req, "comment", &group->comment);
	return r;
}

static int apply_update(struct api_request *req, struct access_draft *draft, struct err *err)
{
	struct cfg_group *group;
	int r = usercfg_group(draft->cfg, api_str(req, "groupid"), &group, err);

	if (r == 0)
		api_take_text(req, "comment", &group->comment);
	return r;
}

static int apply_delete(struct api_request *req, struct access_draft *draft, struct err *err)
{
	return usercfg_remove_group(draft->cfg, api_str(req, "groupid"), err);
}

static int create_group(struct api_request *req, struct err *err)
{
	return api_access_edit(req, apply_create, NULL, err);
}

static int update_group(struct api_request *req, struct err *err)
{
	return api_access_edit(req, apply_update, NULL, err);
}

static int delete_group(struct api_request *req, struct err *err)
{
	return api_access_edit(req, apply_delete, NULL, err);
}

#define GROUPID                                                                                    \
	{                                                                                          \
		.name = "groupid", .format = "pve-groupid", .has_max = true,                       \
		.max = USERCFG_NAME_MAX, .text = "The group."                                      \
	}

static const struct param name_params[] = {GROUPID, PARAM_END};
static const struct param write_params[] = {
	GROUPID,
	{.name = "comment",
	 .optional = true,
	 .has_max = true,
	 .max = USERCFG_TEXT_MAX,
	 .text = "Free text."},
	PARAM_END,
};

#define MAY_CHANGE                                                                                 \
	{                                                                                          \
		.kind = API_CHECK, .path = "/access/groups", .privs = "Group.Allocate"             \
	}

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/access/groups",
	 .text = "List the groups that the caller may see.",
	 .permission = {.kind = API_USER,
			.text = "Shows groups on which the caller has User.Modify, Sys.Audit or "
				"Group.Allocate."},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"comment\":{\"type\":\"string\",\"optional\":1},"
		    "\"groupid\":{\"type\":\"string\"},"
		    "\"users\":{\"type\":\"string\",\"optional\":1}}}}",
	 .handle = list_groups},
	{.verb = API_POST,
	 .path = "/access/groups",
	 .text = "Create a group.",
	 .params = write_params,
	 .permission = MAY_CHANGE,
	 .returns = "{\"type\":\"null\"}",
	 .handle = create_group},
	{.verb = API_GET,
	 .path = "/access/groups/{groupid}",
	 .text = "Show a group.",
	 .params = name_params,
	 .permission = {.kind = API_CHECK,
			.path = "/access/groups",
			.privs = "Sys.Audit|Group.Allocate",
			.any = true},
	 .returns = "{\"type\":\"object\",\"properties\":{"
		    "\"comment\":{\"type\":\"string\",\"optional\":1},"
		    "\"members\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}",
	 .handle = get_group},
	{.verb = API_PUT,
	 .path = "/access/groups/{groupid}",
	 .text = "Change a group.",
	 .params = write_params,
	 .permission = MAY_CHANGE,
	 .returns = "{\"type\":\"null\"}",
	 .handle = update_group},
	{.verb = API_DELETE,
	 .path = "/access/groups/{groupid}",
	 .text = "Delete a group, with its ACL entries.",
	 .params = name_params,
	 .permission = MAY_CHANGE,
	 .returns = "{\"type\":\"null\"}",
	 .handle = delete_group},
};

const struct api_table api_table_access_groups = {routes, ARRAY_SIZE(routes)};
